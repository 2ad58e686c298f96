"""A language without a policy: plain CPython, to show in tests that the kernel wall holds by itself.

Give `language="sandbox.testing"` to `RestrictedSandbox` and every program runs unchecked behind the same wall.
"""

import builtins
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType

from sandbox.types import Refusal


@dataclass(frozen=True, slots=True)
class PlainProgram:
    """A compiled program that nobody looked at."""

    code: CodeType
    refusals: tuple[Refusal, ...] = ()


def preload() -> None:
    """Import what hostile programs like to find already there."""
    import asyncio
    import ctypes
    import mmap
    import multiprocessing
    import signal
    import socket
    import subprocess
    import threading

    del asyncio, ctypes, mmap, multiprocessing, signal, socket, subprocess, threading


def compile_program(source: str, filename: str = "agent.py") -> PlainProgram:
    """Compile without any check. Raises SyntaxError."""
    return PlainProgram(compile(source, filename, "exec", dont_inherit=True))


def author_name(text: str) -> str:
    """Nothing was renamed."""
    return text


def randomness_used() -> bool:
    """Nobody watches."""
    return False


def guest_globals(write_log: Callable[[str], None]) -> dict[str, object]:
    """Every builtin there is; `print` becomes log lines."""

    def print_line(*values: object) -> None:
        write_log(" ".join(str(value) for value in values))

    return {"__builtins__": {**vars(builtins), "print": print_line}, "__name__": "__main__"}
