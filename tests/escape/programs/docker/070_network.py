"""Connections to the world, to the host and to the metadata address.

expect: succeeded
"""

import socket


def run(inputs):
    got = []
    for host, port in (("1.1.1.1", 80), ("169.254.169.254", 80), ("172.17.0.1", 2375), ("10.0.0.1", 22)):
        with socket.socket() as attempt:
            attempt.settimeout(0.5)
            try:
                attempt.connect((host, port))
                got.append(host)
            except OSError:
                pass
    try:
        got.append(socket.getaddrinfo("example.com", 80))
    except OSError:
        pass
    assert not got, got
