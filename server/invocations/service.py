"""The one path: from a call of an agent's URL to its answer, held, run and settled."""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import structlog
import uuid_utils.compat

from agents_store.errors import UnknownAgentError, VersionMovedError
from agents_store.store import Store
from agents_store.types import BegunRun, LogRecord, Principal, Run, RunStart
from sandbox.errors import SandboxBusyError, SandboxError, TierUnavailableError
from sandbox.offload import compute
from sandbox.tiers import Tiers
from sandbox.types import Limits, Outcome, Result, Tier
from server.agents.names import is_agent_name
from server.auth.callers import Callers
from server.errors import ForeignPathError, InvalidInputsError, RunLostError
from server.gloves.calls import Called, CallingRun
from server.gloves.fitting import Fit, Fitting
from server.gloves.run import RunGloves
from server.invocations.admission import Admission
from server.invocations.answers import Answer, Stopwatch, answer_for
from server.invocations.beginnings import run_as_begun
from server.invocations.called import called_of, refusals_of_calls
from server.invocations.contracts import Contract, Contracts
from server.invocations.endings import Lost, cancelled_result
from server.invocations.inputs import Asked
from server.invocations.live import LiveRuns, RunCancelledError, RunInterruptedError
from server.invocations.live_log import LiveLog
from server.invocations.raising import Raising
from server.invocations.rates import DryRunRates
from server.invocations.reserve import Reserve
from server.invocations.seats import Seats
from server.invocations.settling import EndedIn, Settling
from server.invocations.turns import Turns
from server.leases import Lease
from server.observability.metrics import Metrics
from server.runs.followers import Followers

VERSION_RETRIES_MAX = 2
SANDBOX_GRACE_S = 30.0  # a sandbox ends runs by itself within their limit + 1 s; above this it is broken

log = structlog.get_logger("server.invocations")


class Call(Protocol):
    """One request for an invocation, read no further than it must be."""

    @property
    def request_id(self) -> UUID:
        """The request's id."""

    @property
    def run_id(self) -> UUID:
        """The id that its run will have."""

    @property
    def authorization(self) -> str | None:
        """The Authorization header."""

    @property
    def user_id(self) -> UUID:
        """The user whom the path names."""

    @property
    def agent_name(self) -> str:
        """The agent that the path names."""

    def authenticated(self, principal: Principal) -> None:
        """Take note of who calls."""

    def read_test(self) -> bool:
        """Whether a dry run is asked for. Raises InvalidRequestError, QueryTooLongError, PrefetchRefusedError."""

    async def read(self) -> Asked:
        """Read the inputs. Raises InvalidRequestError and the errors of reading a body."""

    def begun(self, run: Run) -> None:
        """Take note that its run began: from now on it goes on, whatever becomes of the caller."""

    async def gone(self) -> None:
        """Return when the client has left."""


@dataclass(frozen=True, slots=True)
class Order:
    """A call that fits an agent's contract: nothing is held for it yet."""

    contract: Contract
    inputs: Mapping[str, Any]
    asked: Asked
    test: bool
    above: CallingRun | None = None

    @property
    def limits(self) -> Limits:
        """Of the run: a called agent's has no more time than is left of its caller's."""
        limits = self.contract.limits
        if self.above is None:
            return limits
        left_ms = max(1, int(self.above.budget.seconds_left * 1000))
        return replace(limits, wall_ms_max=min(limits.wall_ms_max, left_ms))


class Invocations:
    """Carries calls through the one path."""

    def __init__(
        self,
        *,
        callers: Callers,
        store: Store,
        tiers: Tiers,
        lease: Lease,
        admission: Admission,
        reserve: Reserve,
        seats: Seats,
        fitting: Fitting,
        contracts: Contracts,
        live: LiveRuns,
        rates: DryRunRates,
        metrics: Metrics,
        followers: Followers,
        turns: Turns,
    ) -> None:
        self._callers = callers
        self._store = store
        self._tiers = tiers
        self._lease = lease
        self._admission = admission
        self._reserve = reserve
        self._seats = seats
        self._fitting = fitting
        self._contracts = contracts
        self._live = live
        self._rates = rates
        self._metrics = metrics
        self._followers = followers
        self._turns = turns
        self._settling = Settling(store, lease, followers, turns)
        self._raising = Raising(tiers, store, contracts)

    async def close(self) -> None:
        """Leave to the reaper what could not be released. Idempotent."""
        await self._settling.close()

    async def invoke(self, call: Call) -> Answer:
        """Carry one call from its token to its answer. Once begun, the run is finished whatever happens to the caller.

        Raises:
            UnauthenticatedError, IssuerUnavailableError, ForeignPathError, InvalidRequestError, InvalidInputsError,
            UnknownAgentError, VersionMovedError, UserBusyError, UserBytesError, TooManyDryRunsError, ServerBusyError,
            ShuttingDownError, TierUnavailableError, InsufficientCreditsError, StoreUnavailableError: nothing is held.
            RunLostError: a run began and was lost; it is not charged.
        """
        watch = Stopwatch()
        principal = await self._callers.authenticate(call.authorization)
        call.authenticated(principal)
        authorise(principal, call.user_id)
        watch.lap("auth")

        test = call.read_test()
        with self._rates.call(principal.user_id, dry=test), self._admission.call(principal.user_id, dry=test):
            order = await self._prepare(principal, call.agent_name, await call.read(), test=test)
            watch.lap("")
            async with self._admission.beginning(principal.user_id, call.gone) as beginning:
                watch.lap("wait")
                order, run, gloves, lines = await self._begin(principal, order, call.run_id, call.begun)
                watch.lap("begin")
                beginning.executes()
                with self._metrics.run(order.contract.tier, test=test) as count:
                    order, result, ended_in = await self._run(principal, order, run, gloves, lines)
                    watch.lap("sandbox")
                    settled = await self._settling.finish(principal, run, result, lines, gloves, ended_in)
                    result, end, charge = settled.result, settled.end, settled.charge
                    watch.lap("finish")
                    count.ended(end.outcome, end.reason, charge.charge_microcredits)
                self._metrics.timed(watch.laps_ms)

        if isinstance(result, Lost):
            raise result.error(run.run_id)
        answer = partial(
            answer_for,
            result,
            end,
            charge,
            run_id=run.run_id,
            tier=order.contract.tier,
            test=test,
            gloves=gloves,
            timing=watch.server_timing,
            request_id=call.request_id,
            rate=run.rate,
        )
        return await compute(answer, gloves.recorded_bytes if test else 0)

    async def call_agent(
        self, principal: Principal, above: CallingRun, agent_name: str, inputs: Mapping[str, Any]
    ) -> Called:
        """Run another agent for a run, at once or not at all; whatever becomes of the caller, it is settled.

        Raises:
            EffectError: nothing of it ran.
            StoreUnavailableError: nothing of it ran, or it was lost.
        """
        asked = Asked(inputs=inputs, mocks=above.mocks)
        with refusals_of_calls(agent_name), self._reserve.place(principal.user_id):
            order = await self._prepare(principal, agent_name, asked, test=above.test, above=above)
            above.require_callable(order.contract.agent_id, agent_name)
            self._seats.require(principal.user_id, order.contract.tier)
            run_id = uuid_utils.compat.uuid7()
            order, run, gloves, lines = await self._begin(principal, order, run_id, _nobody_waits)
            return await self._live.carry_called(run_id, self._carry_called(principal, order, run, gloves, lines))

    async def _carry_called(
        self, principal: Principal, order: Order, run: BegunRun, gloves: RunGloves, lines: LiveLog
    ) -> Called:
        with self._metrics.run(order.contract.tier, test=order.test) as count:
            order, result, ended_in = await self._run(principal, order, run, gloves, lines)
            try:
                settled = await self._settling.finish(principal, run, result, lines, gloves, ended_in)
            except RunLostError:
                return Called(run.run_id, None)
            count.ended(settled.end.outcome, settled.end.reason, settled.charge.charge_microcredits)
        return called_of(order.contract, run.run_id, settled.result, gloves, settled.charge)

    async def _prepare(
        self, principal: Principal, agent_name: str, asked: Asked, *, test: bool, above: CallingRun | None = None
    ) -> Order:
        if not is_agent_name(agent_name):
            raise UnknownAgentError(agent_name)
        contract = self._contracts.kept(principal, agent_name)
        if contract is not None:
            try:
                return Order(contract, await asked.inputs_for(contract.inputs), asked, test, above)
            except InvalidInputsError:  # perhaps only by a version that is no longer the current one
                self._contracts.drop(principal, agent_name)
        contract = await self._contracts.load(principal, agent_name)
        return Order(contract, await asked.inputs_for(contract.inputs), asked, test, above)

    async def _begin(
        self, principal: Principal, order: Order, run_id: UUID, begun: Callable[[Run], None]
    ) -> tuple[Order, BegunRun, RunGloves, LiveLog]:
        retries_left = VERSION_RETRIES_MAX
        while True:
            start = self._start(order, run_id)
            try:
                async with self._turns.taken(principal.user_id):
                    run = await self._store.begin(principal, start)
            except (VersionMovedError, UnknownAgentError):  # unknown is also what was deleted and made anew
                self._contracts.drop(principal, order.contract.agent_name)
                if not retries_left:
                    raise
                retries_left -= 1
                name, asked = order.contract.agent_name, order.asked
                order = await self._prepare(principal, name, asked, test=order.test, above=order.above)
            else:
                structlog.contextvars.bind_contextvars(run_id=str(run.run_id), user_id=str(run.user_id))
                begun(run_as_begun(start, order.contract.tier, run))
                lines = LiveLog(partial(self._append, principal, run), self._live.start)
                return order, run, self._gloves_for(principal, order, start, run, lines), lines

    def _gloves_for(
        self, principal: Principal, order: Order, start: RunStart, run: BegunRun, lines: LiveLog
    ) -> RunGloves:
        fit = Fit(
            principal,
            run,
            order.contract.agent_id,
            order.contract.allowed_hosts,
            order.limits,
            order.test,
            start.seed,
            order.asked.mocks,
            order.above,
        )
        return self._fitting.gloves_for(fit, partial(self.call_agent, principal), lines.take)

    def _start(self, order: Order, run_id: UUID) -> RunStart:
        wall = self._tiers.wall(Tier(order.contract.tier))
        return RunStart(
            run_id=run_id,
            agent_id=order.contract.agent_id,
            agent_name=order.contract.agent_name,
            version=order.contract.version,
            test=order.test,
            inputs=order.inputs,
            seed=secrets.randbits(63),
            wall=wall.kind.value,
            wall_missing=wall.missing,
            server_id=self._lease.server_id,
            dry_runs_per_hour_max=self._rates.per_hour_max,
            parent_run_id=None if order.above is None else order.above.run_id,
        )

    async def _run(
        self, principal: Principal, order: Order, run: BegunRun, gloves: RunGloves, lines: LiveLog
    ) -> tuple[Order, Result | Lost, EndedIn | None]:
        """Run the program; where its tier cannot, and no glove was called yet, once more in the next one."""
        result = await self._execute(order, run, gloves, lines)
        if isinstance(result, Lost) or result.outcome is not Outcome.TIER_UNSUITED:
            return order, result, None
        raised = await self._raising.raised(principal, order.contract, result)
        if raised is None or gloves.effects:
            return order, result, None
        order = replace(order, contract=raised.contract)
        lines.begin_again()
        result = await self._execute(order, run, gloves, lines)
        if not isinstance(result, Lost):
            result = replace(result, logs=tuple(lines.lines))
        return order, result, raised.ended_in

    async def _execute(self, order: Order, run: BegunRun, gloves: RunGloves, lines: LiveLog) -> Result | Lost:
        """Run the program. Never raises: every way out must reach its settling."""
        contract, limits = order.contract, order.limits
        started = time.perf_counter()
        seat = self._seats.taken(run.user_id, contract.tier, called=order.above is not None)
        try:
            with self._live.interruptible(run.run_id):
                async with seat, asyncio.timeout(limits.wall_ms_max / 1000 + SANDBOX_GRACE_S):
                    gloves.start()
                    sandbox = self._tiers.get(Tier(contract.tier))
                    return await sandbox.run(contract.program, order.inputs, limits, gloves)
        except SandboxBusyError:
            return Lost(started=False)
        except TierUnavailableError:
            return Lost(started=False, tier_gone=True)
        except RunCancelledError:
            return cancelled_result(lines.lines, round((time.perf_counter() - started) * 1000))
        except (SandboxError, TimeoutError, RunInterruptedError) as exc:
            log.warning("run lost", error=type(exc).__name__)
            return Lost()
        # The boundary around one run: a defect of ours must neither charge the caller nor leave the hold standing.
        except Exception:
            log.exception("run lost")
            return Lost()

    async def _append(self, principal: Principal, run: BegunRun, records: Sequence[LogRecord]) -> bool:
        lives = await self._store.append_logs(principal, run, records)
        self._followers.tell(run.run_id)
        return lives


def _nobody_waits(run: Run) -> None:
    """A called agent's run has no caller from outside who is told that it began."""


def authorise(principal: Principal, user_id: UUID) -> None:
    """Raise ForeignPathError unless the path names the caller."""
    if principal.user_id != user_id:
        raise ForeignPathError
