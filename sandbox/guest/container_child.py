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
from collections.abc import Mapping
from contextlib import suppress
from types import CodeType, ModuleType
from typing import Any, NoReturn

from sandbox.guest.container_output import Streams, wait_until_read
from sandbox.guest.container_repeat import Randomness, stop_clock
from sandbox.guest.context import Context
from sandbox.guest.exchange import Exchange, call_run
from sandbox.guest.frames import Kind, read_frame, write_frame
from sandbox.guest.report import AGENT_FILE, describe_error

CHANNEL = 3
_REHEARSAL_SOURCE = "def run(inputs, ctx):\n    return {**inputs, 'b': f'{ctx.test}'}\n"
_REHEARSAL = json.dumps({
    "code": base64.b64encode(marshal.dumps(compile(_REHEARSAL_SOURCE, AGENT_FILE, "exec"))).decode(),
    "inputs": {"a": [1, 2.5, "x"]},
}).encode()  # fmt: skip
_DESCRIPTORS_MAX = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
_DEPTH = "the program is nested too deeply: split its longest expressions or blocks"


class OneProcessExchange(Exchange):
    """An exchange that threads may share, and that is of no use to processes that the program forks."""

    def __init__(self, channel: int) -> None:
        super().__init__(channel)
        self._owner = 0
        self._lock = threading.Lock()

    def adopt(self) -> None:
        """Speak for this process from here on."""
        self._owner = os.getpid()

    def is_here(self) -> bool:
        """Whether this is the process that it speaks for."""
        return os.getpid() == self._owner

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
        if self.is_here():
            with self._lock:
                super().randomness()

    def _check_process(self) -> None:
        if not self.is_here():
            raise RuntimeError("ctx belongs to the process that run() was called in")


class Stage:
    """What a child runs its program on.

    The guest makes it and tries it out long before it forks. What a child makes or touches for the first time costs
    its run anew each time, because the first write to a page that it shares with the guest copies that page.
    """

    def __init__(self) -> None:
        self._exchange = OneProcessExchange(CHANNEL)
        self._streams = Streams(self._exchange.log, self._exchange.is_here)
        self._randomness = Randomness(self._exchange.randomness)
        self._context = Context(self._exchange.log, self._exchange.call, test=False)

    def rehearse(self) -> None:
        """Do what every run does, with a program of our own and without leaving anything of it."""
        there, here = os.pipe()
        try:
            write_frame(here, Kind.JOB, _REHEARSAL)
            job = json.loads(read_frame(there)[1])
            exchange = Exchange(here)
            names = vars(ModuleType("__main__"))
            exec(_load(job["code"]), names)
            self._exchange.is_here()
            self._streams.flush()
            exchange.value(call_run(names["run"], job["inputs"], self._context))
        finally:
            os.close(there)
            os.close(here)

    def serve_one_job(self, channel: int, printing: int) -> NoReturn:
        """Do the one job that comes over `channel`, then wait for the end.

        `printing` becomes standard output and error.
        """
        _settle(channel, printing)
        self._exchange.adopt()
        self._streams.install()
        self.rehearse()
        try:
            _, payload = read_frame(CHANNEL)
            self._do(json.loads(payload))
        except MemoryError:
            write_frame(CHANNEL, Kind.NO_MEMORY)
        except EOFError:
            os._exit(0)
        while True:
            os.read(CHANNEL, 1)

    def _do(self, job: Mapping[str, Any]) -> None:
        code = _load(job["code"]) if job["code"] else _compile(job["source"])
        if code is not None and job["op"] == "run":
            self._run(code, job)

    def _run(self, code: CodeType, job: Mapping[str, Any]) -> None:
        self._context.test = job["test"]
        if job["frozen_at"] is not None:
            stop_clock(job["frozen_at"])
        self._randomness.seed(job["seed"])
        try:
            names = _main_module(job["source"])
            exec(code, names)  # what this process is for
            value = call_run(names["run"], job["inputs"], self._context)
        except MemoryError:
            raise
        except BaseException as error:  # noqa: BLE001 - an agent may raise anything; all of it is reported
            self._flush()
            _report(error)
        else:
            self._flush()
            self._exchange.value(value)

    def _flush(self) -> None:
        with suppress(Exception):  # the program may have put anything in the place of its streams
            self._streams.flush()
            wait_until_read()


def _settle(channel: int, printing: int) -> None:
    channel, printing = _high(channel), _high(printing)
    os.dup2(printing, 1)
    os.dup2(printing, 2)
    os.dup2(channel, CHANNEL, inheritable=False)
    os.closerange(CHANNEL + 1, _DESCRIPTORS_MAX)


def _high(fd: int) -> int:
    """A duplicate that none of the descriptors to be set overwrites."""
    while fd <= CHANNEL:
        fd = os.dup(fd)
    return fd


def _load(code: str) -> CodeType:
    loaded: CodeType = marshal.loads(base64.b64decode(code))
    return loaded


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


def _main_module(source: str) -> dict[str, Any]:
    """The namespace of a module that pickle, dataclasses and tracebacks find where they look for it."""
    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    linecache.cache[AGENT_FILE] = (len(source), None, source.splitlines(keepends=True), AGENT_FILE)
    return vars(module)


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
