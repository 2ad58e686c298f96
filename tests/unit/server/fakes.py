"""Stand-ins for the three packages below the server, in memory: what a unit test can see through and break."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, cast
from uuid import UUID, uuid4

from agents_store.blobs import Blobs
from agents_store.errors import (
    AgentExistsError,
    InsufficientCreditsError,
    RevisionMovedError,
    RunFinishedError,
    StaleRunError,
    StoreUnavailableError,
    UnknownAgentError,
    UnknownApiKeyError,
    UnknownRunError,
    UnknownVersionError,
    VersionMovedError,
)
from agents_store.store import Store
from agents_store.types import (
    ANY_RUN,
    Agent,
    AgentDetail,
    AgentStatus,
    ApiKey,
    ApiKeyOwner,
    Balance,
    BegunRun,
    Charge,
    Claim,
    EffectRecord,
    Entry,
    LogRecord,
    LogTail,
    NewApiKey,
    NewVersion,
    Notice,
    Page,
    Principal,
    Purged,
    Run,
    RunEnd,
    RunFilter,
    RunStart,
    RunState,
    StoredAnswer,
    TailLine,
    Version,
    VersionDetail,
)
from sandbox.types import Gloves, Inputs, Limits, Outcome, Program, Refusal, Result, Tier, Usage, Wall, WallKind
from server.auth.errors import Reason, UnauthenticatedError
from server.gloves.dialling import ResolveError
from server.gloves.embeddings import LocalEmbedder
from server.gloves.fetch import Network
from server.gloves.files import Files
from server.gloves.fitting import Fitting
from server.gloves.hosts import Address
from server.gloves.secret_box import SecretBox
from server.gloves.vault import Vault

PRICE = 100

Behaviour = Callable[[Program, Inputs], Awaitable[Result]]


class FakeVerifier:
    """Takes `Bearer <uuid>` for that user."""

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def authenticate(self, authorization: str | None) -> Principal:
        try:
            return Principal(UUID((authorization or "").removeprefix("Bearer ")))
        except ValueError:
            raise UnauthenticatedError(Reason.MALFORMED) from None


async def answer_inputs(program: Program, inputs: Inputs) -> Result:
    return Result(Outcome.SUCCEEDED, value=dict(inputs), usage=Usage(wall_ms=1, cpu_ms=1, output_bytes=2))


class FakeSandbox:
    """Does what `behaviour` says."""

    def __init__(self) -> None:
        self.behaviour: Behaviour = answer_inputs
        self.refusals: tuple[Refusal, ...] = ()
        self.runs: list[Inputs] = []
        self.gloves: Gloves | None = None
        self.started = asyncio.Event()

    tier = Tier.RESTRICTED
    missing: tuple[str, ...] = ()
    wall = Wall(WallKind.MINIMUM, ("user namespace",))

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def check(self, program: Program) -> tuple[Refusal, ...]:
        return self.refusals

    async def run(self, program: Program, inputs: Inputs, limits: Limits, gloves: Gloves) -> Result:
        self.runs.append(inputs)
        self.gloves = gloves
        self.started.set()
        return await self.behaviour(program, inputs)


@dataclass
class _Unasked:
    """What no test with a fake store asks of it: the tests of the real ones do."""

    add_file: ClassVar[Any] = None
    applied_effects: ClassVar[Any] = None
    apply_file: ClassVar[Any] = None
    apply_memory: ClassVar[Any] = None
    begin_apply: ClassVar[Any] = None
    begin_generation: ClassVar[Any] = None
    conclude_effect: ClassVar[Any] = None
    delete_memory: ClassVar[Any] = None
    delete_secret: ClassVar[Any] = None
    find_secret: ClassVar[Any] = None
    finish_generation: ClassVar[Any] = None
    forget_files: ClassVar[Any] = None
    get_file: ClassVar[Any] = None
    get_generation: ClassVar[Any] = None
    get_memory: ClassVar[Any] = None
    list_effects: ClassVar[Any] = None
    list_files: ClassVar[Any] = None
    list_generations: ClassVar[Any] = None
    list_memory: ClassVar[Any] = None
    list_secrets: ClassVar[Any] = None
    put_memory: ClassVar[Any] = None
    put_secret: ClassVar[Any] = None
    raise_tier: ClassVar[Any] = None
    read_engine: ClassVar[Any] = None
    recorded_run: ClassVar[Any] = None
    reserve_file: ClassVar[Any] = None
    search_memory: ClassVar[Any] = None
    take_dry_run: ClassVar[Any] = None
    unneeded_files: ClassVar[Any] = None


@dataclass
class FakeStore(_Unasked):
    """Agents, runs and one balance per user, in memory. `down` counts the calls that it still refuses."""

    balances: dict[UUID, int] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)
    details: dict[tuple[UUID, str], AgentDetail] = field(default_factory=dict)
    starts: dict[UUID, RunStart] = field(default_factory=dict)
    begun: dict[UUID, BegunRun] = field(default_factory=dict)
    ends: dict[UUID, RunEnd] = field(default_factory=dict)
    claimed: dict[UUID, list[EffectRecord]] = field(default_factory=dict)
    registered: list[UUID] = field(default_factory=list)
    retired: list[UUID] = field(default_factory=list)
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    down: int = 0
    export: list[str] = field(default_factory=list)
    erased: list[UUID] = field(default_factory=list)
    retentions: list[timedelta] = field(default_factory=list)
    finish_refusal: Exception | None = None
    appended: dict[UUID, list[list[LogRecord]]] = field(default_factory=dict)
    announced: list[UUID] = field(default_factory=list)
    cancels: list[UUID] = field(default_factory=list)
    notes: list[Notice] = field(default_factory=list)
    kept: dict[str, StoredAnswer] = field(default_factory=dict)
    freed: list[tuple[str, bool]] = field(default_factory=list)
    reads: int = 0
    api_keys: dict[bytes, ApiKeyOwner] = field(default_factory=dict)
    key_lookups: int = 0
    touched: list[UUID] = field(default_factory=list)

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def ping(self) -> None:
        self._reach()

    def put_agent(
        self, user_id: UUID, agent_name: str, *, number: int = 1, schema: dict[str, object] | None = None
    ) -> AgentDetail:
        now = datetime.now(UTC)
        known = self.details.get((user_id, agent_name))
        agent_id = uuid4() if known is None else known.agent.id
        agent = Agent(agent_id, user_id, agent_name, "", AgentStatus.ACTIVE, "restricted", number, number, now, now)
        limits = {
            name: getattr(Limits(), name)
            for name in ("wall_ms_max", "cpu_ms_max", "memory_bytes_max", "output_bytes_max")
        }
        detail = AgentDetail(agent, NewVersion("def run(): pass", "auto", "restricted", limits, schema))
        self.details[user_id, agent_name] = detail
        return detail

    async def create_agent(
        self, principal: Principal, agent_name: str, description: str, version: NewVersion
    ) -> AgentDetail:
        self._reach()
        if (principal.user_id, agent_name) in self.details:
            raise AgentExistsError(agent_name)
        detail = self.put_agent(principal.user_id, agent_name)
        detail = AgentDetail(replace(detail.agent, description=description), version)
        self.details[principal.user_id, agent_name] = detail
        return detail

    async def list_agents(
        self, principal: Principal, *, agent_name: str | None, limit: int, cursor: str | None
    ) -> Page[Agent]:
        self._reach()
        if cursor is not None:
            raise ValueError(cursor)
        found = [detail.agent for (user_id, _), detail in self.details.items() if user_id == principal.user_id]
        return Page([agent for agent in found if agent_name in (None, agent.agent_name)][:limit], None)

    async def get_agent(self, principal: Principal, agent_name: str) -> AgentDetail:
        self._reach()
        self.reads += 1
        await asyncio.sleep(0)
        try:
            return self.details[principal.user_id, agent_name]
        except KeyError:
            raise UnknownAgentError(agent_name) from None

    async def delete_agent(self, principal: Principal, agent_name: str) -> None:
        self._reach()
        if self.details.pop((principal.user_id, agent_name), None) is None:
            raise UnknownAgentError(agent_name)

    async def edit_agent(
        self, principal: Principal, agent: Agent, *, description: str | None, version: NewVersion | None
    ) -> AgentDetail:
        self._reach()
        known = self.details.get((principal.user_id, agent.agent_name))
        if known is None:
            raise UnknownAgentError(agent.agent_name)
        if (known.agent.id, known.agent.revision) != (agent.id, agent.revision):
            raise RevisionMovedError
        edited = replace(
            known.agent,
            description=known.agent.description if description is None else description,
            version=known.agent.version + (version is not None),
            revision=known.agent.revision + 1,
        )
        detail = AgentDetail(edited, version or known.version)
        self.details[principal.user_id, agent.agent_name] = detail
        return detail

    async def activate_version(
        self, principal: Principal, agent_name: str, version: int, *, revision: int | None
    ) -> AgentDetail:
        self._reach()
        raise UnknownVersionError

    async def list_versions(
        self, principal: Principal, agent_name: str, *, limit: int, cursor: str | None
    ) -> Page[Version]:
        self._reach()
        return Page([], None)

    async def get_version(self, principal: Principal, agent_name: str, version: int) -> VersionDetail:
        self._reach()
        raise UnknownVersionError

    async def export_account(self, principal: Principal) -> AsyncIterator[str]:
        self._reach()
        for line in self.export:
            await asyncio.sleep(0)
            yield line

    async def erase_account(self, principal: Principal) -> None:
        self._reach()
        self.erased.append(principal.user_id)

    async def purge(self, retention: timedelta) -> Purged:
        self._reach()
        self.retentions.append(retention)
        return Purged(0, 0)

    async def begin(self, principal: Principal, start: RunStart) -> BegunRun:
        self._reach()
        detail = self.details.get((principal.user_id, start.agent_name))
        if detail is None or detail.agent.id != start.agent_id:
            raise UnknownAgentError(start.agent_name)
        if detail.agent.version != start.version:
            raise VersionMovedError
        hold = 0 if start.test else PRICE
        if self.balances.setdefault(principal.user_id, 10 * PRICE) < hold:
            raise InsufficientCreditsError(hold, self.balances[principal.user_id])
        self.balances[principal.user_id] -= hold
        run = BegunRun(start.run_id, principal.user_id, 1, hold, datetime.now(UTC))
        self.starts[run.run_id] = start
        self.begun[run.run_id] = run
        return run

    async def claim_effect(self, principal: Principal, run: BegunRun, effect: EffectRecord) -> None:
        self._reach()
        self.claimed.setdefault(run.run_id, []).append(effect)

    async def finish(self, principal: Principal, run: BegunRun, end: RunEnd) -> Charge:
        self._reach()
        if self.finish_refusal is not None:
            refusal, self.finish_refusal = self.finish_refusal, None
            raise refusal
        if run.run_id in self.ends:
            raise StaleRunError
        self.ends[run.run_id] = end
        self.finished.set()
        price = 1 if end.billable else 0
        charge = min(price, run.hold_microcredits)
        self.balances[run.user_id] += run.hold_microcredits - charge
        return Charge(charge, price)

    async def list_runs(
        self,
        principal: Principal,
        *,
        agent_name: str | None,
        limit: int,
        cursor: str | None,
        wanted: RunFilter = ANY_RUN,
    ) -> Page[Run]:
        self._reach()
        return Page([], None)

    async def get_run(self, principal: Principal, run_id: UUID) -> Run:
        self._reach()
        start = self.starts.get(run_id)
        if start is None:
            raise UnknownRunError
        end = self.ends.get(run_id)
        now = datetime.now(UTC)
        return Run(
            id=run_id,
            kind="invocation",
            agent_name=start.agent_name,
            version=start.version,
            tier="restricted",
            wall=start.wall,
            wall_missing=start.wall_missing,
            test=start.test,
            state=RunState.EXECUTING if end is None else end.state,
            outcome=None if end is None else end.outcome,
            reason=None if end is None else end.reason,
            inputs=start.inputs,
            result_json=None if end is None else end.result_json,
            error=None if end is None else end.error,
            wall_ms=None if end is None else end.wall_ms,
            cpu_ms=None if end is None else end.cpu_ms,
            peak_memory_bytes=None if end is None else end.peak_memory_bytes,
            output_bytes=None if end is None else end.output_bytes,
            charge_microcredits=1 if end is not None and end.billable and not start.test else 0,
            created_at=now,
            started_at=now,
            finished_at=None if end is None else now,
        )

    async def get_logs(self, principal: Principal, run_id: UUID, *, after_seq: int, limit: int) -> list[LogRecord]:
        self._reach()
        end = self.ends.get(run_id)
        if end is None:
            raise UnknownRunError
        return [record for record in end.logs if record.seq > after_seq][:limit]

    async def append_logs(self, principal: Principal, run: BegunRun, lines: Sequence[LogRecord]) -> bool:
        self._reach()
        if run.run_id in self.ends:
            return False
        self.appended.setdefault(run.run_id, []).append(list(lines))
        return True

    async def read_tail(self, principal: Principal, run_id: UUID, *, after_seq: int) -> LogTail:
        run = await self.get_run(principal, run_id)
        lines = [line for batch in self.appended.get(run_id, []) for line in batch]
        lines += self.ends[run_id].logs if run_id in self.ends else ()
        shown = [TailLine(line.seq, line.at_ms, line.message, line.fields, cut=False) for line in lines]
        after = [line for line in shown if line.seq > after_seq]
        return LogTail(run.state, run.outcome, run.reason, run.charge_microcredits, after)

    async def announce_end(self, run_id: UUID) -> None:
        self._reach()
        self.announced.append(run_id)

    async def request_cancel(self, principal: Principal, run_id: UUID) -> None:
        run = await self.get_run(principal, run_id)
        if run.outcome is not None:
            raise RunFinishedError(run_id, run.state.value)
        self.cancels.append(run_id)

    async def cancel_requests(self, server_id: UUID) -> Sequence[UUID]:
        self._reach()
        return list(self.cancels)

    async def notices(self) -> AsyncIterator[Notice]:
        for notice in self.notes:
            yield notice

    async def claim_key(
        self, principal: Principal, key: str, request_hash: bytes, *, run_id: UUID, server_id: UUID
    ) -> Claim | StoredAnswer:
        self._reach()
        return Claim(key, run_id, server_id)

    async def keep_answer(self, principal: Principal, claim: Claim, answer: StoredAnswer) -> None:
        self._reach()
        self.kept[claim.key] = answer

    async def free_key(self, principal: Principal, claim: Claim, *, in_doubt: bool) -> None:
        self._reach()
        self.freed.append((claim.key, in_doubt))

    async def get_balance(self, principal: Principal) -> Balance:
        self._reach()
        return Balance(self.balances.setdefault(principal.user_id, 10 * PRICE), 0)

    async def list_entries(self, principal: Principal, *, limit: int, cursor: str | None) -> Page[Entry]:
        self._reach()
        return Page([], None)

    async def create_api_key(self, principal: Principal, key: NewApiKey) -> ApiKey:
        self._reach()
        made = ApiKey(uuid4(), key.name, key.prefix, key.last4, datetime.now(UTC), None, None, None)
        self.api_keys[key.key_hash] = ApiKeyOwner(made.id, principal.user_id, None)
        return made

    async def list_api_keys(self, principal: Principal, *, limit: int, cursor: str | None) -> Page[ApiKey]:
        self._reach()
        return Page([], None)

    async def revoke_api_key(self, principal: Principal, api_key_id: UUID) -> None:
        self._reach()
        own = ApiKeyOwner(api_key_id, principal.user_id, None)
        for key_hash in [key_hash for key_hash, owner in self.api_keys.items() if owner == own]:
            del self.api_keys[key_hash]
            return
        raise UnknownApiKeyError

    async def find_api_key(self, key_hash: bytes) -> ApiKeyOwner | None:
        self.key_lookups += 1
        self._reach()
        await asyncio.sleep(0)
        return self.api_keys.get(key_hash)

    async def touch_api_keys(self, api_key_ids: Sequence[UUID]) -> None:
        self._reach()
        self.touched.extend(api_key_ids)

    async def register_server(self, server_id: UUID) -> None:
        self._reach()
        self.registered.append(server_id)

    async def reap(self) -> int:
        self._reach()
        return 0

    async def retire_server(self, server_id: UUID) -> None:
        self._reach()
        self.retired.append(server_id)

    async def read_limits(self) -> Mapping[str, int]:
        # Not counted by `down`, which is about what requests ask for.
        return self.limits

    async def live_servers(self) -> frozenset[str]:
        self._reach()
        return frozenset(f"here.{server_id}" for server_id in self.registered if server_id not in self.retired)

    def _reach(self) -> None:
        if self.down:
            self.down -= 1
            raise StoreUnavailableError


async def no_names(host: str, owner: str) -> Sequence[Address]:
    raise ResolveError("this test resolves nothing")


def fake_fitting(store: FakeStore) -> Fitting:
    """Gloves over a fake store: memory and files answer as far as it does, and nothing is reached."""
    kept = cast("Store", store)
    network = Network(no_names, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    vault = Vault(kept, SecretBox([bytes(32)]))
    return Fitting(kept, network, vault, LocalEmbedder(), Files(kept, cast("Blobs", None)))
