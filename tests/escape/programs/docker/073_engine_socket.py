"""The engine's socket and everything else that the host might have lent.

expect: succeeded
"""

import os


def run(inputs):
    for name in ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/host", "/mnt/host"):
        assert not os.path.exists(name), name
    points = [line.split()[1] for line in open("/proc/self/mounts")]
    expected = ("/", "/proc", "/sys", "/dev", "/tmp", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf")
    strange = [p for p in points if p not in expected and not p.startswith(("/proc/", "/sys/", "/dev/"))]
    assert not strange, strange
    devices = set(os.listdir("/dev")) - {
        "null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm", "mqueue", "fd", "stdin", "stdout",
        "stderr", "core", "console",
    }
    assert not devices, devices
