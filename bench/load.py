"""The load generator: many connections in one thread of a process of its own, whose share of the CPU is told.

It reads one JSON object from standard input (see `Job`) and writes two lines to standard output: one when the warm-up
is over and the measured time begins, and what came of it (see `Load`), so that whoever started it can read the CPU
time of others at the same two moments.
"""

import json
import resource
import selectors
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.wire import ANSWER_S_MAX, dial, read_answer

BEGUN = "begun\n"
_BROKEN_MAX = 100
_BROKEN = 0  # in place of a status
_READ_BYTES = 65_536
_LAUNCHER = "import sys; sys.path.insert(0, sys.argv[1]); from bench.load import main; main()"


@dataclass(frozen=True)
class Job:
    """What to send: one connection per request, which is sent again and again.

    `calls_each` ends each connection after so many answers, with `seconds` as the bound; None goes on for `seconds`.
    """

    host: str
    port: int
    requests: Sequence[str]
    warm_up_s: float
    seconds: float
    calls_each: int | None = None


@dataclass(frozen=True)
class Load:
    """What came of the calls that began after the warm-up. `statuses` counts all of them, 0 for a broken connection."""

    durations_s: Sequence[float]
    statuses: Mapping[str, int]
    elapsed_s: float
    cpu_s: float

    @property
    def failed(self) -> int:
        """How many did not get a 200."""
        return sum(count for status, count in self.statuses.items() if status != "200")


def run_load(job: Job, at_begin: Callable[[], None] = lambda: None) -> Load:
    """Run the job in a process of its own. `at_begin` is called when the warm-up is over.

    Raises:
        RuntimeError: the process ended without a result; it said why on standard error.
    """
    command = [sys.executable, "-IB", "-c", _LAUNCHER, str(Path(__file__).parents[1])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdin is not None  # noqa: S101 - a pipe was asked for
            assert process.stdout is not None  # noqa: S101 - as above
            process.stdin.write(json.dumps(asdict(job)))
            process.stdin.close()
            if process.stdout.readline() == BEGUN:
                at_begin()
                if told := process.stdout.readline():
                    load = Load(**json.loads(told))
                    if load.failed:
                        sys.stderr.write(f"answers by status: {load.statuses}\n")
                    return load
        finally:
            process.kill()
    raise RuntimeError("the load generator ended without a result")


def main() -> None:
    """Do what standard input says."""
    job = Job(**json.loads(sys.stdin.read()))
    generator = _Generator(job)
    if job.warm_up_s:
        generator.run(job.warm_up_s, None)
    sys.stdout.write(BEGUN)
    sys.stdout.flush()
    load = generator.run(job.seconds, job.calls_each)
    sys.stdout.write(f"{json.dumps(asdict(load))}\n")


@dataclass(slots=True)
class _Caller:
    """One connection and the request that it repeats."""

    socket: socket.socket
    request: bytes
    began_at: float = 0.0
    answers: int = 0
    received: bytearray = field(default_factory=bytearray)


class _Generator:
    """One phase at a time: every caller calls until the time is up or it has its share of answers."""

    def __init__(self, job: Job) -> None:
        self._address = (job.host, job.port)
        self._callers = [_Caller(dial(*self._address), text.encode()) for text in job.requests]
        self._selector = selectors.DefaultSelector()

    def run(self, seconds: float, calls_each: int | None) -> Load:
        """Raises TimeoutError when no answer at all comes for `ANSWER_S_MAX`."""
        self._durations: list[float] = []
        self._statuses: Counter[int] = Counter()
        self._calls_each = calls_each
        cpu_s, started = _own_cpu_s(), time.perf_counter()
        self._until = started + seconds
        self._waiting = len(self._callers)
        for caller in self._callers:
            self._selector.register(caller.socket, selectors.EVENT_READ, caller)
            caller.answers = 0
            self._send(caller)
        while self._waiting:
            ready = self._selector.select(ANSWER_S_MAX)
            if not ready:
                raise TimeoutError(f"no answer within {ANSWER_S_MAX:.0f} s")
            for key, _ in ready:
                self._receive(key.data)
        elapsed = time.perf_counter() - started
        statuses = {str(status): count for status, count in self._statuses.items()}
        return Load(self._durations, statuses, elapsed, _own_cpu_s() - cpu_s)

    def _send(self, caller: _Caller) -> None:
        caller.received.clear()
        caller.began_at = time.perf_counter()
        with suppress(ConnectionError):  # reading will tell
            caller.socket.sendall(caller.request)

    def _receive(self, caller: _Caller) -> None:
        try:
            some = caller.socket.recv(_READ_BYTES)
        except ConnectionError:
            some = b""
        caller.received += some
        answer = read_answer(caller.received)
        if answer is not None:
            self._note(caller, answer[0])
        elif not some:
            self._redial(caller)

    def _note(self, caller: _Caller, status: int) -> None:
        now = time.perf_counter()
        self._durations.append(now - caller.began_at)
        self._statuses[status] += 1
        caller.answers += 1
        if now < self._until and caller.answers != self._calls_each:
            self._send(caller)
        else:
            # A server may end a connection that has nothing to do: that is nobody's failure.
            self._selector.unregister(caller.socket)
            self._waiting -= 1

    def _redial(self, caller: _Caller) -> None:
        """A broken connection is a failed call, and the next one goes over a new connection."""
        self._selector.unregister(caller.socket)
        caller.socket.close()
        if self._statuses[_BROKEN] >= _BROKEN_MAX:
            raise ConnectionError(f"{_BROKEN_MAX} connections broke")
        caller.socket = dial(*self._address)
        self._selector.register(caller.socket, selectors.EVENT_READ, caller)
        self._note(caller, _BROKEN)


def _own_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
