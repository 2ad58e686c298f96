"""Choosing the smallest tier whose inside is enough for a program, and proving it by the program's own examples.

Going up, never down: a tier is passed over for a reason that its author can read.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from itertools import pairwise

from sandbox.errors import RejectedEverywhereError, TierUnavailableError
from sandbox.tiers import Tiers
from sandbox.types import Gloves, Inputs, JsonValue, Limits, Outcome, Program, Refusal, Result, Tier

CHOICE_S_MAX = 60.0
_SHOWN_CHARS_MAX = 80


@dataclass(frozen=True, slots=True)
class Example:
    """Inputs, and the result that is expected for them; `expects` is False where the author expects nothing."""

    inputs: Inputs
    expect: JsonValue = None
    expects: bool = True


@dataclass(frozen=True, slots=True)
class Choice:
    """The tier that a program runs in, and why each smaller one was passed over."""

    tier: Tier
    reasons: Mapping[str, str]


GlovesFor = Callable[[int], AbstractAsyncContextManager[Gloves]]


async def choose(
    tiers: Tiers, program: Program, examples: Sequence[Example], limits: Limits, gloves_for: GlovesFor
) -> Choice:
    """Find the first tier that takes the program and whose results are as expected.

    Where an example expects nothing, or something else than it got, the result must be the same as the next tier's:
    equal as canonical JSON, or the same failure. Without examples it is the first tier that takes the program, and so
    it is for examples whose turn does not come within `CHOICE_S_MAX`.

    Args:
        tiers: what this machine gives.
        program: what to run.
        examples: in the author's order.
        limits: of each run.
        gloves_for: the gloves of a dry run of an example, by its index: the same seed and the same frozen clock
            whenever it is asked for an index.

    Raises:
        RejectedEverywhereError: no tier takes it.
        TierUnavailableError: no tier is available.
        SandboxBusyError, SandboxLostError: nothing was decided; safe to retry.
    """
    takers, reasons = await _takers(tiers, program)
    runs = _Runs(tiers, program, examples, limits, gloves_for)
    for lower, upper in pairwise(takers):
        reason = await runs.compare(lower, upper)
        if reason is None:
            return Choice(lower, reasons)
        reasons[lower.value] = reason
    return Choice(takers[-1], reasons)


async def _takers(tiers: Tiers, program: Program) -> tuple[list[Tier], dict[str, str]]:
    """The tiers that take the program as it is written, smallest first, and why smaller ones do not."""
    refused: dict[Tier, Sequence[Refusal]] = {}
    takers: list[Tier] = []
    reasons: dict[str, str] = {}
    for tier in tiers.offered:
        try:
            refusals = await tiers.get(tier).check(program)
        except TierUnavailableError as error:
            if not takers:
                reasons[tier.value] = f"unavailable: {', '.join(error.missing)}"
            continue
        if refusals:
            refused[tier] = refusals
            if not takers:
                reasons[tier.value] = refusals[0].message
        else:
            takers.append(tier)
    if not takers and not refused:
        raise TierUnavailableError(Tier.RESTRICTED, tiers.missing(Tier.RESTRICTED))
    if not takers:
        raise RejectedEverywhereError(refused)
    return takers, reasons


class _Runs:
    """The dry runs of a program's examples, each made once per tier."""

    def __init__(
        self, tiers: Tiers, program: Program, examples: Sequence[Example], limits: Limits, gloves_for: GlovesFor
    ) -> None:
        self._tiers = tiers
        self._program = program
        self._examples = examples
        self._limits = limits
        self._gloves_for = gloves_for
        self._results: dict[tuple[Tier, int], Result] = {}
        self._deadline = time.monotonic() + CHOICE_S_MAX

    async def compare(self, lower: Tier, upper: Tier) -> str | None:
        """Why a tier is passed over for the next one; None when its results are right."""
        for index, example in enumerate(self._examples):
            if time.monotonic() > self._deadline:
                return None
            below = await self._result(lower, index)
            if below.outcome == Outcome.TIER_UNSUITED:
                return below.error.message if below.error is not None else "it cannot run this program"
            if example.expects and await asyncio.to_thread(_is_expected, below, example.expect):
                continue
            above = await self._result(upper, index)
            if above.outcome != Outcome.TIER_UNSUITED and not await asyncio.to_thread(_is_same, below, above):
                return f"example {index + 1} gives {_shown(below)}, and {_shown(above)} in {upper.value}"
        return None

    async def _result(self, tier: Tier, index: int) -> Result:
        if (tier, index) not in self._results:
            sandbox = self._tiers.get(tier)
            inputs = self._examples[index].inputs
            async with self._gloves_for(index) as gloves:
                self._results[tier, index] = await sandbox.run(self._program, inputs, self._limits, gloves)
        return self._results[tier, index]


def _is_expected(result: Result, expect: JsonValue) -> bool:
    return result.outcome == Outcome.SUCCEEDED and canonical_json(result.value) == canonical_json(expect)


def _is_same(below: Result, above: Result) -> bool:
    if not (below.replayable and above.replayable):
        return True  # nothing that used the kernel's randomness can be compared
    if below.outcome != above.outcome or below.complete != above.complete:
        return False
    if below.outcome == Outcome.SUCCEEDED:
        return canonical_json(below.value) == canonical_json(above.value)
    types = [result.error.type if result.error is not None else "" for result in (below, above)]
    return types[0] == types[1]


def canonical_json(value: JsonValue) -> str:
    """One text for equal JSON: keys in order, and a whole number is the same whether it was a float or not."""
    return json.dumps(_plain(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _plain(value: JsonValue) -> JsonValue:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value


def _shown(result: Result) -> str:
    if result.outcome == Outcome.SUCCEEDED:
        return canonical_json(result.value)[:_SHOWN_CHARS_MAX]
    return f"{result.error.type}: {result.error.message}"[:_SHOWN_CHARS_MAX] if result.error else result.outcome.value
