"""Runs: begun and finished in one round trip each, listed, shown with their logs, reaped when their server is dead."""

import asyncio
from collections.abc import Mapping
from dataclasses import fields
from time import monotonic
from uuid import UUID

from psycopg.errors import ForeignKeyViolation
from psycopg.rows import dict_row
from psycopg.types.numeric import Int4, Int8

from agents_store.errors import (
    InsufficientCreditsError,
    StaleRunError,
    StoreError,
    StoreUnavailableError,
    TooManyDryRunsError,
    UnknownAgentError,
    UnknownRunError,
    VersionMovedError,
)
from agents_store.postgres.connection import Role, acting_as, claims_of
from agents_store.postgres.cursors import decode_cursor
from agents_store.postgres.database import AFTER_EVERY_UUID, Database, Params, bounded, execute, the, to_json, to_page
from agents_store.postgres.queries import query
from agents_store.postgres.rows import Row, to_run
from agents_store.postgres.storable import storable_json, storable_rows, storable_text
from agents_store.types import (
    ANY_RUN,
    BegunRun,
    Charge,
    DryRunRate,
    EffectRecord,
    LogRecord,
    Page,
    Principal,
    Run,
    RunEnd,
    RunFilter,
    RunStart,
    RunState,
)

REAP_BATCH_RUNS = 100
PURGE_BATCH_KEYS = 500
LIVE_STATES = frozenset({RunState.CREATED, RunState.EXECUTING})
ID_AGE_S_MAX = 25 * 3600  # an idempotency key keeps a run's id for 24 h before the run begins
# How long a begin without an answer may still commit: longer than any statement of the login role lives.
ABANDONED_S_MAX = 60.0


class RunRoom(Database):
    """The part of the store that keeps runs and the leases of the servers that execute them."""

    def __init__(self, dsn: str, *, pool_max: int, listen_dsn: str | None = None) -> None:
        """See `Database`."""
        super().__init__(dsn, pool_max=pool_max, listen_dsn=listen_dsn)
        self._abandoned: dict[UUID, float] = {}
        self._server_id: UUID | None = None

    async def begin(self, principal: Principal, start: RunStart) -> BegunRun:
        """In one round trip: verify the current version, hold the most that its limits allow, insert the run.

        Raises:
            UnknownAgentError, VersionMovedError, InsufficientCreditsError, TooManyDryRunsError: nothing was held.
            StoreUnavailableError: nothing was held, or `reap` will release it.
            ValueError: inputs that are no JSON, or a run id that was used.
        """
        sent = False
        try:
            async with self.connection() as conn:
                params = _begin_params(principal, start)
                sent = True
                statement = query("begin_dry_run" if start.test else "begin_run")
                try:
                    begun = await (await conn.execute(statement, params)).fetchone()
                except ForeignKeyViolation as exc:  # the account was erased at this moment
                    raise UnknownAgentError(start.agent_name) from exc
        except (StoreUnavailableError, asyncio.CancelledError):
            if sent:
                # It may have committed, and this server lives on: nobody else would ever end it.
                self._abandoned[start.run_id] = monotonic() + ABANDONED_S_MAX
            raise
        status, revision, hold, price_max, available, started_at, *rest = the(begun)
        rate = DryRunRate(start.dry_runs_per_hour_max, *rest) if start.test else None
        match status:
            case "begun":
                self._abandoned.pop(start.run_id, None)
                return BegunRun(start.run_id, principal.user_id, revision, hold, started_at, rate)
            case "unknown_agent":
                raise UnknownAgentError(start.agent_name)
            case "version_moved":
                raise VersionMovedError(f"version {start.version} of {start.agent_name!r} is not current")
            case "parent_ended":
                raise StaleRunError(f"run {start.parent_run_id} has ended: it calls nothing any more")
            case "insufficient":
                raise InsufficientCreditsError(price_max, available)
        if rate is not None and status == "too_many_dry_runs":
            raise TooManyDryRunsError(rate)
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
        params = await _finish_params(principal, run, end)
        async with self.connection() as conn:
            finished = await (await conn.execute(query("finish_run"), params)).fetchone()
        done, charge, would_charge = the(finished)
        if not done:
            raise StaleRunError(f"run {run.run_id} is not at revision {run.revision} any more")
        return Charge(charge, would_charge)

    async def list_runs(
        self,
        principal: Principal,
        *,
        agent_name: str | None,
        limit: int,
        cursor: str | None,
        wanted: RunFilter = ANY_RUN,
    ) -> Page[Run]:
        """The caller's runs, of one agent or of all, newest first, those that are `wanted`.

        Raises:
            ValueError: `cursor` is none of this method, or `limit` is not 1 to 1,000.
        """
        before = AFTER_EVERY_UUID if cursor is None else decode_cursor("runs", cursor)
        if agent_name is None and wanted == ANY_RUN:
            rows = await self.page(principal, "list_runs", limit, {"before": UUID(int=before)})
        else:
            params = {**filter_params(agent_name, wanted, before), "rows_max": Int4(bounded(limit) + 1)}
            async with self.connection() as conn:
                async with acting_as(conn, Role.USER, claims_of(principal.user_id)):
                    found = conn.cursor(row_factory=dict_row)
                    # Planned anew each time: one plan for all filters would use the indexes of none.
                    await found.execute(query("list_runs_filtered"), params, prepare=False)
                rows = await found.fetchall()
        return to_page("runs", rows, limit, to_run)

    async def get_run(self, principal: Principal, run_id: UUID) -> Run:
        """One of the caller's runs. Raises UnknownRunError."""
        rows = await self.as_user(principal, "get_run", {"run_id": run_id})
        if not rows:
            raise UnknownRunError(f"no run {run_id}")
        return to_run(rows[0])

    async def get_logs(self, principal: Principal, run_id: UUID, *, after_seq: int, limit: int) -> list[LogRecord]:
        """A run's log lines with `seq > after_seq`, in order, at most `limit` (1 to 1,000).

        Raises:
            UnknownRunError: the caller has no such run.
            ValueError: `limit` is out of range.
        """
        params = {"run_id": run_id, "after_seq": Int4(after_seq), "rows_max": Int4(bounded(limit))}
        async with self.connection() as conn:
            async with acting_as(conn, Role.USER, claims_of(principal.user_id)):
                known = await execute(conn, "run_exists", params)
                lines = await execute(conn, "get_logs", params)
            if await known.fetchone() is None:
                raise UnknownRunError(f"no run {run_id}")
            return [LogRecord(**line) for line in await lines.fetchall()]

    async def register_server(self, server_id: UUID) -> None:
        """Take the lease of this server process, or extend it: it expires 15 s after the last call."""
        self._server_id = server_id
        await self.as_login("register_server", {"server_id": server_id})

    async def reap(self) -> int:
        """End the runs of servers whose lease expired (failed, lost), releasing their holds. How many it ended.

        Also ends runs whose `begin` got no answer in this process, and forgets a batch of idempotency keys that
        expired, so it must be called now and then.
        """
        await self.as_login("purge_keys", {"keys_max": Int4(PURGE_BATCH_KEYS)})
        now = monotonic()
        self._abandoned = {run_id: until for run_id, until in self._abandoned.items() if until > now}
        params = {
            "runs_max": Int4(REAP_BATCH_RUNS),
            "abandoned": list(self._abandoned),
            "server_id": self._server_id,
        }
        reaped = 0
        while True:
            batch = int(await self.as_login("reap_runs", params))
            reaped += batch
            if batch < REAP_BATCH_RUNS:
                return reaped

    async def retire_server(self, server_id: UUID) -> None:
        """Give up the lease at once, so that what this server left can be reaped now."""
        await self.as_login("retire_server", {"server_id": server_id})

    async def read_limits(self) -> Mapping[str, int]:
        """What the operator has set for all servers while they run, by the name of the setting that it goes before."""
        limits: Mapping[str, int] = await self.as_login("read_limits", {})
        return limits

    async def live_servers(self) -> frozenset[str]:
        """The names of the servers whose lease has not expired, each ending in its id; no other database has them."""
        return frozenset(await self.as_login("live_servers", {}))


def filter_params(agent_name: str | None, wanted: RunFilter, before: int) -> dict[str, object]:
    """What a list of runs is filtered by, each None where it is not; `before` and `after` bound the ids."""
    # Ids sort by the moment at which they were made, at most a day before the run: they bound what is read.
    after = 0
    state = wanted.state or _state_of(wanted.outcome)
    if wanted.created_after is not None:
        after = _id_at(wanted.created_after.timestamp() - ID_AGE_S_MAX)
    if wanted.created_before is not None:
        before = min(before, _id_at(wanted.created_before.timestamp() + ID_AGE_S_MAX))
    return {
        "agent_name": agent_name,
        "state": None if state is None else state.value,
        "live": True if state in LIVE_STATES else None,
        "outcome": wanted.outcome,
        "test": wanted.test,
        "created_after": wanted.created_after,
        "created_before": wanted.created_before,
        "before": UUID(int=before),
        "after": UUID(int=after),
    }


def _state_of(outcome: str | None) -> RunState | None:
    """The state that an outcome entails; what did not succeed has an index by state."""
    if outcome is None:
        return None
    return {"succeeded": RunState.COMPLETED, "cancelled": RunState.CANCELLED}.get(outcome, RunState.FAILED)


def _id_at(seconds: float) -> int:
    """The least UUIDv7 of a moment, in seconds since 1970 (RFC 9562, section 5.7)."""
    return min(max(0, int(seconds * 1000)), 2**48 - 1) << 80


def _begin_params(principal: Principal, start: RunStart) -> Params:
    # Integers have one type each, whatever their value: otherwise each size would be another prepared statement.
    return {
        "claims": claims_of(principal.user_id),
        "run_id": start.run_id,
        "agent_id": start.agent_id,
        "version": Int4(start.version),
        "test": start.test,
        "inputs": to_json(start.inputs),
        "seed": Int8(start.seed),
        "wall": start.wall,
        "wall_missing": list(start.wall_missing),
        "server_id": start.server_id,
        "parent_run_id": start.parent_run_id,
        "user_id": principal.user_id,
        "dry_runs_per_hour_max": Int4(start.dry_runs_per_hour_max),
    }


async def _finish_params(principal: Principal, run: BegunRun, end: RunEnd) -> Params:
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
        "logs": await storable_rows(map(log_row, end.logs)) if end.logs else None,
        "effects": await storable_rows(map(effect_row, end.effects)) if end.effects else None,
        "glove_calls": to_json(end.glove_calls) if end.glove_calls else None,
        "tier": end.tier,
        "wall": end.wall,
        "wall_missing": None if end.wall is None else list(end.wall_missing),
        "complete": end.complete,
        "replayable": end.replayable,
    }


def effect_row(effect: EffectRecord) -> Row:
    """An effect as the functions of the database take it. Not a copy: what effects hold may be large."""
    return {field.name: getattr(effect, field.name) for field in fields(effect)}


def log_row(record: LogRecord) -> Row:
    """A log line as the functions of the database take it."""
    return {"seq": record.seq, "at_ms": record.at_ms, "message": record.message, "fields": record.fields}
