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
    """The kind of sandbox, from the smallest to the largest."""

    MONTY = "monty"  # an interpreter that has no operating system
    RESTRICTED = "restricted"  # RestrictedPython under a kernel wall
    DOCKER = "docker"  # plain CPython in a hardened container


class Outcome(StrEnum):
    """How a sandbox execution ended. Every value is a normal result, not a sandbox fault."""

    SUCCEEDED = "succeeded"  # returned JSON
    FAILED = "failed"  # uncaught exception, `sys.exit`, or the process died by itself
    BAD_RESULT = "bad_result"  # what it returned is not JSON, or too large
    REJECTED = "rejected"  # refused by the policy; nothing ran
    TIMED_OUT = "timed_out"  # killed at `wall_ms_max` or `cpu_ms_max`
    OUT_OF_MEMORY = "out_of_memory"  # stopped at `memory_bytes_max`
    TOO_MUCH_OUTPUT = "too_much_output"  # killed at `output_bytes_max` of logs or result
    TOO_MANY_PROCESSES = "too_many_processes"  # stopped at `processes_max`
    DISK_FULL = "disk_full"  # stopped at `disk_bytes_max`
    TIER_UNSUITED = "tier_unsuited"  # the program needs what its tier cannot give; a larger one may
    CANCELLED = "cancelled"  # by the owner


@dataclass(frozen=True, slots=True)
class Program:
    """Python source of an agent, UTF-8, at most `SOURCE_BYTES_MAX` bytes.

    It defines `run()`, `run(inputs)` or `run(inputs, ctx)`.
    """

    source: str


@dataclass(frozen=True, slots=True)
class Limits:
    """Hard caps of one run, enforced from outside. Times in ms, sizes in bytes.

    The sandbox enforces the first six, where its tier knows of them; the gloves enforce the last three.
    """

    wall_ms_max: int = 10_000
    cpu_ms_max: int = 5_000
    memory_bytes_max: int = 128 * 1024 * 1024
    output_bytes_max: int = 1024 * 1024
    processes_max: int = 16
    disk_bytes_max: int = 64 * 1024 * 1024
    fetches_max: int = 20
    calls_max: int = 10
    effects_bytes_max: int = 4 * 1024 * 1024


CEILINGS = Limits(
    wall_ms_max=300_000,
    cpu_ms_max=120_000,
    memory_bytes_max=2 * 1024**3,
    output_bytes_max=16 * 1024**2,
    processes_max=128,
    disk_bytes_max=1024**3,
    fetches_max=200,
    calls_max=100,
    effects_bytes_max=32 * 1024**2,
)

# Limits that mean nothing in a tier: nothing there could reach them.
LIMITS_WITHOUT_MEANING: Mapping[Tier, frozenset[str]] = {
    Tier.MONTY: frozenset({"cpu_ms_max", "processes_max", "disk_bytes_max"}),
    Tier.RESTRICTED: frozenset({"processes_max", "disk_bytes_max"}),
    Tier.DOCKER: frozenset(),
}


class GloveFault(StrEnum):
    """As which built-in exception a program meets what a glove refuses or could not do: the same in every tier."""

    PERMISSION = "PermissionError"  # not allowed to this agent
    TIMEOUT = "TimeoutError"  # took too long
    CONNECTION = "ConnectionError"  # the other side could not be reached, or broke off
    LOOKUP = "LookupError"  # nothing has this name
    VALUE = "ValueError"  # an argument that the glove does not take
    RUNTIME = "RuntimeError"  # a bound of the run is reached, or the other side failed


class GloveError(Exception):
    """What a glove refuses or could not do. The program meets it as the exception that `fault` names, and may go on.

    Attributes:
        fault: which exception.
        message: what happened and what to do, for the agent's author; shown to the program.
    """

    def __init__(self, fault: GloveFault, message: str) -> None:
        super().__init__(message)
        self.fault = fault
        self.message = message


class RunStoppedError(Exception):
    """A dry run cannot go on: it met an effect that has no answer. The sandbox ends it; it succeeded, incomplete."""


class Gloves(Protocol):
    """The host's side of `ctx` for one run."""

    @property
    def owner(self) -> str:
        """Whose run it is: runs of different owners never share a container. Opaque."""

    @property
    def test(self) -> bool:
        """True in a dry run."""

    @property
    def seed(self) -> int:
        """What `random` is seeded from: 0 to 2**63 - 1."""

    @property
    def started_at(self) -> datetime:
        """The run's start, UTC."""

    @property
    def frozen_clock(self) -> bool:
        """Whether the program's clock stands still at `started_at`, so that two runs see the same time."""

    async def call(self, glove: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        """Carry out one glove call of the program and answer it. The sandbox cancels it when the run ends meanwhile.

        Args:
            glove: its name, as `sandbox.guest.context` sends it; untrusted.
            arguments: JSON that the sandbox has read strictly; otherwise untrusted.

        Raises:
            GloveError: the program gets it as an exception.
            RunStoppedError: the run ends here, incomplete.
        """

    def log(self, line: "LogLine") -> None:
        """Take one log line as soon as it comes; the result has all of them again. Must not wait, nor raise."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One `print` or `ctx.log` line, cut to the run's bound. `at_ms` counts from the start of the run."""

    at_ms: int
    message: str
    fields: Mapping[str, JsonValue] = field(default_factory=dict)


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
    """How one run ended. `value` is None unless `outcome` is succeeded; `error` is None only then.

    `complete` is False where a dry run was stopped at an effect without an answer; it succeeded, without a value.
    `replayable` is False where the program is known to have used randomness that no seed repeats.
    """

    outcome: Outcome
    value: JsonValue = None
    error: ProgramError | None = None
    logs: tuple[LogLine, ...] = ()
    usage: Usage = Usage()
    complete: bool = True
    replayable: bool = True


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
