"""How runs end: what is stored of a result, and of a run that was lost."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from agents_store.types import EffectRecord, RunEnd, RunState
from sandbox.json_text import encode
from sandbox.types import LogLine, Outcome, ProgramError, Result, Usage
from server.errors import RunLostError, RunNotStartedError, TierGoneError
from server.gloves.shown import shown_effect
from server.invocations.live_log import records_of
from server.invocations.outcomes import RULINGS

LOST = "lost"

_UNUSABLE = ProgramError("BadResult", "what the run came to cannot be stored")


@dataclass(frozen=True, slots=True)
class Lost:
    """A run that no fault of its program ended.

    Attributes:
        started: False when nothing of it ran.
        tier_gone: that is because its tier went away, not because every sandbox was busy.
    """

    started: bool = True
    tier_gone: bool = False

    def error(self, run_id: UUID) -> RunLostError:
        """What its caller is told."""
        if self.started:
            return RunLostError(run_id)
        return TierGoneError(run_id) if self.tier_gone else RunNotStartedError(run_id)


async def end_of(result: Result, effects: Sequence[EffectRecord], glove_calls: Mapping[str, int]) -> RunEnd:
    """What is stored of a result, and of what its run asked of its gloves.

    The state follows from the outcome alone. Whether it is charged does, too, until a glove was called: a program that
    could end its run as a free one would have its effects for nothing.

    Raises:
        ValueError, TypeError, RecursionError: the value is no JSON.
    """
    ruling = RULINGS[result.outcome]
    succeeded = result.outcome is Outcome.SUCCEEDED
    return RunEnd(
        state=ruling.state,
        outcome=result.outcome.value,
        reason=None,
        billable=ruling.billable or bool(effects),
        result_json=await encode(result.value, result.usage.output_bytes) if succeeded and result.complete else None,
        error=None if result.error is None else asdict(result.error),
        wall_ms=result.usage.wall_ms,
        cpu_ms=result.usage.cpu_ms,
        peak_memory_bytes=result.usage.peak_memory_bytes,
        output_bytes=result.usage.output_bytes,
        logs=records_of(result.logs),
        complete=result.complete,
        replayable=result.replayable,
        effects=tuple(effects),
        glove_calls=dict(glove_calls),
    )


def unusable(result: Result) -> Result:
    """What is left of a result that cannot be stored: nothing that its program wrote, and no success."""
    outcome = Outcome.BAD_RESULT if result.outcome is Outcome.SUCCEEDED else result.outcome
    return replace(result, outcome=outcome, value=None, error=_UNUSABLE, logs=(), complete=True)


def bare(effects: Sequence[EffectRecord]) -> list[EffectRecord]:
    """Effects without what the program, or who answered it, wrote."""
    return [replace(effect, request={}, response=None, error=None) for effect in effects]


def cancelled_result(lines: Sequence[LogLine], wall_ms: int) -> Result:
    """What a run came to that was ended by its owner: what it logged, and the time that it took."""
    return Result(
        Outcome.CANCELLED,
        error=ProgramError("Cancelled", "the run's owner ended it"),
        logs=tuple(lines),
        usage=Usage(wall_ms=wall_ms, output_bytes=sum(len(line.message.encode()) for line in lines)),
    )


def lost_end(lines: Sequence[LogLine] = ()) -> RunEnd:
    """What is stored of a run that was lost: it failed, and costs nothing. `lines` are what it logged."""
    return RunEnd(
        state=RunState.FAILED,
        outcome=Outcome.FAILED.value,
        reason=LOST,
        billable=False,
        result_json=None,
        error=None,
        wall_ms=0,
        cpu_ms=0,
        peak_memory_bytes=0,
        output_bytes=0,
        logs=records_of(lines),
    )


def shown_effects(effects: Sequence[EffectRecord]) -> list[dict[str, Any]]:
    """Effects as answers show them."""
    return [shown_effect(effect) for effect in effects]


def logs_of(result: Result) -> list[dict[str, Any]]:
    """Log lines as answers show them."""
    return [asdict(record) for record in records_of(result.logs)]
