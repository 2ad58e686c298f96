"""`pprint` to the log of the run instead of a stream."""

import pprint as original
from typing import Any

from sandbox.policy.shims.output import write_output

__all__ = ["PrettyPrinter", "pp", "pprint"]


class _LogStream:
    """Collects what a `PrettyPrinter` writes; every whole text becomes one line of the log."""

    def __init__(self) -> None:
        self._parts: list[str] = []

    def write(self, text: str) -> None:
        self._parts.append(text)
        if text.endswith("\n"):
            write_output("".join(self._parts).rstrip("\n"))
            self._parts.clear()


class PrettyPrinter(original.PrettyPrinter):
    """`pprint.PrettyPrinter`; prints to the log unless it is given a stream of the program's own."""

    def __init__(
        self, indent: int = 1, width: int = 80, depth: int | None = None, stream: Any = None, **kw: Any
    ) -> None:
        log: Any = _LogStream()
        super().__init__(indent, width, depth, log if stream is None else stream, **kw)


def pprint(object: Any, stream: Any = None, *args: Any, **kwargs: Any) -> None:  # noqa: A002 - the library's name
    """Print a value over several lines."""
    if stream is None:
        write_output(original.pformat(object, *args, **kwargs))
    else:
        stream.write(original.pformat(object, *args, **kwargs) + "\n")


def pp(object: Any, *args: Any, sort_dicts: bool = False, **kwargs: Any) -> None:  # noqa: A002
    """Print a value over several lines, dicts in their own order."""
    pprint(object, *args, sort_dicts=sort_dicts, **kwargs)
