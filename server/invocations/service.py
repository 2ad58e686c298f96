"""The one path: from a call of an agent's URL to its answer, held, run and settled."""

import asyncio
import secrets
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import structlog
import uuid_utils.compat

from agents_store.errors import (
    StaleRunError,
    StoreError,
    StoreUnavailableError,
    UnknownAgentError,
    VersionMovedError,
)
from agents_store.store import Store
from agents_store.types import BegunRun, Charge, Principal, RunEnd, RunStart
from sandbox.backend import Sandbox
from sandbox.errors import SandboxBusyError, SandboxError
from sandbox.types import Result
from server.agents.names import is_agent_name
from server.auth.verifier import Verifier
from server.errors import ForeignPathError, InvalidInputsError, RunLostError, RunNotStartedError
from server.gloves.run import RunGloves
from server.invocations.admission import Admission
from server.invocations.answers import Answer, Stopwatch, answer_for
from server.invocations.contracts import Contract, Contracts
from server.invocations.endings import Lost, end_of, lost_end
from server.invocations.inputs import Asked
from server.invocations.live import LiveRuns, RunInterruptedError
from server.leases import Lease

VERSION_RETRIES_MAX = 2
SANDBOX_GRACE_S = 30.0  # a sandbox ends runs by itself within their limit + 1 s; above this it is broken
RELEASE_PAUSE_S = 2.0
FINISH_PAUSES_S = (0.05, 0.1, 0.25, 0.5, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0)

log = structlog.get_logger("server.invocations")


class Call(Protocol):
    """One request for an invocation, read no further than it must be."""

    @property
    def request_id(self) -> UUID:
        """The request's id."""

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

    async def gone(self) -> None:
        """Return when the client has left."""


@dataclass(frozen=True, slots=True)
class Order:
    """A call that fits an agent's contract: nothing is held for it yet."""

    contract: Contract
    inputs: Mapping[str, Any]
    asked: Asked
    test: bool


class Invocations:
    """Carries calls through the one path."""

    def __init__(
        self,
        *,
        verifier: Verifier,
        store: Store,
        sandbox: Sandbox,
        lease: Lease,
        admission: Admission,
        contracts: Contracts,
        live: LiveRuns,
    ) -> None:
        self._verifier = verifier
        self._store = store
        self._sandbox = sandbox
        self._lease = lease
        self._admission = admission
        self._contracts = contracts
        self._live = live
        self._releases: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Leave to the reaper what could not be released. Idempotent."""
        releases = list(self._releases)
        for task in releases:
            task.cancel()
        await asyncio.gather(*releases, return_exceptions=True)

    async def invoke(self, call: Call) -> Answer:
        """Carry one call from its token to its answer. Once begun, the run is finished whatever happens to the caller.

        Raises:
            UnauthenticatedError, IssuerUnavailableError, ForeignPathError, InvalidRequestError, InvalidInputsError,
            UnknownAgentError, VersionMovedError, UserBusyError, ServerBusyError, ShuttingDownError,
            InsufficientCreditsError, StoreUnavailableError: nothing is held.
            RunLostError: a run began and was lost; it is not charged.
        """
        watch = Stopwatch()
        principal = await self._verifier.authenticate(call.authorization)
        call.authenticated(principal)
        authorise(principal, call.user_id)
        watch.lap("auth")

        test = call.read_test()
        with self._admission.call(principal.user_id, dry=test):
            order = await self._prepare(principal, call.agent_name, await call.read(), test=test)
            async with self._admission.place(principal.user_id, call.gone):
                watch.lap("")
                order, run, gloves = await self._begin(principal, order)
                watch.lap("begin")
                result = await self._execute(order, run, gloves)
                watch.lap("sandbox")
                end, charge = await self._finish(principal, run, result)
                watch.lap("finish")

        if isinstance(result, Lost):
            raise RunLostError(run.run_id) if result.started else RunNotStartedError(run.run_id)
        return answer_for(
            result,
            end,
            charge,
            run_id=run.run_id,
            tier=order.contract.tier,
            test=test,
            timing=watch.server_timing,
            request_id=call.request_id,
        )

    async def _prepare(self, principal: Principal, agent_name: str, asked: Asked, *, test: bool) -> Order:
        if not is_agent_name(agent_name):
            raise UnknownAgentError(agent_name)
        contract = self._contracts.kept(principal, agent_name)
        if contract is not None:
            try:
                return Order(contract, await asked.inputs_for(contract.inputs), asked, test)
            except InvalidInputsError:  # perhaps only by a version that is no longer the current one
                self._contracts.drop(principal, agent_name)
        contract = await self._contracts.load(principal, agent_name)
        return Order(contract, await asked.inputs_for(contract.inputs), asked, test)

    async def _begin(self, principal: Principal, order: Order) -> tuple[Order, BegunRun, RunGloves]:
        retries_left = VERSION_RETRIES_MAX
        while True:
            start = self._start(order)
            try:
                run = await self._store.begin(principal, start)
            except (VersionMovedError, UnknownAgentError):  # unknown is also what was deleted and made anew
                self._contracts.drop(principal, order.contract.agent_name)
                if not retries_left:
                    raise
                retries_left -= 1
                order = await self._prepare(principal, order.contract.agent_name, order.asked, test=order.test)
            else:
                structlog.contextvars.bind_contextvars(run_id=str(run.run_id), user_id=str(run.user_id))
                return order, run, RunGloves(start.test, start.seed, run.started_at)

    def _start(self, order: Order) -> RunStart:
        wall = self._sandbox.wall
        return RunStart(
            run_id=uuid_utils.compat.uuid7(),
            agent_id=order.contract.agent_id,
            agent_name=order.contract.agent_name,
            version=order.contract.version,
            test=order.test,
            inputs=order.inputs,
            seed=secrets.randbits(63),
            wall=wall.kind.value,
            wall_missing=wall.missing,
            server_id=self._lease.server_id,
        )

    async def _execute(self, order: Order, run: BegunRun, gloves: RunGloves) -> Result | Lost:
        """Run the program. Never raises: every way out must reach `_finish`."""
        contract = order.contract
        try:
            with self._live.interruptible(run.run_id):
                async with asyncio.timeout(contract.limits.wall_ms_max / 1000 + SANDBOX_GRACE_S):
                    return await self._sandbox.run(contract.program, order.inputs, contract.limits, gloves)
        except SandboxBusyError:
            return Lost(started=False)
        except (SandboxError, TimeoutError, RunInterruptedError) as exc:
            log.warning("run lost", error=type(exc).__name__)
            return Lost()
        # The boundary around one run: a defect of ours must neither charge the caller nor leave the hold standing.
        except Exception:
            log.exception("run lost")
            return Lost()

    async def _finish(self, principal: Principal, run: BegunRun, result: Result | Lost) -> tuple[RunEnd, Charge]:
        """Settle a run. Raises RunLostError when somebody else ended it, or it could not be stored as it ended."""
        try:
            end = lost_end() if isinstance(result, Lost) else await end_of(result)
            return end, await self._settle(principal, run, end)
        except StaleRunError as exc:
            log.warning("run was ended by another process")
            raise RunLostError(run.run_id) from exc
        # The boundary around one run's end: whatever is in the way of storing it must not keep its hold.
        except Exception as exc:
            log.exception("finish failed")
            if not await self._released(principal, run):
                self._keep(self._release_later(principal, run, self._lease.server_id))
            raise RunLostError(run.run_id) from exc

    async def _settle(self, principal: Principal, run: BegunRun, end: RunEnd) -> Charge:
        """Finish, again and again while the database is away and the lease may live."""
        for attempt, pause_s in enumerate(FINISH_PAUSES_S):
            try:
                return await self._store.finish(principal, run, end)
            except StoreUnavailableError:
                if self._lease.seconds_left <= pause_s:
                    raise
                await asyncio.sleep(pause_s)
            except StaleRunError:
                if attempt == 0:
                    raise
                return await self._charged(principal, run, end)
        return await self._store.finish(principal, run, end)

    async def _charged(self, principal: Principal, run: BegunRun, end: RunEnd) -> Charge:
        """What a finish whose answer was lost did after all.

        Raises StaleRunError when it was somebody else's, or when what a free run would have cost cannot be told.
        """
        stored = await self._store.get_run(principal, run.run_id)
        if not run.hold_microcredits or (stored.state, stored.outcome, stored.reason) != (
            end.state,
            end.outcome,
            end.reason,
        ):
            raise StaleRunError(f"run {run.run_id} was ended by another process")
        return Charge(stored.charge_microcredits, stored.charge_microcredits)

    async def _released(self, principal: Principal, run: BegunRun) -> bool:
        """End a run as lost. False when the store cannot do it now."""
        try:
            await self._store.finish(principal, run, lost_end())
        except StaleRunError:
            return True
        except StoreError as exc:
            log.warning("hold not released", error=type(exc).__name__)
            return False
        return True

    async def _release_later(self, principal: Principal, run: BegunRun, server_id: UUID) -> None:
        """Release a hold as soon as the database answers; under another lease the run is being reaped anyway."""
        while self._lease.server_id == server_id:
            await asyncio.sleep(RELEASE_PAUSE_S)
            if await self._released(principal, run):
                return

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._releases.add(task)
        task.add_done_callback(self._releases.discard)


def authorise(principal: Principal, user_id: UUID) -> None:
    """Raise ForeignPathError unless the path names the caller."""
    if principal.user_id != user_id:
        raise ForeignPathError
