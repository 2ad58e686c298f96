"""The harmless part of `sys`."""

import sys
from typing import NoReturn

__all__ = ["exit", "setrecursionlimit"]

# Deeper, most recursions through library code written in C overflow the stack of 8 MiB and end the process before any
# RecursionError.
_RECURSION_MAX = 10_000


def exit(status: object = None, /) -> NoReturn:  # noqa: A001 - the library's name
    """Raise SystemExit, which ends the run as failed."""
    raise SystemExit(status)


def setrecursionlimit(limit: int, /) -> None:
    """`sys.setrecursionlimit`, up to 10,000; programs ask for much more than they need."""
    sys.setrecursionlimit(min(limit, _RECURSION_MAX))
