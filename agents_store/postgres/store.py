"""`PostgresStore`: the store contract on PostgreSQL, direct or through a pooler."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, TypeVar
from uuid import UUID

from psycopg import AsyncCursor
from psycopg.errors import UniqueViolation
from psycopg.rows import dict_row
from psycopg.types.numeric import Int4, Int8
from uuid_utils.compat import uuid7

from agents_store.errors import (
    AgentExistsError,
    InsufficientCreditsError,
    StaleRunError,
    StoreError,
    StoreUnavailableError,
    UnknownAgentError,
    UnknownRunError,
    VersionMovedError,
)
from agents_store.postgres.connection import Connection, Role, acting_as, build_pool, claims_of, connect, parse_dsn
from agents_store.postgres.cursors import decode_cursor, encode_cursor
from agents_store.postgres.queries import query
from agents_store.postgres.rows import Row, to_agent, to_agent_detail, to_entry, to_run
from agents_store.postgres.storable import storable_json, storable_text
from agents_store.postgres.translate import translated
from agents_store.postgres.verify import verify_login, verify_schema
from agents_store.types import (
    Agent,
    AgentDetail,
    Balance,
    BegunRun,
    Charge,
    Entry,
    LogRecord,
    NewVersion,
    Page,
    Principal,
    Run,
    RunEnd,
    RunStart,
)

T = TypeVar("T")
Params = Mapping[str, object]
Rows = AsyncCursor[Row]

OPERATION_S_MAX = 20.0  # backstop beyond the login role's statement_timeout, for a network that drops everything
PING_S_MAX = 2.0
REAP_BATCH_RUNS = 100
# How long a begin without an answer may still commit: longer than any statement of the login role lives.
ABANDONED_S_MAX = 60.0
PAGE_ITEMS_MAX = 1_000

_AFTER_EVERY_UUID = 2**128 - 1
_AFTER_EVERY_ENTRY = 2**63 - 1


class PostgresStore:
    """Implements `agents_store.store.Store`. Open it before use and close it after; it is bound to one event loop."""

    def __init__(self, dsn: str, *, pool_max: int) -> None:
        """Nothing is connected yet.

        Args:
            dsn: connection string of `glovebox_login`; port 6543 or `pgbouncer=true` tell of a pooler in
                transaction mode.
            pool_max: connections at most, from 1.

        Raises:
            StoreMisconfiguredError: `dsn` is no connection string.
        """
        self._dsn = parse_dsn(dsn)
        self._pool = build_pool(self._dsn, pool_max)
        self._abandoned: dict[UUID, float] = {}

    async def open(self) -> None:
        """Connect and verify role and schema.

        Raises:
            StoreMisconfiguredError: role or schema must not be served on; the message says what to do.
            StoreUnavailableError: the database cannot be reached.
        """
        with translated():
            # A connection of its own: the pool would retry a refusal until its time is up, and hide why.
            async with asyncio.timeout(OPERATION_S_MAX), await connect(self._dsn) as conn:
                await verify_login(conn)
                await verify_schema(conn)
            await self._pool.open()

    async def close(self) -> None:
        """Close every connection. Idempotent."""
        with translated():
            await self._pool.close()

    async def ping(self) -> None:
        """Prove within 2 s that the database answers. Raises StoreUnavailableError."""
        with translated():
            async with asyncio.timeout(PING_S_MAX), self._pool.connection(PING_S_MAX) as conn:
                await conn.execute(query("ping"))

    async def create_agent(
        self, principal: Principal, agent_name: str, description: str, version: NewVersion
    ) -> AgentDetail:
        """Store a new agent with its version 1.

        Raises:
            AgentExistsError: the caller has an agent of this name.
            ValueError: a name, a tier or a text that the schema refuses.
        """
        params = {
            "id": uuid7(),
            "user_id": principal.user_id,
            "agent_name": agent_name,
            "description": description,
            "code": version.code,
            "tier": version.tier,
            "resolved_tier": version.resolved_tier,
            "limits": _json(version.limits),
            "inputs_schema": None if version.inputs_schema is None else _json(version.inputs_schema),
            "examples": _json(version.examples),
            "reasons": _json(version.reasons or {}),
        }
        async with self._connection() as conn:
            try:
                async with acting_as(conn, Role.USER, claims_of(principal.user_id)):
                    stored = await _execute(conn, "insert_agent", params)
                    await _execute(conn, "insert_version", params)
                    await _execute(conn, "insert_version_tier", params)
            except UniqueViolation as exc:
                if exc.diag.constraint_name == "agents_name_once":
                    raise AgentExistsError(agent_name) from exc
                raise
            return AgentDetail(to_agent(_the(await stored.fetchone())), version)

    async def list_agents(
        self, principal: Principal, *, agent_name: str | None, limit: int, cursor: str | None
    ) -> Page[Agent]:
        """The caller's agents, newest first; with `agent_name` at most the one of that name.

        Raises:
            ValueError: `cursor` is none of this method, or `limit` is not 1 to 1,000.
        """
        name = "list_agents" if agent_name is None else "list_agents_by_name"
        before = UUID(int=_AFTER_EVERY_UUID if cursor is None else decode_cursor("agents", cursor))
        rows = await self._page(principal, name, limit, {"agent_name": agent_name, "before": before})
        return _to_page("agents", rows, limit, to_agent)

    async def get_agent(self, principal: Principal, agent_name: str) -> AgentDetail:
        """One of the caller's agents with its current version. Raises UnknownAgentError."""
        rows = await self._as_user(principal, "get_agent", {"agent_name": agent_name})
        if not rows:
            raise UnknownAgentError(agent_name)
        return to_agent_detail(rows[0])

    async def delete_agent(self, principal: Principal, agent_name: str) -> None:
        """Free the name and end its versions; runs and ledger stay. Raises UnknownAgentError."""
        if not await self._as_user(principal, "delete_agent", {"agent_name": agent_name}):
            raise UnknownAgentError(agent_name)

    async def begin(self, principal: Principal, start: RunStart) -> BegunRun:
        """In one round trip: verify the current version, hold the most that its limits allow, insert the run.

        Raises:
            UnknownAgentError, VersionMovedError, InsufficientCreditsError: nothing was held.
            StoreUnavailableError: nothing was held, or `reap` will release it.
            ValueError: inputs that are no JSON, or a run id that was used.
        """
        sent = False
        try:
            async with self._connection() as conn:
                params = _begin_params(principal, start)
                sent = True
                begun = await (await conn.execute(query("begin_run"), params)).fetchone()
        except (StoreUnavailableError, asyncio.CancelledError):
            if sent:
                # It may have committed, and this server lives on: nobody else would ever end it.
                self._abandoned[start.run_id] = monotonic() + ABANDONED_S_MAX
            raise
        status, revision, hold, price_max, available, started_at = _the(begun)
        match status:
            case "begun":
                self._abandoned.pop(start.run_id, None)
                return BegunRun(start.run_id, principal.user_id, revision, hold, started_at)
            case "unknown_agent":
                raise UnknownAgentError(start.agent_name)
            case "version_moved":
                raise VersionMovedError(f"version {start.version} of {start.agent_name!r} is not current")
            case "insufficient":
                raise InsufficientCreditsError(price_max, available)
        raise StoreError(f"begin_run answered {status!r}")

    async def finish(self, principal: Principal, run: BegunRun, end: RunEnd) -> Charge:
        """In one round trip: settle or release the hold, store outcome, usage and logs.

        What PostgreSQL cannot store in logs and error is replaced by U+FFFD.

        Raises:
            StaleRunError: the run's revision moved on; nothing was changed.
            StoreUnavailableError: try again; if StaleRunError answers that, then this one had been stored after all,
                or the run was reaped, and `get_run` tells which.
            ValueError: state and outcome do not fit, or `result_json` is no JSON.
        """
        async with self._connection() as conn:
            finished = await (await conn.execute(query("finish_run"), _finish_params(principal, run, end))).fetchone()
        done, charge, would_charge = _the(finished)
        if not done:
            raise StaleRunError(f"run {run.run_id} is not at revision {run.revision} any more")
        return Charge(charge, would_charge)

    async def list_runs(
        self, principal: Principal, *, agent_name: str | None, limit: int, cursor: str | None
    ) -> Page[Run]:
        """The caller's runs, newest first.

        Raises:
            ValueError: `cursor` is none of this method, or `limit` is not 1 to 1,000.
        """
        name = "list_runs" if agent_name is None else "list_runs_of_agent"
        before = UUID(int=_AFTER_EVERY_UUID if cursor is None else decode_cursor("runs", cursor))
        rows = await self._page(principal, name, limit, {"agent_name": agent_name, "before": before})
        return _to_page("runs", rows, limit, to_run)

    async def get_run(self, principal: Principal, run_id: UUID) -> Run:
        """One of the caller's runs. Raises UnknownRunError."""
        rows = await self._as_user(principal, "get_run", {"run_id": run_id})
        if not rows:
            raise UnknownRunError(f"no run {run_id}")
        return to_run(rows[0])

    async def get_logs(self, principal: Principal, run_id: UUID, *, after_seq: int, limit: int) -> list[LogRecord]:
        """A run's log lines with `seq > after_seq`, in order, at most `limit` (1 to 1,000).

        Raises:
            UnknownRunError: the caller has no such run.
            ValueError: `limit` is out of range.
        """
        params = {"run_id": run_id, "after_seq": Int4(after_seq), "rows_max": Int4(_bounded(limit))}
        async with self._connection() as conn:
            async with acting_as(conn, Role.USER, claims_of(principal.user_id)):
                known = await _execute(conn, "run_exists", params)
                lines = await _execute(conn, "get_logs", params)
            if await known.fetchone() is None:
                raise UnknownRunError(f"no run {run_id}")
            return [LogRecord(**line) for line in await lines.fetchall()]

    async def get_balance(self, principal: Principal) -> Balance:
        """The caller's account, made with its first grant when seen first."""
        async with self._connection() as conn:
            async with acting_as(conn, Role.USER, claims_of(principal.user_id)):
                await _execute(conn, "ensure_account", {})
                found = await _execute(conn, "get_balance", {})
            return Balance(**_the(await found.fetchone()))

    async def list_entries(self, principal: Principal, *, limit: int, cursor: str | None) -> Page[Entry]:
        """The caller's ledger, newest first.

        Raises:
            ValueError: `cursor` is none of this method, or `limit` is not 1 to 1,000.
        """
        before = _AFTER_EVERY_ENTRY if cursor is None else decode_cursor("entries", cursor)
        rows = await self._page(principal, "list_entries", limit, {"before": Int8(before)})
        return _to_page("entries", rows, limit, to_entry)

    async def register_server(self, server_id: UUID) -> None:
        """Take the lease of this server process, or extend it: it expires 15 s after the last call."""
        await self._as_login("register_server", {"server_id": server_id})

    async def reap(self) -> int:
        """End the runs of servers whose lease expired (failed, lost), releasing their holds. How many it ended.

        Also ends runs whose `begin` got no answer in this process, so it must be called now and then.
        """
        now = monotonic()
        self._abandoned = {run_id: until for run_id, until in self._abandoned.items() if until > now}
        params = {"runs_max": Int4(REAP_BATCH_RUNS), "abandoned": list(self._abandoned)}
        reaped = 0
        while True:
            batch = int(await self._as_login("reap_runs", params))
            reaped += batch
            if batch < REAP_BATCH_RUNS:
                return reaped

    async def retire_server(self, server_id: UUID) -> None:
        """Give up the lease at once, so that what this server left can be reaped now."""
        await self._as_login("retire_server", {"server_id": server_id})

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        """One pooled connection for one operation, every wait bounded, errors translated."""
        with translated():
            async with asyncio.timeout(OPERATION_S_MAX), self._pool.connection() as conn:
                yield conn

    async def _as_user(self, principal: Principal, name: str, params: Params) -> list[Row]:
        async with self._connection() as conn:
            async with acting_as(conn, Role.USER, claims_of(principal.user_id)):
                found = await _execute(conn, name, params)
            return await found.fetchall()

    async def _page(self, principal: Principal, name: str, limit: int, params: Params) -> list[Row]:
        """At most one row more than the page has, which tells whether there is a next one."""
        return await self._as_user(principal, name, {**params, "rows_max": Int4(_bounded(limit) + 1)})

    async def _as_login(self, name: str, params: Params) -> Any:
        async with self._connection() as conn:
            (value,) = _the(await (await conn.execute(query(name), params)).fetchone())
            return value


async def _execute(conn: Connection, name: str, params: Params) -> Rows:
    cursor = conn.cursor(row_factory=dict_row)
    return await cursor.execute(query(name), params)


def _begin_params(principal: Principal, start: RunStart) -> Params:
    # Integers have one type each, whatever their value: otherwise each size would be another prepared statement.
    return {
        "claims": claims_of(principal.user_id),
        "run_id": start.run_id,
        "agent_id": start.agent_id,
        "version": Int4(start.version),
        "test": start.test,
        "inputs": _json(start.inputs),
        "seed": Int8(start.seed),
        "wall": start.wall,
        "wall_missing": list(start.wall_missing),
        "server_id": start.server_id,
    }


def _finish_params(principal: Principal, run: BegunRun, end: RunEnd) -> Params:
    return {
        "claims": claims_of(principal.user_id),
        "run_id": run.run_id,
        "revision": Int4(run.revision),
        "state": end.state.value,
        "outcome": end.outcome,
        "reason": None if end.reason is None else storable_text(end.reason),
        "billable": end.billable,
        "result": end.result_json,
        "error": None if end.error is None else storable_json(end.error),
        "wall_ms": Int4(end.wall_ms),
        "cpu_ms": Int4(end.cpu_ms),
        "peak_memory_bytes": Int8(end.peak_memory_bytes),
        "output_bytes": Int8(end.output_bytes),
        "logs": storable_json([_log_row(record) for record in end.logs]) if end.logs else None,
    }


def _log_row(record: LogRecord) -> Row:
    return {"seq": record.seq, "at_ms": record.at_ms, "message": record.message, "fields": record.fields}


def _json(value: object) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def _the(row: T | None) -> T:
    """A row that the statement always gives."""
    if row is None:
        raise StoreError("the database gave no row")
    return row


def _bounded(limit: int) -> int:
    if not 1 <= limit <= PAGE_ITEMS_MAX:
        raise ValueError(f"a page has 1 to {PAGE_ITEMS_MAX} items")
    return limit


def _to_page(listing: str, rows: Sequence[Row], limit: int, to_item: Callable[[Row], T]) -> Page[T]:
    shown = rows[:limit]
    last_id = shown[-1]["id"] if len(rows) > limit else None
    number = last_id.int if isinstance(last_id, UUID) else last_id
    return Page([to_item(row) for row in shown], None if number is None else encode_cursor(listing, number))
