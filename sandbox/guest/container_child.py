"""One job in a child of a container's guest: compile the program, run it, report, wait to be killed.

A job is a JSON object: `op` ("check" or "run"), `source`, `code` (base64 of what an earlier CODE frame brought, or
None), and for a run `inputs`, `seed`, `test` and `frozen_at` (seconds since the epoch, or None). The host trusts
nothing of what is said here: it only decides what an honest program gets to see.
"""

import base64
import errno
import json
import linecache
import marshal
import os
import resource
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import CodeType, ModuleType
from typing import Any, NoReturn

from sandbox.guest.container_output import replace_standard_streams, wait_until_read
from sandbox.guest.container_repeat import seed_everything, stop_clock
from sandbox.guest.context import Context
from sandbox.guest.exchange import Exchange, call_run
from sandbox.guest.frames import Kind, read_frame, write_frame
from sandbox.guest.report import AGENT_FILE, describe_error, find_fault

CHANNEL = 3
_REHEARSAL = marshal.dumps(compile("def run(inputs):\n    return inputs\n", AGENT_FILE, "exec"))
_DEPTH = "the program is nested too deeply: split its longest expressions or blocks"


class OneProcessExchange(Exchange):
    """An exchange that threads may share, and that is of no use to processes that the program forks."""

    def __init__(self, channel: int) -> None:
        super().__init__(channel)
        self._owner = os.getpid()
        self._lock = threading.Lock()

    def log(self, message: str, fields: Mapping[str, object] | None = None) -> None:
        """Send one log line. Raises RuntimeError in a forked process."""
        self._check_process()
        with self._lock:
            wait_until_read()
            super().log(message, fields)

    def call(self, glove: str, arguments: Mapping[str, object]) -> Any:
        """Ask the host for one thing. Raises RuntimeError in a forked process."""
        self._check_process()
        with self._lock:
            wait_until_read()
            return super().call(glove, arguments)

    def randomness(self) -> None:
        """Tell that the run cannot be repeated; what a forked process does is not known of."""
        if os.getpid() == self._owner:
            with self._lock:
                super().randomness()

    def _check_process(self) -> None:
        if os.getpid() != self._owner:
            raise RuntimeError("ctx belongs to the process that run() was called in")


def serve_one_job(channel: int, printing: int) -> NoReturn:
    """Do the one job that comes over `channel`, then wait for the end. `printing` becomes standard output and error."""
    _settle(channel, printing)
    _rehearse()
    try:
        _, payload = read_frame(CHANNEL)
        _do(json.loads(payload))
    except MemoryError:
        write_frame(CHANNEL, Kind.NO_MEMORY)
    except EOFError:
        os._exit(0)
    while True:
        os.read(CHANNEL, 1)


def _settle(channel: int, printing: int) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    channel, printing = _high(channel), _high(printing)
    os.dup2(nothing, 0)
    os.dup2(printing, 1)
    os.dup2(printing, 2)
    os.dup2(channel, CHANNEL, inheritable=False)
    os.closerange(CHANNEL + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def _rehearse() -> None:
    """Touch ahead of need what every run touches: the first write to a page shared with the guest copies it."""
    names: dict[str, Any] = {}
    exec(marshal.loads(_REHEARSAL), names)
    inputs = json.loads(json.dumps({"a": [1, 2.5, "x"]}))
    find_fault(call_run(names["run"], inputs, None))


def _high(fd: int) -> int:
    """A duplicate that none of the descriptors to be set overwrites."""
    while fd <= CHANNEL:
        fd = os.dup(fd)
    return fd


def _do(job: Mapping[str, Any]) -> None:
    code = marshal.loads(base64.b64decode(job["code"])) if job["code"] else _compile(job["source"])
    if code is not None and job["op"] == "run":
        _run(code, job)


def _compile(source: str) -> CodeType | None:
    try:
        code = compile(source, AGENT_FILE, "exec", dont_inherit=True)
    except SyntaxError as error:
        refusal = _refusal(f"Python cannot read this: {error.msg}", "syntax", error.lineno or 1, error.offset or 1)
    except ValueError as error:  # NUL characters, lone surrogates
        refusal = _refusal(f"the source cannot be read: {error}", "source")
    except (RecursionError, OverflowError):
        refusal = _refusal(_DEPTH, "program")
    else:
        if "run" in code.co_names:
            write_frame(CHANNEL, Kind.CODE, marshal.dumps(code))
            return code
        refusal = _refusal("the program defines no `run` function", "run")
    write_frame(CHANNEL, Kind.REFUSED, json.dumps([refusal]).encode())
    return None


def _refusal(message: str, construct: str, line: int = 1, column: int = 1) -> dict[str, object]:
    return {"line": max(1, line), "column": max(1, column), "construct": construct, "message": message}


def _run(code: CodeType, job: Mapping[str, Any]) -> None:
    exchange = OneProcessExchange(CHANNEL)
    flush = replace_standard_streams(exchange.log)
    if job["frozen_at"] is not None:
        stop_clock(job["frozen_at"])
    seed_everything(job["seed"], exchange.randomness)
    try:
        names = _main_module(job["source"])
        exec(code, names)  # what this process is for
        value = call_run(names["run"], job["inputs"], Context(exchange.log, exchange.call, test=job["test"]))
    except MemoryError:
        raise
    except BaseException as error:  # noqa: BLE001 - an agent may raise anything; all of it is reported
        _flush(flush)
        _report(error)
    else:
        _flush(flush)
        exchange.value(value)


def _main_module(source: str) -> dict[str, Any]:
    """The namespace of a module that pickle, dataclasses and tracebacks find where they look for it."""
    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    linecache.cache[AGENT_FILE] = (len(source), None, source.splitlines(keepends=True), AGENT_FILE)
    return vars(module)


def _flush(flush: Callable[[], None]) -> None:
    with suppress(Exception):  # the program may have put anything in the place of its streams
        flush()
        wait_until_read()


def _report(error: BaseException) -> None:
    told = {**describe_error(error, str), "no_space": _is_no_space(error)}
    write_frame(CHANNEL, Kind.ERROR, json.dumps(told).encode())


def _is_no_space(error: BaseException | None) -> bool:
    """Whether a full disk is behind an exception, perhaps by way of others."""
    for _ in range(10):
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error and (error.__cause__ or error.__context__)
    return False
