"""What of a program the interpreter lacks, as far as its source shows: told before anything runs.

A confined child reads the source and lists what it takes from the language; the interpreter is then asked for each,
and at last parses the program without running its first line.
"""

import asyncio
import re
import socket
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic_monty import MontyRuntimeError, MontySyntaxError

from sandbox import untrusted
from sandbox.errors import SandboxLostError
from sandbox.guest.frames import HEADER, Kind
from sandbox.monty.assembly import Assembly
from sandbox.monty.endings import describe
from sandbox.monty.inability import BUILTIN_NAMES, what_is_missing
from sandbox.monty.session import Heard, Run
from sandbox.types import JsonValue, Limits, LogLine, Refusal

CHECK_LIMITS = Limits(wall_ms_max=8_000, memory_bytes_max=256 * 1024 * 1024)
_INSPECT_S_MAX = 10.0
_FINDINGS_BYTES_MAX = 1024 * 1024
_PACKAGES = Path(__file__).parents[2]
_RUN_INSPECTOR = (
    f"import runpy, sys; sys.path.insert(0, {str(_PACKAGES)!r}); "
    "runpy.run_module('sandbox.guest.inspector', run_name='__main__', alter_sys=True)"
)
# Special methods that the interpreter calls as Python does; it would pass the others over in silence.
SPECIAL_METHODS = frozenset(
    {"__init__", "__post_init__", "__eq__", "__hash__", "__iter__", "__next__", "__getitem__", "__setitem__"}
    | {"__contains__", "__add__", "__radd__", "__call__", "__str__", "__repr__", "__enter__", "__exit__"}
)
# Fresh objects of the types whose methods a program may ask for.
_METHODS: dict[str, frozenset[str]] = {
    "''": frozenset(dir(str)),
    "b''": frozenset(dir(bytes)),
    "[]": frozenset(dir(list)),
    "{}": frozenset(dir(dict)),
    "set()": frozenset(dir(set)),
    "()": frozenset(dir(tuple)),
    "1": frozenset(dir(int)),
    "1.0": frozenset(dir(float)),
    "range(3)": frozenset(dir(range)),
    "re.match('a', 'a')": frozenset(dir(re.Match)),
    "re.compile('a')": frozenset(dir(re.Pattern)),
    "datetime.datetime(2000, 1, 1)": frozenset(dir(datetime)),
    "datetime.timedelta(1)": frozenset(dir(timedelta)),
    "decimal.Decimal(1)": frozenset(dir(Decimal)),
    "collections.Counter()": frozenset(dir(Counter)),
    "collections.deque()": frozenset(dir(deque)),
    "ValueError('')": frozenset(dir(ValueError)),
    "datetime.datetime": frozenset(dir(datetime)),
    "datetime.date": frozenset(dir(date)),
    "dict": frozenset(dir(dict)),
    "int": frozenset(dir(int)),
    "str": frozenset(dir(str)),
    "bytes": frozenset(dir(bytes)),
    "float": frozenset(dir(float)),
    "itertools.chain": frozenset(dir(chain)),
}
_TOO_MUCH = Refusal(1, 1, "program", "compiling the program takes too much time or memory: make it smaller")

Perform = Callable[[Run, Limits], Awaitable[Heard]]


class Checker:
    """Checks sources.

    Args:
        uid: what the confined child runs as when this process is root.
    """

    def __init__(self, uid: int) -> None:
        self._uid = uid

    async def check(self, source: str, perform: Perform) -> tuple[Refusal, ...]:
        """What the interpreter lacks, in source order; empty when the program may run.

        Args:
            source: the program.
            perform: runs a program of ours in a session.

        Raises SandboxLostError when nothing could be decided.
        """
        inspected = await self._inspect(source)
        if not isinstance(inspected, dict):
            return inspected
        refusals = _refuse_what_shows(inspected)
        questions = list(_questions(inspected))
        heard = await perform(_probe(_ask(questions)), CHECK_LIMITS)
        if heard.condemned is not None:
            return (_TOO_MUCH,)
        if heard.answer is None:
            raise SandboxLostError(f"the interpreter could not be asked: {heard.error}")
        # What is told here was told by a program of ours, in an interpreter that nothing of the agent's has been in.
        absent = untrusted.read_result((heard.answer[0] or "[]").encode())
        refusals += _without_their_modules([questions[index][1] for index in absent])
        refusals += await _parse(source, perform)
        return tuple(sorted(set(refusals), key=lambda refusal: (refusal.line, refusal.column)))

    async def _inspect(self, source: str) -> dict[str, Any] | tuple[Refusal, ...]:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        command = [sys.executable, "-IBS", "-X", "utf8", "-c", _RUN_INSPECTOR, str(theirs.fileno()), str(self._uid)]
        with theirs:
            process = subprocess.Popen(  # noqa: ASYNC220, S603 - spawning takes a few ms, and the command is ours
                command,
                env={},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        try:
            async with asyncio.timeout(_INSPECT_S_MAX):
                answered = await _exchange(ours, source.encode())
        except TimeoutError:
            return (_TOO_MUCH,)
        finally:
            ours.close()
            process.kill()
            await asyncio.to_thread(process.wait, _INSPECT_S_MAX)
        if answered is None:
            return (_TOO_MUCH,)
        kind, payload = answered
        try:
            if kind == Kind.REFUSED:
                return untrusted.read_refusals(payload)
            found = untrusted.read_result(payload)
        except untrusted.UnreadableError as error:
            raise SandboxLostError("a child that only reads sent what cannot be read") from error
        if not isinstance(found, dict):
            raise SandboxLostError("a child that only reads sent what cannot be read")
        return found


class _NoGloves:
    """For programs of ours, which have none."""

    owner = ""
    test = True
    seed = 0
    started_at = datetime(2026, 1, 1, tzinfo=UTC)
    frozen_clock = True

    async def call(self, glove: str, arguments: object) -> JsonValue:
        """Nothing calls one."""
        raise AssertionError(glove)

    def log(self, line: LogLine) -> None:
        """Nothing is logged."""


def _probe(source: str) -> Run:
    return Run(source, {}, CHECK_LIMITS, _NoGloves(), arity=0, probing=True)


async def _exchange(channel: socket.socket, source: bytes) -> tuple[int, bytes] | None:
    """Send the source, return the one frame that comes back; None when the child died instead."""
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_sendall(channel, HEADER.pack(Kind.JOB, len(source)) + source)
        head = await _receive(channel, HEADER.size)
        if head is None:
            return None
        kind, length = HEADER.unpack(head)
        payload = await _receive(channel, length) if length <= _FINDINGS_BYTES_MAX else None
    except ConnectionError:
        return None
    return None if payload is None else (kind, payload)


async def _receive(channel: socket.socket, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        part = await asyncio.get_running_loop().sock_recv(channel, count - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)


def _refuse_what_shows(found: dict[str, Any]) -> list[Refusal]:
    refusals = [
        Refusal(line, column, "special method", f"{name} is not called in this tier")
        for name, line, column in found["special"]
        if name not in SPECIAL_METHODS
    ]
    refusals += [
        Refusal(line, column, "set order", "sets keep another order in this tier: iterate over sorted(...) instead")
        for line, column in found["set_orders"]
    ]
    refusals += [
        Refusal(line, column, "hasattr", "this tier does not tell which methods an object has: use isinstance()")
        for line, column in found["guesses"]
    ]
    refusals += [
        Refusal(line, column, "generator", "generator expressions are made at once in this tier: write a loop")
        for line, column in found["generators"]
    ]
    if not found["run"]:
        refusals.append(Refusal(1, 1, "program", "the program defines no function `run`"))
    return refusals


def _questions(found: dict[str, Any]) -> Iterable[tuple[str, Refusal]]:
    """Statements that raise where the interpreter lacks something, each with what to say then."""
    for module, name, line, column in found["imports"]:
        if module.startswith("."):
            yield (
                "raise ImportError",
                Refusal(line, column, "import", "an agent is one module: there is nothing beside it"),
            )
            continue
        if name and name != "*":
            yield f"from {module} import {name}", Refusal(line, column, "import", f"{module}.{name} is not available")
        if not name or name == "*":
            yield f"import {module}", Refusal(line, column, "import", f"module {module} is not available")
        else:
            yield (
                f"import {module.partition('.')[0]}",
                Refusal(line, column, "import", f"module {module} is not available"),
            )
    for name, line, column in found["names"]:
        if name in BUILTIN_NAMES:
            statement = "object()" if name == "object" else name
            yield statement, Refusal(line, column, "name", f"{name} is not available")
    for module, name, line, column in found["module_attributes"]:
        refusal = Refusal(line, column, "attribute", f"{module}.{name} is not available")
        yield f"import {module} as _gbx_module; _gbx_module.{name}", refusal
    for name, line, column in found["methods"]:
        samples = [sample for sample, methods in _METHODS.items() if name in methods]
        if samples:
            yield _any_has(name, samples), Refusal(line, column, "method", f"the method {name} is not available")


def _without_their_modules(refusals: list[Refusal]) -> list[Refusal]:
    """A module that is absent is told of once, not with everything in it."""
    absent = [refusal.message.split()[1] for refusal in refusals if refusal.message.startswith("module ")]
    return [
        refusal
        for refusal in refusals
        if not any(refusal.message.startswith(f"{module}.") for module in absent) or refusal.construct == "method"
    ]


def _any_has(name: str, samples: list[str]) -> str:
    # What is a method can be called and not read here; what is none can only be read.
    tries = [f"lambda: ({sample}).{name}{call}" for sample in samples for call in ("()", "")]
    return f"_gbx_has({', '.join(tries)})"


def _ask(questions: list[tuple[str, Refusal]]) -> str:
    """A program whose `run` answers with the numbers of the questions that are answered no."""
    lines = [
        "import collections, datetime, decimal, itertools, re",
        "def _gbx_has(*tries):",
        "    for one in tries:",
        "        try:",
        "            one()",
        "            return",
        "        except AttributeError:",
        "            pass",
        "        except Exception:",
        "            return",
        "    raise AttributeError('none')",
        "absent = []",
    ]
    for index, (statement, _) in enumerate(questions):
        lines += ["try:", f"    {statement}", "except Exception:", f"    absent.append({index})"]
    return "\n".join([*lines, "def run():", "    return absent"])


async def _parse(source: str, perform: Perform) -> list[Refusal]:
    """What the interpreter's own parser refuses: the program is preceded by a line that raises."""
    heard = await perform(_probe(f"_gbx_stop\n{source}"), CHECK_LIMITS)
    error, assembled = heard.error, heard.assembled
    if heard.condemned is not None:
        return [_TOO_MUCH]
    if assembled is None or not isinstance(error, MontySyntaxError | MontyRuntimeError):
        return [] if error is None else [_TOO_MUCH]
    told = describe(error, Assembly(assembled.text, assembled.offset + 1, assembled.lines - 1, assembled.call_line))
    line = told.line or 1
    if isinstance(error, MontySyntaxError):
        return [Refusal(line, 1, "syntax", told.message)]
    missing = what_is_missing(told.type, told.message, None) if told.type == "NotImplementedError" else None
    return [] if missing is None else [Refusal(line, 1, "syntax", missing)]
