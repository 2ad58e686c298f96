"""One job in a sealed child: compile or take the compiled program, run it, report, wait for the end.

A job is a marshalled dict: `op` ("check" or "run"), `rlimits` (hard caps by resource), `source` or `code` (the
marshalled code object of an earlier CODE frame), and for a run `inputs`, `seed`, `test`, `frozen_clock` and
`started_at` (seconds since the epoch). Nothing here is trusted by the host: it only decides what an honest program gets
to see.
"""

import json
import marshal
import os
import random
import resource
import socket
from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import CodeType
from typing import Any, NoReturn, Protocol

from sandbox.guest.context import Context
from sandbox.guest.exchange import Exchange, call_run
from sandbox.guest.frames import Kind, read_frame, write_frame
from sandbox.guest.wall import CHANNEL
from sandbox.types import Refusal


class Compiled(Protocol):
    """A program after the policy looked at it: code, or refusals."""

    @property
    def code(self) -> CodeType | None:
        """None when anything was refused."""

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """In source order."""


class Language(Protocol):
    """The module that says what programs may be: `sandbox.policy`."""

    def preload(self) -> None:
        """Import whatever a program may need later; nothing can be opened behind the wall."""

    def compile_program(self, source: str, filename: str = ...) -> Compiled:
        """Parse, check and compile."""

    def author_name(self, text: str) -> str:
        """The text with every name as the author wrote it."""

    def guest_globals(self, write_log: Callable[[str], None]) -> dict[str, object]:
        """The fresh global names of one run."""

    def stop_clock(self, at: float) -> None:
        """Let programs see this moment, in seconds since the epoch, however long they run."""

    def randomness_used(self) -> bool:
        """Whether the run drew on randomness that no seed repeats."""


# What every run does, and nothing that a later one could see.
REHEARSAL = "def run(inputs):\n    print(inputs['line'])\n    return inputs\n"
_REHEARSED = {
    "op": "run",
    "rlimits": {},
    "source": None,
    "inputs": {"line": ""},
    "seed": 0,
    "test": False,
    "frozen_clock": False,
    "started_at": 0.0,
}


def rehearse(language: Language, code: CodeType) -> None:
    """Do a job of ours, the compiled `REHEARSAL`, whose frames nobody reads.

    The first write of a forked process to any page makes the kernel copy it: some 270 times in the shortest run, which
    is most of its time. Rehearsed ahead of need, they are nobody's to wait for.
    """
    host, guest = socket.socketpair()
    with host, guest:
        write_frame(host.fileno(), Kind.JOB, marshal.dumps({**_REHEARSED, "code": marshal.dumps(code)}))
        _, payload = read_frame(guest.fileno())
        _do(marshal.loads(payload), language, guest.fileno())


def serve_one_job(language: Language) -> NoReturn:
    """Report that the wall stands, do one job, then wait to be killed."""
    write_frame(CHANNEL, Kind.READY)
    try:
        _, payload = read_frame(CHANNEL)
        _do(marshal.loads(payload), language, CHANNEL)
    except MemoryError:
        write_frame(CHANNEL, Kind.NO_MEMORY)
    except EOFError:
        os._exit(0)
    # The host reads this process's usage before it kills it.
    os.read(CHANNEL, 1)
    os._exit(0)


def _do(job: Mapping[str, Any], language: Language, channel: int) -> None:
    for limit, value in job["rlimits"].items():
        resource.setrlimit(limit, (value, value))
    code = marshal.loads(job["code"]) if job["code"] else _compile(job["source"], language, channel)
    if code is not None and job["op"] == "run":
        _run(code, job, language, channel)


def _compile(source: str, language: Language, channel: int) -> CodeType | None:
    try:
        compiled = language.compile_program(source)
    except RecursionError:
        refusal = Refusal(1, 1, "program", "the program is nested too deeply: split its longest expressions or blocks")
        write_frame(channel, Kind.REFUSED, _encode([asdict(refusal)]))
        return None
    if compiled.code is None:
        write_frame(channel, Kind.REFUSED, _encode([asdict(refusal) for refusal in compiled.refusals]))
        return None
    write_frame(channel, Kind.CODE, marshal.dumps(compiled.code))
    return compiled.code


def _run(code: CodeType, job: Mapping[str, Any], language: Language, channel: int) -> None:
    random.seed(job["seed"])
    if job["frozen_clock"]:
        language.stop_clock(job["started_at"])
    exchange = Exchange(channel)
    try:
        names = language.guest_globals(exchange.log)
        exec(code, names)  # what this process is for
        value = call_run(names["run"], job["inputs"], Context(exchange.log, exchange.call, test=job["test"]))
    except MemoryError:
        raise
    except BaseException as error:  # noqa: BLE001 - an agent may raise anything; all of it is reported
        _tell_randomness(exchange, language)
        exchange.error(error, language.author_name)
    else:
        _tell_randomness(exchange, language)
        exchange.value(value)


def _tell_randomness(exchange: Exchange, language: Language) -> None:
    if language.randomness_used():
        exchange.randomness()


def _encode(value: object) -> bytes:
    return json.dumps(value).encode()
