"""What goes over the socket between a server and its sandbox host: frames of JSON, one exchange at a time.

A frame is one kind byte, a 32-bit length and the payload. A connection carries one run or check after the other; while
a run goes on, its log lines and glove calls come back on the same connection. Closing the connection ends the run.
Nothing is pickled or marshalled: whoever can make one end say something wrong gets no code run in the other.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import IntEnum
from typing import Any

from sandbox.errors import SandboxBusyError, SandboxError, SandboxLostError, TierUnavailableError
from sandbox.json_text import encode
from sandbox.types import (
    GloveError,
    GloveFault,
    Gloves,
    Inputs,
    JsonValue,
    Limits,
    LogLine,
    Outcome,
    Program,
    ProgramError,
    Refusal,
    Result,
    RunStoppedError,
    Tier,
    Usage,
    Wall,
    WallKind,
)

VERSION = 2  # of this protocol: server and host refuse each other where it differs
HEADER = struct.Struct("!BI")
# Above what the largest ceilings of a run let through in one piece, escapes included.
FRAME_BYTES_MAX = 256 * 1024 * 1024

_LIMITS = tuple(limit.name for limit in fields(Limits))
# What reads malformed JSON or JSON of another shape raises.
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, RecursionError)


class Kind(IntEnum):
    """What a frame carries. The first four come from the server, the others from the host."""

    WATCH = 1  # tell now, and whenever it changes, how the tiers stand; empty
    RUN = 2  # a job
    CHECK = 3  # tier and source
    ANSWER = 4  # to a CALL: its number, and a value, a fault, or that the run ends here
    STATE = 5  # how the tiers stand
    LOG = 6  # one line of the run
    CALL = 7  # a glove call of the run: number, glove, arguments
    RESULT = 8  # the run is over
    REFUSALS = 9  # the check is done
    FAILED = 10  # a SandboxError instead of either


class WireError(Exception):
    """The other end sent what it never should."""


@dataclass(frozen=True, slots=True)
class Job:
    """A run as the host gets it."""

    tier: Tier
    program: Program
    inputs: Inputs
    limits: Limits
    owner: str
    test: bool
    seed: int
    started_at: datetime
    frozen_clock: bool


@dataclass(frozen=True, slots=True)
class TierState:
    """How one tier of a host stands. `wall` is None while something is missing; `children` counts by state."""

    missing: tuple[str, ...]
    wall: Wall | None
    children: Mapping[str, int]


def pack(kind: Kind, value: object) -> bytes:
    """A whole frame. Text with lone surrogates survives."""
    return _framed(kind, json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def pack_job(tier: Tier, program: Program, inputs: Inputs, limits: Limits, gloves: Gloves) -> bytes:
    """The frame that begins a run."""
    told = (gloves.owner, gloves.test, gloves.seed, gloves.started_at.isoformat(), gloves.frozen_clock)
    caps = [getattr(limits, name) for name in _LIMITS]
    return pack(Kind.RUN, (tier.value, program.source, inputs, caps, *told))


def read_job(payload: bytes) -> Job:
    """Raises WireError."""
    try:
        tier, source, inputs, caps, owner, test, seed, started_at, frozen_clock = _load(payload)
        if not isinstance(inputs, dict) or not all(isinstance(number, int) for number in (*caps, seed)):
            raise WireError("a job of the wrong types")
        return Job(
            Tier(tier),
            Program(str(source)),
            inputs,
            Limits(*caps),
            str(owner),
            test is True,
            seed,
            datetime.fromisoformat(started_at),
            frozen_clock is True,
        )
    except _UNREADABLE as error:
        raise WireError("not a job") from error


def pack_check(tier: Tier, program: Program) -> bytes:
    """The frame that begins a check."""
    return pack(Kind.CHECK, (tier.value, program.source))


def read_check(payload: bytes) -> tuple[Tier, Program]:
    """Raises WireError."""
    try:
        tier, source = _load(payload)
        return Tier(tier), Program(source)
    except _UNREADABLE as error:
        raise WireError("not a check") from error


def pack_state(tiers: Mapping[Tier, TierState]) -> bytes:
    """The frame that tells how every tier stands."""
    told = {
        tier.value: (
            state.missing,
            state.wall and (state.wall.kind.value, state.wall.missing, state.wall.pieces),
            dict(state.children),
        )
        for tier, state in tiers.items()
    }
    return pack(Kind.STATE, (VERSION, told))


def read_state(payload: bytes) -> Mapping[Tier, TierState]:
    """Raises WireError, also for a host that speaks another version."""
    try:
        version, told = _load(payload)
        if version != VERSION:
            raise WireError(f"it speaks version {version} of the protocol, this server {VERSION}")
        return {
            Tier(tier): TierState(tuple(missing), wall and _read_wall(*wall), children)
            for tier, (missing, wall, children) in told.items()
        }
    except _UNREADABLE as error:
        raise WireError("not a state") from error


def pack_line(line: LogLine) -> bytes:
    """The frame of one log line."""
    return pack(Kind.LOG, (line.at_ms, line.message, dict(line.fields)))


def read_line(payload: bytes) -> LogLine:
    """Raises WireError."""
    try:
        return LogLine(*_load(payload))
    except _UNREADABLE as error:
        raise WireError("not a log line") from error


def pack_call(number: int, glove: str, arguments: Mapping[str, JsonValue]) -> bytes:
    """The frame of one glove call."""
    return pack(Kind.CALL, (number, glove, dict(arguments)))


def read_call(payload: bytes) -> tuple[int, str, Mapping[str, JsonValue]]:
    """Number, glove and arguments. Raises WireError."""
    try:
        number, glove, arguments = _load(payload)
    except _UNREADABLE as error:
        raise WireError("not a glove call") from error
    return number, glove, arguments


def pack_answer(number: int, value: JsonValue = None, error: GloveError | RunStoppedError | None = None) -> bytes:
    """The frame that answers a glove call."""
    if isinstance(error, GloveError):
        return pack(Kind.ANSWER, (number, error.fault.value, error.message))
    return pack(Kind.ANSWER, (number, None, value) if error is None else (number, "stop", None))


def read_answer(payload: bytes) -> tuple[int, JsonValue, GloveError | RunStoppedError | None]:
    """Number, value, and what the glove raised instead of answering. Raises WireError."""
    try:
        number, fault, told = _load(payload)
        if fault is None:
            return number, told, None
        return number, None, RunStoppedError() if fault == "stop" else GloveError(GloveFault(fault), told)
    except _UNREADABLE as error:
        raise WireError("not an answer") from error


async def pack_result(result: Result) -> bytes:
    """The frame that ends a run. Its log lines went ahead, each in a frame of its own."""
    error, usage = result.error, result.usage
    about = (
        result.outcome.value,
        error and (error.type, error.message, error.line, error.column, error.traceback),
        (usage.wall_ms, usage.cpu_ms, usage.peak_memory_bytes, usage.output_bytes),
        result.complete,
        result.replayable,
    )
    value = await encode(result.value, usage.output_bytes)
    return _framed(Kind.RESULT, f"[{value},{json.dumps(about, ensure_ascii=False)}]")


def read_result(payload: bytes, logs: Sequence[LogLine]) -> Result:
    """Raises WireError."""
    try:
        value, (outcome, error, usage, complete, replayable) = _load(payload)
        told = error and ProgramError(*error)
        return Result(Outcome(outcome), value, told, tuple(logs), Usage(*usage), complete, replayable)
    except _UNREADABLE as exc:
        raise WireError("not a result") from exc


def pack_refusals(refusals: Sequence[Refusal]) -> bytes:
    """The frame that ends a check."""
    return pack(Kind.REFUSALS, [(told.line, told.column, told.construct, told.message) for told in refusals])


def read_refusals(payload: bytes) -> tuple[Refusal, ...]:
    """Raises WireError."""
    try:
        return tuple(Refusal(*told) for told in _load(payload))
    except _UNREADABLE as error:
        raise WireError("not refusals") from error


def pack_failure(error: SandboxError) -> bytes:
    """The frame of what a sandbox raised."""
    if isinstance(error, TierUnavailableError):
        return pack(Kind.FAILED, ("unavailable", error.tier, error.missing))
    if isinstance(error, SandboxBusyError):
        return pack(Kind.FAILED, ("busy", error.retry_after_s))
    return pack(Kind.FAILED, ("lost", str(error)))


def read_failure(payload: bytes) -> SandboxError:
    """What the sandbox raised over there. Raises WireError."""
    try:
        kind, *told = _load(payload)
        if kind == "unavailable":
            tier, missing = told
            return TierUnavailableError(tier, tuple(missing))
        if kind == "busy":
            return SandboxBusyError(*told)
        return SandboxLostError(*told)
    except _UNREADABLE as error:
        raise WireError("not a failure") from error


def _read_wall(kind: str, missing: Sequence[str], pieces: Sequence[str]) -> Wall:
    return Wall(WallKind(kind), tuple(missing), tuple(pieces))


def _framed(kind: Kind, text: str) -> bytes:
    payload = text.encode("utf-8", "surrogatepass")
    return HEADER.pack(kind, len(payload)) + payload


def _load(payload: bytes) -> Any:
    return json.loads(payload.decode("utf-8", "surrogatepass"))
