"""Which tier a version runs in: the one that its author pinned, or the smallest that its examples prove enough."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from uuid import UUID

from agents_store.types import Principal
from sandbox.errors import RejectedEverywhereError
from sandbox.ladder import Choice, Example, choose
from sandbox.tiers import Tiers
from sandbox.types import LIMITS_WITHOUT_MEANING, Gloves, Limits, Program, Tier
from server.agents.drafts import Draft, read_hosts
from server.errors import CodeRejectedError, InvalidRequestError
from server.gloves.fitting import Fitting, Trial

AUTO = "auto"
_REFUSED = "The code uses what this tier refuses."


async def choose_tier(
    tiers: Tiers, fitting: Fitting, principal: Principal, draft: Draft, limits: Limits, agent_id: UUID | None
) -> Choice:
    """Check a draft's code in the tier that it pins, or in every tier up to the one that it is to run in.

    Args:
        tiers: what this server offers.
        fitting: makes the gloves of the examples' dry runs.
        principal: whose version it will be.
        draft: what is asked for, its limits apart from the defaults.
        limits: all of them.
        agent_id: whose memory the examples read; None for an agent that is not made yet.

    Raises:
        InvalidRequestError: a limit has no meaning in the pinned tier.
        CodeRejectedError: the pinned tier, or every tier, refuses the code.
        TierUnavailableError: the pinned tier, or every tier, is unavailable here.
        SandboxBusyError, SandboxLostError: nothing was decided.
    """
    program = Program(draft.code)
    if draft.tier != AUTO:
        tier = Tier(draft.tier)
        _require_meaning(draft.limits, tier)
        refusals = await tiers.get(tier).check(program)
        if refusals:
            raise CodeRejectedError(_REFUSED, [asdict(refusal) for refusal in refusals])
        return Choice(tier, {})
    try:
        examples = [
            Example(example["inputs"], example.get("expect"), expects="expect" in example) for example in draft.examples
        ]
        trials = _Trials(fitting, principal, draft, limits, agent_id, len(examples))
        return await choose(tiers, program, examples, limits, trials.gloves_for)
    except RejectedEverywhereError as exc:
        largest = max(exc.refusals, key=list(Tier).index)
        raise CodeRejectedError(_REFUSED, [asdict(refusal) for refusal in exc.refusals[largest]]) from exc


class _Trials:
    """The gloves of examples' dry runs: each example has one seed, and all have one moment, in every tier."""

    def __init__(
        self,
        fitting: Fitting,
        principal: Principal,
        draft: Draft,
        limits: Limits,
        agent_id: UUID | None,
        examples: int,
    ) -> None:
        self._fitting = fitting
        started_at, hosts = datetime.now(UTC), read_hosts(draft.allowed_hosts)
        self._trials = [
            Trial(principal, hosts, limits, secrets.randbits(63), started_at, agent_id) for _ in range(examples)
        ]

    @asynccontextmanager
    async def gloves_for(self, index: int) -> AsyncIterator[Gloves]:
        """The gloves of one dry run of an example."""
        gloves = self._fitting.trial_gloves(self._trials[index])
        try:
            yield gloves
        finally:
            await gloves.close()


def _require_meaning(asked: Mapping[str, int], tier: Tier) -> None:
    """Raise InvalidRequestError where a limit that is not the default means nothing in the tier."""
    defaults = asdict(Limits())
    errors = [
        {"path": f"/limits/{name}", "message": f"has no meaning in tier {tier.value}"}
        for name in sorted(LIMITS_WITHOUT_MEANING[tier])
        if name in asked and asked[name] != defaults[name]
    ]
    if errors:
        raise InvalidRequestError(f"A limit has no meaning in tier {tier.value}.", errors)
