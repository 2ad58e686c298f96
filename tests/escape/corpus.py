"""The corpus of hostile programs and the well-behaved programs, as data."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOSTILE = Path(__file__).parent / "programs"
ORDINARY = Path(__file__).parent.parent / "programs"
_HEADER = re.compile(r"^(Technique|expect|control): (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Hostile:
    """One attempt to escape. `expect`: rejected, failed or contained. `control`: escapes, or none and why."""

    name: str
    source: str
    technique: str
    expect: str
    control: str

    @property
    def applies_to_plain_python(self) -> bool:
        return self.control == "escapes"


@dataclass(frozen=True)
class Ordinary:
    """One program of the kind that models write, with what it answers."""

    name: str
    source: str
    inputs: dict[str, Any]
    expect: Any


def read_hostile() -> list[Hostile]:
    """In order of number."""
    return [_read_hostile(path) for path in sorted(HOSTILE.glob("*.py"))]


def _read_hostile(path: Path) -> Hostile:
    source = path.read_text(encoding="utf-8")
    header = dict(_HEADER.findall(source))
    return Hostile(path.stem, source, header["Technique"], header["expect"], header["control"])


def read_ordinary() -> list[Ordinary]:
    """In order of number."""
    return [_read_ordinary(path) for path in sorted(ORDINARY.glob("*.py"))]


def _read_ordinary(path: Path) -> Ordinary:
    source = path.read_text(encoding="utf-8")
    inputs, expect = source.splitlines()[-2:]
    return Ordinary(
        path.stem,
        source,
        json.loads(inputs.removeprefix("# inputs: ")),
        json.loads(expect.removeprefix("# expect: ")),
    )
