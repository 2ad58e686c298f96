"""The host's side of `ctx` for one run."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RunGloves:
    """What a program may ask its host: whether this is a dry run, and what makes a replay repeat it.

    `seed` is 0 to 2**63 - 1; `started_at` is UTC.
    """

    test: bool
    seed: int
    started_at: datetime
