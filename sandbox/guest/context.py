"""`ctx`, as agent code sees it: the same in every tier."""

from collections.abc import Callable, Mapping
from typing import Protocol


class WriteLog(Protocol):
    """Sends one log line to the host."""

    def __call__(self, message: str, fields: Mapping[str, object] | None = None) -> None:
        """Send it."""


class Context:
    """What an agent may ask of its host."""

    __slots__ = ("log", "test")

    log: Callable[..., None]

    def __init__(self, write_log: WriteLog, *, test: bool) -> None:
        def log(message: object, **fields: object) -> None:
            """Write a log line with named values."""
            write_log(str(message), fields)

        self.log = log
        self.test = test
