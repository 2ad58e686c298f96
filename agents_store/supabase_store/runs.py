"""Runs on a project: begun and finished in one call each, listed, shown with their logs, reaped."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from time import monotonic
from typing import Any
from uuid import UUID

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
from agents_store.postgres.cursors import decode_cursor
from agents_store.postgres.database import AFTER_EVERY_UUID, bounded, to_json, to_page
from agents_store.postgres.rows import Row, to_run
from agents_store.postgres.runs import (
    ABANDONED_S_MAX,
    PURGE_BATCH_KEYS,
    REAP_BATCH_RUNS,
    effect_row,
    filter_params,
    log_row,
)
from agents_store.postgres.storable import storable_json, storable_text
from agents_store.supabase_store.data_api import Arguments, DataApi, Select
from agents_store.supabase_store.translate import RefusedValueError
from agents_store.types import (
    ANY_RUN,
    BegunRun,
    Charge,
    DryRunRate,
    LogRecord,
    Page,
    Principal,
    Run,
    RunEnd,
    RunFilter,
    RunStart,
)

_LISTED_RUN = (
    "id,kind,agent_name,version,tier,wall,wall_missing,test,state,outcome,reason,error,wall_ms,cpu_ms,"
    "peak_memory_bytes,output_bytes,charge_microcredits,created_at,started_at,finished_at,parent_run_id,complete,"
    "replayable"
)


class RunRoom(DataApi):
    """The part of the store that keeps runs and the leases of the servers that execute them."""

    _abandoned: dict[UUID, float]
    _server_id: UUID | None = None

    async def open(self) -> None:
        """See `DataApi.open`."""
        self._abandoned = {}
        await super().open()

    async def begin(self, principal: Principal, start: RunStart) -> BegunRun:
        """In one call: verify the current version, hold the most that its limits allow, insert the run.

        Raises:
            UnknownAgentError, VersionMovedError, InsufficientCreditsError, TooManyDryRunsError: nothing was held.
            StaleRunError: the run whose program calls this agent has ended.
            StoreUnavailableError: nothing was held, or `reap` will release it.
            ValueError: inputs that are no JSON, or a run id that was used.
        """
        arguments = _begin_arguments(start)
        try:
            begun = await self.call(principal, "begin_dry_run" if start.test else "begin_run", arguments)
        except RefusedValueError as exc:
            if exc.sqlstate == "23503":  # the account was erased at this moment
                raise UnknownAgentError(start.agent_name) from exc
            raise
        except (StoreUnavailableError, asyncio.CancelledError):
            # It may have committed, and this server lives on: nobody else would ever end it.
            self._abandoned[start.run_id] = monotonic() + ABANDONED_S_MAX
            raise
        rate = None
        if start.test:
            rate = DryRunRate(start.dry_runs_per_hour_max, begun["remaining"], begun["reset_ms"])
        if begun["status"] != "begun":
            raise _refusal(begun["status"], start, begun, rate)
        self._abandoned.pop(start.run_id, None)
        return begun_run(principal, start.run_id, begun, rate)

    async def take_dry_run(self, principal: Principal, per_hour_max: int) -> DryRunRate:
        """Count one dry run of the user's hour that begins no run of an agent. Raises TooManyDryRunsError."""
        taken = await self.call(principal, "take_dry_run", {"per_hour_max": per_hour_max})
        rate = DryRunRate(per_hour_max, taken["remaining"], taken["reset_ms"])
        if not taken["admitted"]:
            raise TooManyDryRunsError(rate)
        return rate

    async def finish(self, principal: Principal, run: BegunRun, end: RunEnd) -> Charge:
        """In one call: settle or release the hold, store outcome, usage, logs and effects.

        What PostgreSQL cannot store in logs and error is replaced by U+FFFD.

        Raises:
            StaleRunError: the run's revision moved on; nothing was changed.
            StoreUnavailableError: try again; if StaleRunError answers that, then this one had been stored after all,
                or the run was reaped, and `get_run` tells which.
            ValueError: state and outcome do not fit, or `result_json` is no JSON.
        """
        finished = await self.call(principal, "finish_run", _finish_arguments(run, end))
        if not finished["finished"]:
            raise StaleRunError(f"run {run.run_id} is not at revision {run.revision} any more")
        return Charge(finished["charge_microcredits"], finished["would_charge_microcredits"])

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
        filters = filter_params(agent_name, wanted, before)
        select = _filtered(self.table(principal, "runs").select(_LISTED_RUN), filters)
        rows = await self.page(select, limit, before=filters["before"])
        return to_page("runs", [{**row, "inputs": None, "result_json": None} for row in rows], limit, to_run)

    async def get_run(self, principal: Principal, run_id: UUID) -> Run:
        """One of the caller's runs. Raises UnknownRunError."""
        select = self.table(principal, "runs").select(f"{_LISTED_RUN},inputs,result_json:result::text")
        rows = await self.rows(select.eq("id", run_id))
        if not rows:
            raise UnknownRunError(f"no run {run_id}")
        return to_run(rows[0])

    async def get_logs(self, principal: Principal, run_id: UUID, *, after_seq: int, limit: int) -> list[LogRecord]:
        """A run's log lines with `seq > after_seq`, in order, at most `limit` (1 to 1,000).

        Raises:
            UnknownRunError: the caller has no such run.
            ValueError: `limit` is out of range.
        """
        select = self.table(principal, "run_logs").select("seq,at_ms,message,fields").eq("run_id", run_id)
        lines = await self.rows(select.gt("seq", after_seq).order("seq").limit(bounded(limit)))
        if not lines:
            await self.find_run(principal, run_id)
        return [LogRecord(**line) for line in lines]

    async def find_run(self, principal: Principal, run_id: UUID) -> None:
        """Raise UnknownRunError unless the caller has this run."""
        if not await self.rows(self.table(principal, "runs").select("id").eq("id", run_id)):
            raise UnknownRunError(f"no run {run_id}")

    async def register_server(self, server_id: UUID) -> None:
        """Take the lease of this server process, or extend it: it expires 15 s after the last call."""
        self._server_id = server_id
        await self.call_as_server("register_server", {"server_id": str(server_id)})

    async def read_limits(self) -> Mapping[str, int]:
        """What the operator has set for all servers while they run, by the name of the setting that it goes before."""
        limits: Mapping[str, int] = await self.call_as_server("read_limits", {})
        return limits

    async def live_servers(self) -> frozenset[str]:
        """The names of the servers whose lease has not expired, each ending in its id; no other database has them."""
        return frozenset(await self.call_as_server("live_servers", {}))

    async def reap(self) -> int:
        """End the runs of servers whose lease expired (failed, lost), releasing their holds. How many it ended.

        Also ends runs whose `begin` got no answer in this process, and forgets a batch of idempotency keys that
        expired, so it must be called now and then.
        """
        now = monotonic()
        self._abandoned = {run_id: until for run_id, until in self._abandoned.items() if until > now}
        arguments = {
            "keys_max": PURGE_BATCH_KEYS,
            "runs_max": REAP_BATCH_RUNS,
            "abandoned": [str(run_id) for run_id in self._abandoned],
            "server_id": None if self._server_id is None else str(self._server_id),
        }
        reaped = 0
        while True:
            batch = int(await self.call_as_server("reap_runs", arguments))
            reaped += batch
            if batch < REAP_BATCH_RUNS:
                return reaped

    async def retire_server(self, server_id: UUID) -> None:
        """Give up the lease at once, so that what this server left can be reaped now."""
        await self.call_as_server("retire_server", {"server_id": str(server_id)})


def begun_run(principal: Principal, run_id: UUID, begun: Row, rate: DryRunRate | None = None) -> BegunRun:
    """The run that the database says it began."""
    started_at = datetime.fromisoformat(begun["started_at"])
    return BegunRun(run_id, principal.user_id, begun["revision"], begun["hold_microcredits"], started_at, rate)


def _refusal(status: str, start: RunStart, begun: Row, rate: DryRunRate | None) -> StoreError:
    match status:
        case "unknown_agent":
            return UnknownAgentError(start.agent_name)
        case "version_moved":
            return VersionMovedError(f"version {start.version} of {start.agent_name!r} is not current")
        case "parent_ended":
            return StaleRunError(f"run {start.parent_run_id} has ended: it calls nothing any more")
        case "insufficient":
            return InsufficientCreditsError(begun["price_microcredits_max"], begun["available_microcredits"])
        case "too_many_dry_runs" if rate is not None:
            return TooManyDryRunsError(rate)
    return StoreError(f"begin_run answered {status!r}")


def _filtered(select: Select, filters: Arguments) -> Select:
    """Add what is asked for; what is None is not."""
    select = select.gt("id", filters["after"])
    for column in ("agent_name", "state", "outcome", "test"):
        if filters[column] is not None:
            select = select.eq(column, filters[column])
    if filters["live"]:
        select = select.is_("outcome", None)
    if filters["created_after"] is not None:
        select = select.gt("created_at", filters["created_after"].isoformat())
    if filters["created_before"] is not None:
        select = select.lt("created_at", filters["created_before"].isoformat())
    return select


def _begin_arguments(start: RunStart) -> Arguments:
    return {
        "run_id": str(start.run_id),
        "agent_id": str(start.agent_id),
        "version": start.version,
        "test": start.test,
        "inputs": to_json(start.inputs),
        "seed": start.seed,
        "wall": start.wall,
        "wall_missing": list(start.wall_missing),
        "server_id": str(start.server_id),
        "parent_run_id": None if start.parent_run_id is None else str(start.parent_run_id),
        "dry_runs_per_hour_max": start.dry_runs_per_hour_max,
    }


def _finish_arguments(run: BegunRun, end: RunEnd) -> dict[str, Any]:
    return {
        "run_id": str(run.run_id),
        "revision": run.revision,
        "state": end.state.value,
        "outcome": end.outcome,
        "reason": None if end.reason is None else storable_text(end.reason),
        "billable": end.billable,
        "result": end.result_json,
        "error": None if end.error is None else storable_json(end.error),
        "wall_ms": end.wall_ms,
        "cpu_ms": end.cpu_ms,
        "peak_memory_bytes": end.peak_memory_bytes,
        "output_bytes": end.output_bytes,
        "logs": storable_json([log_row(record) for record in end.logs]) if end.logs else None,
        "effects": storable_json(list(map(effect_row, end.effects))) if end.effects else None,
        "glove_calls": to_json(end.glove_calls) if end.glove_calls else None,
        "tier": end.tier,
        "wall": end.wall,
        "wall_missing": None if end.wall is None else list(end.wall_missing),
        "complete": end.complete,
        "replayable": end.replayable,
    }
