"""The load generator calls a real route, counts what is not a 200 and tells its own share of the CPU."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bench.bare_route import running_route
from bench.load import Job, run_load
from bench.wire import build_request

GOOD = build_request("GET", "/hello?name=World").decode()
UNKNOWN = build_request("GET", "/nowhere").decode()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with running_route() as port:
        yield port


def test_every_connection_calls_until_the_time_is_up(port: int) -> None:
    begun = []

    load = run_load(Job("127.0.0.1", port, [GOOD] * 4, 0.1, 0.3), lambda: begun.append(True))

    assert begun == [True]
    assert load.failed == 0
    assert load.statuses == {"200": len(load.durations_s)}
    assert len(load.durations_s) >= 4
    assert load.elapsed_s >= 0.3
    assert 0 < load.cpu_s < load.elapsed_s


def test_each_connection_makes_as_many_calls_as_it_is_told(port: int) -> None:
    load = run_load(Job("127.0.0.1", port, [GOOD] * 7, 0, 30, calls_each=3))

    assert len(load.durations_s) == 21
    assert load.elapsed_s < 30


def test_other_answers_are_failures(port: int) -> None:
    load = run_load(Job("127.0.0.1", port, [GOOD, UNKNOWN], 0, 30, calls_each=5))

    assert load.statuses == {"200": 5, "404": 5}
    assert load.failed == 5


def test_without_a_server_it_ends_with_an_error() -> None:
    with pytest.raises(RuntimeError, match="ended without a result"):
        run_load(Job("127.0.0.1", 1, [GOOD], 0, 1))


def test_a_connection_that_is_done_may_be_ended_while_others_still_wait() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        listener.settimeout(60)
        job = Job("127.0.0.1", listener.getsockname()[1], [GOOD, GOOD], 0, 30, calls_each=1)
        running = pool.submit(run_load, job)
        first, second = (listener.accept()[0] for _ in range(2))
        with first, second:
            first.sendall(answer)
            first.shutdown(socket.SHUT_RDWR)
            second.recv(65_536)
            second.sendall(answer)
            load = running.result(60)

    assert load.statuses == {"200": 2}


def test_a_connection_that_breaks_under_a_call_is_a_failure_and_the_next_call_goes_on() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        listener.settimeout(60)
        job = Job("127.0.0.1", listener.getsockname()[1], [GOOD], 0, 30, calls_each=2)
        running = pool.submit(run_load, job)
        listener.accept()[0].close()
        with listener.accept()[0] as again:
            again.recv(65_536)
            again.sendall(answer)
            load = running.result(60)

    assert load.statuses == {"0": 1, "200": 1}
    assert load.failed == 1
