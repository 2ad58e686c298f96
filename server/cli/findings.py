"""What a check of `glovebox doctor` comes to."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"  # works, but weaker or smaller than it could
    FAIL = "fail"  # does not work


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. `fix` is what to do, None when there is nothing to do."""

    check: str
    level: Level
    detail: str
    fix: str | None = None
