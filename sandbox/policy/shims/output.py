"""Where text goes that library code prints: the log of the run."""

from collections.abc import Callable


def _drop(text: str) -> None:
    """Before a run there is no log."""


_write: Callable[[str], None] = _drop


def direct_output(write: Callable[[str], None]) -> None:
    """Send what `pprint` and `logging` print to `write`, one line of the log per call."""
    global _write
    _write = write


def write_output(text: str) -> None:
    """Write one line of the log."""
    _write(text)
