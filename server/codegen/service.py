"""Generations from what a caller asks for to what becomes of it: held, made, stored, settled."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import structlog
import uuid_utils.compat

from agents_store.errors import (
    AgentExistsError,
    UnknownAgentError,
)
from agents_store.generations import GenerationEnd, GenerationKind, GenerationStart, GenerationState, TokenUsage
from agents_store.store import Store
from agents_store.types import AgentDetail, NewVersion, Principal
from sandbox.types import Limits
from server.agents.drafts import check_draft, read_hosts
from server.agents.names import is_agent_name
from server.agents.schemas import CreateAgent
from server.codegen.loop import Loop, NoAttemptPassedError, Order, RefusedError, Work
from server.codegen.orders import (
    creation_contract,
    creation_order,
    proposed_hosts,
    revision_contract,
    revision_order,
    split_examples,
)
from server.codegen.progress import Progress
from server.codegen.prompt import input_tokens_max
from server.codegen.provider import MessagesApi
from server.codegen.schemas import ReviseAgent
from server.codegen.settling import Settling
from server.errors import (
    INTERNAL,
    GenerationFailedError,
    GenerationRefusedError,
    InvalidRequestError,
    ServerBusyError,
    ShuttingDownError,
    problem_of,
)
from server.invocations.admission import Admission
from server.invocations.contracts import Contracts
from server.invocations.live import LiveRuns, RunCancelledError, RunInterruptedError
from server.leases import Lease

StoreVersion = Callable[[NewVersion], Awaitable[AgentDetail]]

log = structlog.get_logger("server.codegen")


@dataclass(frozen=True, slots=True)
class Generated:
    """What a generation became."""

    detail: AgentDetail
    generation_id: UUID
    summary: str
    attempts: int
    usage: TokenUsage
    charge_microcredits: int | None
    proposed_hosts: Sequence[str]


@dataclass(slots=True)
class Going:
    """A generation that goes on. Whoever waits for it may leave; `cancel` ends it."""

    generation_id: UUID
    progress: Progress
    task: asyncio.Task[Generated]
    live: LiveRuns
    unwanted: asyncio.Event

    async def result(self) -> Generated:
        """What it becomes. Raises what `Generations.create` names."""
        return await asyncio.shield(self.task)

    def cancel(self) -> None:
        """End it; what it used until now is charged. Idempotent."""
        self.unwanted.set()
        if not self.task.done():
            self.live.cancel(self.generation_id)


@dataclass(frozen=True, slots=True)
class _Job:
    """One generation that nothing is held for yet. `unwanted` is set where it was cancelled, maybe before its hold."""

    start: GenerationStart
    order: Order
    keep: StoreVersion
    work: Work
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    unwanted: asyncio.Event = field(default_factory=asyncio.Event)


class Generations:
    """Makes agents of descriptions, and new versions of instructions."""

    def __init__(
        self,
        *,
        store: Store,
        model: MessagesApi,
        loop: Loop,
        lease: Lease,
        admission: Admission,
        live: LiveRuns,
        contracts: Contracts,
        ceilings: Limits,
        generations_live_max: int,
    ) -> None:
        self._store = store
        self._model = model
        self._loop = loop
        self._lease = lease
        self._admission = admission
        self._live = live
        self._contracts = contracts
        self.ceilings = ceilings
        self._places = generations_live_max
        self._settling = Settling(store, lease)

    async def close(self) -> None:
        """Leave to the reaper what could not be settled, and close what speaks to the model. Idempotent."""
        await self._settling.close()
        await self._model.close()

    async def create(self, principal: Principal, asked: CreateAgent) -> Going:
        """Begin to make an agent of its description.

        Raises, before anything is held:
            GenerationUnavailableError, UnknownEngineError: no model is set up.
            InvalidRequestError: what is asked for is not acceptable.
            AgentExistsError: the name is taken.
            GenerationUnaffordableError: the worst case costs more than the caller has.
            UserBusyError, ServerBusyError, ShuttingDownError, StoreUnavailableError.

        And, when it has ended:
            GenerationFailedError, GenerationRefusedError: nothing was created; the attempts are kept.
            GenerationUnavailableError, ModelUnavailableError, and the errors of checking and running.
        """
        with self._admission.call(principal.user_id, dry=True):
            job = await self._creation(principal, asked)
        return await self._begin(job)

    async def revise(self, principal: Principal, agent_name: str, asked: ReviseAgent) -> Going:
        """Begin to change an agent as an instruction says. Examples that may not change must still hold.

        Raises as `create`, and UnknownAgentError; at its end RevisionMovedError, where the agent was changed meanwhile.
        """
        with self._admission.call(principal.user_id, dry=True):
            job = await self._revision(principal, agent_name, asked)
        return await self._begin(job)

    async def _creation(self, principal: Principal, asked: CreateAgent) -> _Job:
        contract = creation_contract(asked)
        read_hosts(contract.allowed_hosts)
        await check_draft(contract, self.ceilings)
        self._model.require()
        await self._require_free(principal, asked.agent_name)
        order = creation_order(principal, await self._store.read_engine(principal), asked, contract)

        async def keep(version: NewVersion) -> AgentDetail:
            return await self._store.create_agent(principal, asked.agent_name, asked.description, version)

        return self._job(GenerationKind.CREATE, asked.agent_name, asked.description, order, keep)

    async def _revision(self, principal: Principal, agent_name: str, asked: ReviseAgent) -> _Job:
        if not is_agent_name(agent_name):
            raise UnknownAgentError(agent_name)
        current = await self._store.get_agent(principal, agent_name)
        self._model.require()
        pinned, free = split_examples(current.version.examples, asked)
        contract = revision_contract(current.version, pinned)
        await check_draft(contract, self.ceilings)
        engine = await self._store.read_engine(principal)
        order = revision_order(principal, engine, asked, current, contract, pinned, free)

        async def keep(version: NewVersion) -> AgentDetail:
            edited = await self._store.edit_agent(principal, current.agent, description=None, version=version)
            self._contracts.drop(principal, agent_name)
            return edited

        return self._job(GenerationKind.REVISE, agent_name, asked.instruction, order, keep)

    async def _require_free(self, principal: Principal, agent_name: str) -> None:
        try:
            await self._store.get_agent(principal, agent_name)
        except UnknownAgentError:
            return
        raise AgentExistsError(agent_name)

    def _job(self, kind: GenerationKind, agent_name: str, request: str, order: Order, keep: StoreVersion) -> _Job:
        engine = order.engine
        tokens_max = input_tokens_max(engine, order.fixed, order.task)
        if tokens_max > engine.input_tokens_max:
            over = tokens_max - engine.input_tokens_max
            raise InvalidRequestError(f"What the model would have to read is {over} bytes too long; shorten it.")
        start = GenerationStart(
            generation_id=uuid_utils.compat.uuid7(),
            kind=kind,
            agent_name=agent_name,
            request=request,
            model=engine.model,
            prompt_version=engine.prompt_version,
            attempts_max=engine.repairs_max + 1,
            input_tokens_max=tokens_max,
            output_tokens_max=engine.output_tokens_max,
            server_id=self._lease.server_id,
        )
        return _Job(start, order, keep, Work(Progress()))

    async def _begin(self, job: _Job) -> Going:
        """Carry a job in a task of its own, and wait until its hold stands. Raises what kept it from beginning."""
        task = self._live.start(self._carry(job))
        going = Going(job.start.generation_id, job.work.progress, task, self._live, job.unwanted)
        waiting = asyncio.ensure_future(job.begun.wait())
        try:
            await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            task.add_done_callback(_passed_over)
            going.cancel()
            raise
        finally:
            waiting.cancel()
        if not job.begun.is_set():
            task.result()
        task.add_done_callback(_passed_over)
        return going

    async def _carry(self, job: _Job) -> Generated:
        """One generation from its hold to its settlement, whatever becomes of whoever asked for it."""
        principal = job.order.principal
        with self._admission.call(principal.user_id, dry=True), self._place():
            await self._store.begin_generation(principal, job.start)
            ended = await self._make(job)
            end = _end_of(ended, job.work)
            charge = await self._settling.finish(principal, job.start, end)
            job.work.progress.end()
        log.info(
            "generation ended",
            generation_id=str(job.start.generation_id),
            state=end.state.value,
            reason=end.reason,
            attempts=len(end.attempts),
            charge_microcredits=charge,
        )
        if isinstance(ended, Exception):
            raise _told(ended, job, charge)
        last = job.work.attempts[-1]
        return Generated(
            detail=ended,
            generation_id=job.start.generation_id,
            summary=last.summary,
            attempts=len(job.work.attempts),
            usage=end.usage,
            charge_microcredits=charge,
            proposed_hosts=proposed_hosts(last.hosts, job.order.allowed_hosts),
        )

    async def _make(self, job: _Job) -> AgentDetail | Exception:
        try:
            with self._live.interruptible(job.start.generation_id):
                job.begun.set()
                if job.unwanted.is_set():
                    raise RunCancelledError
                version = await self._loop.make(job.order, job.work)
            detail = await job.keep(version)
            job.work.progress.step("ready", step="ready")
            return detail
        # The boundary around one generation: whatever ended it, its hold is settled before anybody is told.
        except Exception as exc:
            if problem_of(exc) is INTERNAL and not isinstance(
                exc, (NoAttemptPassedError, RefusedError, RunInterruptedError)
            ):
                log.exception("generation failed")
            return exc

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._places <= 0:
            raise ServerBusyError
        self._places -= 1
        try:
            yield
        finally:
            self._places += 1


def _end_of(ended: AgentDetail | Exception, work: Work) -> GenerationEnd:
    state, reason, version = GenerationState.FAILED, None, None
    match ended:
        case AgentDetail():
            state, version = GenerationState.READY, ended.agent.version
        case RunCancelledError():
            state = GenerationState.CANCELLED
        case RunInterruptedError():
            reason = "interrupted"
        case NoAttemptPassedError():
            reason = "no_attempt_passed"
        case RefusedError():
            reason = "refused"
        case _:
            reason = problem_of(ended).code
    attempts = [attempt.to_json() for attempt in work.attempts]
    return GenerationEnd(state, reason, work.meter.total, attempts, version)


def _told(ended: Exception, job: _Job, charge: int | None) -> Exception:
    """What the caller gets."""
    generation_id = job.start.generation_id
    match ended:
        case NoAttemptPassedError():
            attempts = [attempt.to_json() for attempt in job.work.attempts]
            return GenerationFailedError(generation_id, charge, attempts)
        case RefusedError():
            return GenerationRefusedError(generation_id, charge, ended.category)
        case RunInterruptedError():
            return ShuttingDownError()
    return ended


def _passed_over(task: asyncio.Task[Generated]) -> None:
    """What a generation comes to that nobody waits for is stored."""
    if not task.cancelled():
        task.exception()
