"""The words that every tier shares: what goes into a run, what comes out of it, and the wall around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias

JsonValue: TypeAlias = "Mapping[str, JsonValue] | Sequence[JsonValue] | str | int | float | bool | None"
Inputs: TypeAlias = Mapping[str, JsonValue]

SOURCE_BYTES_MAX = 256 * 1024


class Tier(StrEnum):
    """The kind of sandbox."""

    RESTRICTED = "restricted"  # RestrictedPython under a kernel wall


class Outcome(StrEnum):
    """How a sandbox execution ended. Every value is a normal result, not a sandbox fault."""

    SUCCEEDED = "succeeded"  # returned JSON
    FAILED = "failed"  # uncaught exception, `sys.exit`, or the process died by itself
    BAD_RESULT = "bad_result"  # what it returned is not JSON, or too large
    REJECTED = "rejected"  # refused by the policy; nothing ran
    TIMED_OUT = "timed_out"  # killed at `wall_ms_max` or `cpu_ms_max`
    OUT_OF_MEMORY = "out_of_memory"  # stopped at `memory_bytes_max`
    TOO_MUCH_OUTPUT = "too_much_output"  # killed at `output_bytes_max` of logs or result
    CANCELLED = "cancelled"  # by the owner


@dataclass(frozen=True, slots=True)
class Program:
    """Python source of an agent, UTF-8, at most `SOURCE_BYTES_MAX` bytes.

    It defines `run()`, `run(inputs)` or `run(inputs, ctx)`.
    """

    source: str


@dataclass(frozen=True, slots=True)
class Limits:
    """Hard caps of one run, enforced from outside. Times in ms, sizes in bytes."""

    wall_ms_max: int = 10_000
    cpu_ms_max: int = 5_000
    memory_bytes_max: int = 128 * 1024 * 1024
    output_bytes_max: int = 1024 * 1024


CEILINGS = Limits(
    wall_ms_max=300_000,
    cpu_ms_max=120_000,
    memory_bytes_max=2 * 1024**3,
    output_bytes_max=16 * 1024**2,
)


class Gloves(Protocol):
    """The host's side of `ctx` for one run."""

    @property
    def test(self) -> bool:
        """True in a dry run."""

    @property
    def seed(self) -> int:
        """What `random` is seeded from: 0 to 2**63 - 1."""

    @property
    def started_at(self) -> datetime:
        """The run's start, UTC."""

    def log(self, line: "LogLine") -> None:
        """Take one log line as soon as it comes; the result has all of them again. Must not wait, nor raise."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One `print` or `ctx.log` line, cut to the run's bound. `at_ms` counts from the start of the run."""

    at_ms: int
    message: str
    fields: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Effect:
    """One recorded glove call: what was asked, what came back, performed or withheld."""

    glove: str
    request: JsonValue
    response: JsonValue
    performed: bool


@dataclass(frozen=True, slots=True)
class ProgramError:
    """What went wrong in the agent's code, built from type and text only.

    `line` and `column` are the author's, from 1, None when unknown. `traceback` holds the author's own frames only.
    """

    type: str
    message: str
    line: int | None = None
    column: int | None = None
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a run used, measured by the host."""

    wall_ms: int = 0
    cpu_ms: int = 0
    peak_memory_bytes: int = 0
    output_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """How one run ended. `value` is None unless `outcome` is succeeded; `error` is None only then."""

    outcome: Outcome
    value: JsonValue = None
    error: ProgramError | None = None
    logs: tuple[LogLine, ...] = ()
    effects: tuple[Effect, ...] = ()
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class Refusal:
    """One construct that the policy refuses, at the author's line and column (from 1), and what to write instead."""

    line: int
    column: int
    construct: str
    message: str


class WallKind(StrEnum):
    """How complete the wall around a run is."""

    FULL = "full"
    MINIMUM = "minimum"


@dataclass(frozen=True, slots=True)
class Wall:
    """What separates a run from the host; recorded with every run.

    `missing` is empty when `kind` is full; `pieces` is what stands.
    """

    kind: WallKind
    missing: tuple[str, ...] = ()
    pieces: tuple[str, ...] = ()
