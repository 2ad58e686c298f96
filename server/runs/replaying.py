"""Running a run again from its record: the same program, seed, clock and answers; nothing is performed or charged."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import uuid_utils.compat

from agents_store.errors import UnknownVersionError
from agents_store.store import Store
from agents_store.types import EffectRecord, EffectStatus, Principal, RecordedRun, Run
from sandbox.backend import Sandbox
from sandbox.errors import SandboxLostError
from sandbox.tiers import Tiers
from sandbox.types import Limits, Outcome, Program, Result, Tier
from server.agents.same_json import is_same_json
from server.errors import NotReplayableError, ShuttingDownError
from server.gloves.budget import GLOVE_CALLS_MAX
from server.gloves.replay import Divergence, ReplayGloves
from server.invocations.admission import Admission
from server.invocations.endings import LOST
from server.invocations.live import LiveRuns, RunInterruptedError
from server.invocations.rates import DryRunRates

SANDBOX_GRACE_S = 30.0  # as for any run
INVOCATION = "invocation"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay came to.

    Attributes:
        run: the run that was repeated.
        result: what the program came to this time.
        divergence: where it asked its gloves something else than the record has; None where it did not.
        same: whether it ended as the run did: outcome, result, and what was raised at which line.
    """

    run: Run
    result: Result
    divergence: Divergence | None
    same: bool


class Replaying:
    """Runs runs again."""

    def __init__(self, *, store: Store, tiers: Tiers, admission: Admission, rates: DryRunRates, live: LiveRuns) -> None:
        self._store = store
        self._tiers = tiers
        self._admission = admission
        self._rates = rates
        self._live = live

    async def replay(self, principal: Principal, run_id: UUID) -> Replayed:
        """Run a run again in its own tier. It counts as a dry run, and is stored nowhere.

        Raises:
            UnknownRunError: the caller has no such run.
            NotReplayableError: it cannot be repeated, and why; nothing ran.
            TierUnavailableError, SandboxBusyError, SandboxLostError: it can be tried again.
            UserBusyError, TooManyDryRunsError, ServerBusyError, ShuttingDownError, StoreUnavailableError: nothing ran.
        """
        with self._rates.call(principal.user_id, dry=True), self._admission.call(principal.user_id, dry=True):
            run = await self._store.get_run(principal, run_id)
            _require_replayable(run)
            try:
                recorded = await self._store.recorded_run(principal, run_id)
            except UnknownVersionError as exc:
                raise NotReplayableError("The run's agent was deleted, and its code with it.") from exc
            effects = await self._store.list_effects(principal, run_id, after_seq=0, limit=GLOVE_CALLS_MAX)
            _require_known(effects)
            sandbox = self._tiers.get(Tier(run.tier))
            async with self._admission.place(principal.user_id):
                await self._store.take_dry_run(principal, self._rates.per_hour_max)
                gloves = _gloves_for(principal, run, recorded, effects)
                result = await self._run(sandbox, run, recorded, gloves)
        return Replayed(run, result, gloves.divergence, gloves.divergence is None and _is_same(run, result))

    async def _run(self, sandbox: Sandbox, run: Run, recorded: RecordedRun, gloves: ReplayGloves) -> Result:
        limits = Limits(**recorded.version.limits)
        try:
            with self._live.interruptible(uuid_utils.compat.uuid7()):
                async with asyncio.timeout(limits.wall_ms_max / 1000 + SANDBOX_GRACE_S):
                    return await sandbox.run(Program(recorded.version.code), run.inputs or {}, limits, gloves)
        except RunInterruptedError as exc:
            raise ShuttingDownError from exc
        except TimeoutError as exc:
            raise SandboxLostError("the sandbox did not end the run") from exc


def _require_replayable(run: Run) -> None:
    if run.kind != INVOCATION:
        raise NotReplayableError("Only an agent's run can be replayed: this one carried out a dry run.")
    if run.outcome is None:
        raise NotReplayableError("The run goes on; wait for its end.")
    if run.reason == LOST:
        raise NotReplayableError("The run was lost, and its record is not whole.")
    if not run.replayable:
        raise NotReplayableError("The run used the kernel's randomness, which no seed repeats.")


def _require_known(effects: Sequence[EffectRecord]) -> None:
    if any(effect.status is EffectStatus.UNKNOWN and effect.error is None for effect in effects):
        raise NotReplayableError("It is not known what became of one of the run's effects.")


def _gloves_for(principal: Principal, run: Run, recorded: RecordedRun, effects: Sequence[EffectRecord]) -> ReplayGloves:
    return ReplayGloves(
        str(principal.user_id),
        test=run.test,
        seed=recorded.seed,
        started_at=run.started_at or run.created_at,
        record=effects,
        complete=run.complete,
    )


def _is_same(run: Run, result: Result) -> bool:
    if result.outcome.value != run.outcome or result.complete != run.complete:
        return False
    if result.outcome is Outcome.SUCCEEDED:
        return is_same_json(json.loads(run.result_json or "null"), result.value)
    return _place_of(run.error) == _place_of(None if result.error is None else asdict(result.error))


def _place_of(error: Mapping[str, Any] | None) -> tuple[Any, ...]:
    return () if error is None else (error.get("type"), error.get("message"), error.get("line"))
