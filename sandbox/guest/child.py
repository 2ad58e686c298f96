"""One job in a sealed child: compile or take the compiled program, run it, report, wait for the end.

A job is a marshalled dict: `op` ("check" or "run"), `rlimits` (hard caps by resource), `source` or `code` (the
marshalled code object of an earlier CODE frame), and for a run `inputs`, `seed`, `test`. Nothing here is trusted by the
host: it only decides what an honest program gets to see.
"""

import inspect
import json
import marshal
import os
import random
import resource
from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import CodeType
from typing import Any, NoReturn, Protocol

from sandbox.guest.context import Context
from sandbox.guest.frames import Kind, read_frame, write_frame
from sandbox.guest.report import RESULT_DEPTH_MAX, describe_error, find_fault
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


def serve_one_job(language: Language) -> NoReturn:
    """Report that the wall stands, do one job, then wait to be killed."""
    write_frame(CHANNEL, Kind.READY)
    try:
        _, payload = read_frame(CHANNEL)
        _do(marshal.loads(payload), language)
    except MemoryError:
        write_frame(CHANNEL, Kind.NO_MEMORY)
    except EOFError:
        os._exit(0)
    # The host reads this process's usage before it kills it.
    os.read(CHANNEL, 1)
    os._exit(0)


def _do(job: Mapping[str, Any], language: Language) -> None:
    for limit, value in job["rlimits"].items():
        resource.setrlimit(limit, (value, value))
    code = marshal.loads(job["code"]) if job["code"] else _compile(job["source"], language)
    if code is not None and job["op"] == "run":
        _run(code, job, language)


def _compile(source: str, language: Language) -> CodeType | None:
    try:
        compiled = language.compile_program(source)
    except RecursionError:
        refusal = Refusal(1, 1, "program", "the program is nested too deeply: split its longest expressions or blocks")
        write_frame(CHANNEL, Kind.REFUSED, _encode([asdict(refusal)]))
        return None
    if compiled.code is None:
        write_frame(CHANNEL, Kind.REFUSED, _encode([asdict(refusal) for refusal in compiled.refusals]))
        return None
    write_frame(CHANNEL, Kind.CODE, marshal.dumps(compiled.code))
    return compiled.code


def _run(code: CodeType, job: Mapping[str, Any], language: Language) -> None:
    random.seed(job["seed"])
    try:
        names = language.guest_globals(_write_log)
        exec(code, names)  # what this process is for
        value = _call(names["run"], job["inputs"], Context(_write_log, test=job["test"]))
    except MemoryError:
        raise
    except BaseException as error:  # noqa: BLE001 - an agent may raise anything; all of it is reported
        write_frame(CHANNEL, Kind.ERROR, _encode(describe_error(error, language.author_name)))
    else:
        _send_value(value)


def _call(run: Any, inputs: object, context: Context) -> object:
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(run).parameters.values()
    if any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters):
        return run(inputs, context)
    count = sum(parameter.kind in positional for parameter in parameters)
    return run(*(inputs, context)[:count])


def _send_value(value: object) -> None:
    fault = find_fault(value)
    if fault is None:
        try:
            text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        except (TypeError, ValueError) as error:
            fault = str(error)
        else:
            write_frame(CHANNEL, Kind.VALUE, text)
            return
    write_frame(CHANNEL, Kind.BAD_RESULT, _encode({"type": "BadResult", "message": fault}))


def _write_log(message: str, fields: Mapping[str, object] | None = None) -> None:
    fields = fields or {}
    try:
        text = json.dumps({"message": message, "fields": fields}, default=repr, skipkeys=True, allow_nan=False)
    except (ValueError, RecursionError):  # NaN, or a value that contains itself
        text = ""
    if not text or text.count("[") + text.count("{") > RESULT_DEPTH_MAX:  # perhaps deeper than the host reads
        text = json.dumps({"message": message, "fields": {name: repr(value) for name, value in fields.items()}})
    write_frame(CHANNEL, Kind.LOG, text.encode())


def _encode(value: object) -> bytes:
    return json.dumps(value).encode()
