"""Carrying out what a dry run listed: in order, each effect claimed first, so that nothing is ever done twice."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import structlog
import uuid_utils.compat

from agents_store.errors import (
    EffectClaimedError,
    MemoryFullError,
    StaleRunError,
    StoreError,
    TooManyFilesError,
    UnknownAgentError,
    VersionMovedError,
)
from agents_store.store import Store
from agents_store.types import (
    ApplyStart,
    BegunRun,
    EffectRecord,
    EffectStatus,
    Principal,
    RunEnd,
    RunState,
)
from sandbox.types import GloveError, GloveFault, Limits, Outcome
from server.errors import NotApplicableError, RunLostError
from server.gloves.budget import Budget
from server.gloves.effect import Answered, EffectError, error_of, status_of
from server.gloves.fetch import RunFetch
from server.gloves.fetch_request import read_request
from server.gloves.files import RunFiles, read_file, shown_file
from server.gloves.fitting import Fitting
from server.gloves.hosts import read_pattern
from server.gloves.memory import RunMemory
from server.gloves.run import CLOSE_S_MAX
from server.gloves.secrets import RunSecrets
from server.invocations.admission import Admission
from server.invocations.endings import lost_end
from server.invocations.live import LiveRuns, RunCancelledError, RunInterruptedError
from server.invocations.live_log import LiveLog
from server.invocations.settling import Settling
from server.leases import Lease
from server.runs.plans import Listed, Plan, Step, plan_of

IDEMPOTENCY_KEY = "Idempotency-Key"

log = structlog.get_logger("server.runs")


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of applying a dry run.

    Attributes:
        run_id: the run that did it; None where nothing was left to do.
        effects: what was carried out of the dry run so far, by this apply and earlier ones, in order.
        left: how many effects were not carried out: the first of them failed, or nobody came to it.
        charge_microcredits: what this apply cost.
    """

    run_id: UUID | None
    effects: Sequence[EffectRecord]
    left: int
    charge_microcredits: int


@dataclass(slots=True)
class _Work:
    """One apply while it goes on."""

    principal: Principal
    plan: Plan
    run: BegunRun
    limits: Limits
    budget: Budget
    began: float = field(default_factory=time.monotonic)
    effects: list[EffectRecord] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    fetches: dict[UUID, RunFetch] = field(default_factory=dict)

    def record(self, step: Step, request: Any, started: float, **changes: Any) -> EffectRecord:
        """An effect of the apply, `performed` with nothing to tell unless `changes` say more."""
        told = EffectRecord(
            seq=step.place,
            glove=step.effect.glove,
            request=request,
            response=None,
            error=None,
            status=EffectStatus.PERFORMED,
            at_ms=round((started - self.began) * 1000),
            duration_ms=round((time.monotonic() - started) * 1000),
        )
        return replace(told, **changes)


class Applying:
    """Carries out dry runs."""

    def __init__(
        self, *, store: Store, fitting: Fitting, admission: Admission, lease: Lease, live: LiveRuns, settling: Settling
    ) -> None:
        self._store = store
        self._fitting = fitting
        self._admission = admission
        self._lease = lease
        self._live = live
        self._settling = settling

    async def apply(self, principal: Principal, run_id: UUID) -> Applied:
        """Carry out what a dry run listed and nobody carried out yet. Once begun, it is settled whatever happens.

        It stops at the first effect that is refused, fails or may have been carried out or not. Another apply goes on
        behind what was carried out or may have been, which is never tried again.

        Raises:
            UnknownRunError: the caller has no such run.
            NotApplicableError, MemoryMovedError, ApplyLiveError: nothing was held.
            UserBusyError, ServerBusyError, ShuttingDownError, InsufficientCreditsError, StoreUnavailableError: as for
                any live run; nothing was held.
            RunLostError: it was cut off; what was carried out is listed with the next apply.
        """
        with self._admission.call(principal.user_id, dry=False):
            plan = await plan_of(self._store, self._fitting.vault, principal, run_id)
            done = await self._store.applied_effects(principal, run_id)
            if {step.place for step in plan.steps} <= {effect.seq for effect in done}:
                return Applied(None, done, 0, 0)
            async with self._admission.place(principal.user_id):
                work = await self._begin(principal, plan)
                end = await self._carry_out(work, {effect.seq for effect in done})
                lines = LiveLog(_no_lines, self._live.start)
                charge = await self._settling.settle(principal, work.run, end, lines)
        if end.reason is not None:
            raise RunLostError(work.run.run_id, "It was cut off; apply it again to go on behind what was carried out.")
        done = await self._store.applied_effects(principal, run_id)
        left = len({step.place for step in plan.steps} - {effect.seq for effect in done})
        tried = [effect for effect in work.effects if effect.seq not in {told.seq for told in done}]
        return Applied(work.run.run_id, [*done, *tried], left, charge.charge_microcredits)

    async def _begin(self, principal: Principal, plan: Plan) -> _Work:
        dry = plan.root.run
        limits = Limits(**plan.root.recorded.version.limits)  # before the hold: what may fail must not leave it open
        start = ApplyStart(
            run_id=uuid_utils.compat.uuid7(),
            dry_run_id=dry.id,
            agent_id=plan.root.recorded.agent_id,
            agent_name=dry.agent_name,
            version=dry.version,
            wall=dry.wall,
            wall_missing=dry.wall_missing,
            server_id=self._lease.server_id,
            reads=plan.reads,
        )
        try:
            run = await self._store.begin_apply(principal, start)
        except (UnknownAgentError, VersionMovedError) as exc:
            raise NotApplicableError(f"The agent {dry.agent_name!r} has changed since; run it dry again.") from exc
        structlog.contextvars.bind_contextvars(run_id=str(run.run_id), user_id=str(run.user_id))
        return _Work(principal, plan, run, limits, Budget(limits))

    async def _carry_out(self, work: _Work, done: set[int]) -> RunEnd:
        """Carry out what is not done, until something is not. Never raises: every way out must reach its settling."""
        try:
            with self._live.interruptible(work.run.run_id):
                async with asyncio.timeout(work.limits.wall_ms_max / 1000):
                    for step in work.plan.steps:
                        if step.place not in done and not await self._tried(work, step):
                            return _end(work, Outcome.FAILED, work.effects[-1].error)
            return _end(work, Outcome.SUCCEEDED)
        except RunCancelledError:
            return _end(work, Outcome.CANCELLED, {"type": "Cancelled", "message": "the run's owner ended it"})
        except TimeoutError:
            return _end(work, Outcome.TIMED_OUT, {"type": "TimedOut", "message": "it reached wall_ms_max"})
        except (StoreError, RunInterruptedError) as exc:
            log.warning("apply lost", error=type(exc).__name__)
        # The boundary around one apply: a defect of ours must neither charge the caller nor leave the hold standing.
        except Exception:
            log.exception("apply lost")
        finally:
            for fetch in work.fetches.values():
                await _close(fetch)
        return replace(lost_end(), effects=tuple(work.effects))

    async def _tried(self, work: _Work, step: Step) -> bool:
        """Carry out one effect. False where it is not known to be done. Raises StoreError, and what ends the run."""
        started = time.monotonic()
        try:
            if step.effect.glove == "fetch":
                effect = await self._send(work, step, started)
            elif step.effect.glove == "files.write":
                effect = await self._keep_file(work, step, started)
            else:
                effect = await self._remember(work, step, started)
        except EffectClaimedError:  # somebody was before us
            return True
        except StaleRunError:
            raise
        except (GloveError, MemoryFullError, TooManyFilesError, UnknownAgentError) as exc:
            effect = work.record(step, _shown_request(step), started, **_failure(exc))
        work.effects.append(effect)
        work.counts["fetch" if effect.glove == "fetch" else "glove_call"] += 1
        return effect.status is EffectStatus.PERFORMED

    async def _remember(self, work: _Work, step: Step, started: float) -> EffectRecord:
        request = dict(step.effect.request)
        agent_id = step.listed.recorded.agent_id
        entry = None
        if step.effect.glove == "memory.put":
            entry = await RunMemory(self._store, work.principal, agent_id, self._fitting.embedder).entry(request)
        effect = work.record(step, request, started)
        await self._store.apply_memory(work.principal, work.run, effect, agent_id, entry)
        return effect

    async def _keep_file(self, work: _Work, step: Step, started: float) -> EffectRecord:
        arguments = _file_arguments(step)
        files = RunFiles(self._store, self._fitting.files, work.principal, work.run.run_id, dry=False)
        file = await files.kept(*read_file(arguments))
        effect = work.record(step, shown_file(arguments), started, response=step.effect.response)
        await self._store.apply_file(work.principal, work.run, effect, file)
        return effect

    async def _send(self, work: _Work, step: Step, started: float) -> EffectRecord:
        """Send a request, claimed before: from then on it may have been carried out until it is known."""
        arguments = step.effect.request
        request = read_request(arguments)
        if not any(name.lower() == IDEMPOTENCY_KEY.lower() for name, _ in request.headers):
            request = replace(request, headers=[*request.headers, (IDEMPOTENCY_KEY, step.idempotency_key)])
        fetch = self._fetch_for(work, step.listed)
        claim = work.record(step, arguments, started, status=EffectStatus.UNKNOWN)
        await self._store.claim_effect(work.principal, work.run, claim)
        try:
            answered: Answered = await fetch.send(request)
        except GloveError as exc:
            effect = work.record(step, arguments, started, **_failure(exc))
        # The boundary around one request: no other side can make an apply lost, which would be free.
        except Exception:
            log.exception("glove failed", glove="fetch")
            error = {"type": GloveFault.RUNTIME.value, "message": "the glove failed; whether it was sent is not known"}
            effect = work.record(step, arguments, started, status=EffectStatus.UNKNOWN, error=error)
        else:
            effect = work.record(step, arguments, started, response=answered.value)
        try:
            await self._store.conclude_effect(work.principal, work.run, effect)
        except StoreError as exc:  # the run's end tells it again
            log.warning("effect not concluded yet", error=type(exc).__name__)
        return effect

    def _fetch_for(self, work: _Work, listed: Listed) -> RunFetch:
        """The requests of one of the runs that were listed: its version's hosts, its agent's secrets."""
        if listed.run.id not in work.fetches:
            secrets = RunSecrets(self._fitting.vault.opener(work.principal, listed.recorded.agent_id))
            for placeholder, opened in listed.secrets.items():
                secrets.know(placeholder, opened)
            work.fetches[listed.run.id] = RunFetch(
                self._fitting.network,
                owner=str(work.principal.user_id),
                allowed=[read_pattern(host) for host in listed.recorded.version.allowed_hosts],
                budget=work.budget,
                secrets=secrets,
                claim=_claimed,
                mocks=None,
            )
        return work.fetches[listed.run.id]


def _end(work: _Work, outcome: Outcome, error: Any = None) -> RunEnd:
    states = {Outcome.SUCCEEDED: RunState.COMPLETED, Outcome.CANCELLED: RunState.CANCELLED}
    performed = sum(effect.status is EffectStatus.PERFORMED for effect in work.effects)
    told = None if error is None else {"line": None, "column": None, "traceback": "", **error}
    return RunEnd(
        state=states.get(outcome, RunState.FAILED),
        outcome=outcome.value,
        reason=None,
        billable=True,
        result_json=f'{{"performed":{performed}}}' if outcome is Outcome.SUCCEEDED else None,
        error=told,
        wall_ms=round((time.monotonic() - work.began) * 1000),
        cpu_ms=0,
        peak_memory_bytes=0,
        output_bytes=0,
        effects=tuple(work.effects),
        glove_calls=dict(work.counts),
    )


def _failure(error: Exception) -> dict[str, Any]:
    if isinstance(error, GloveError):
        response = error.response if isinstance(error, EffectError) else None
        return {"status": status_of(error), "error": error_of(error), "response": response}
    return {"status": EffectStatus.REFUSED, "error": {"type": "RuntimeError", "message": str(error)}}


def _file_arguments(step: Step) -> dict[str, Any]:
    return {name: step.effect.request[name] for name in ("name", "media_type", "base64")}


def _shown_request(step: Step) -> Any:
    return shown_file(_file_arguments(step)) if step.effect.glove == "files.write" else step.effect.request


async def _close(fetch: RunFetch) -> None:
    try:
        async with asyncio.timeout(CLOSE_S_MAX):
            await fetch.close()
    # The boundary around what another side may break: the apply is settled whatever becomes of its connections.
    except Exception:
        log.exception("connections not closed")


async def _claimed() -> None:
    """Requests are claimed here before they are sent."""


async def _no_lines(lines: Sequence[Any]) -> bool:
    return False
