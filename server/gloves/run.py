"""The host's side of `ctx` for one run."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sandbox.types import LogLine


def drop_line(line: LogLine) -> None:
    """What becomes of log lines that nobody follows: the result has them."""


@dataclass(frozen=True, slots=True)
class RunGloves:
    """What a program may ask its host: whether this is a dry run, and what makes a replay repeat it.

    `seed` is 0 to 2**63 - 1; `started_at` is UTC; `log` takes each log line as soon as it comes.
    """

    test: bool
    seed: int
    started_at: datetime
    log: Callable[[LogLine], None] = drop_line
