"""A user's own data as a whole, on a project: exported, erased, and purged once it is past retention."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from agents_store.errors import RunsLiveError
from agents_store.postgres.account import ERASE_S_MAX, PURGE_BATCH_ROWS, PURGE_BATCHES_MAX
from agents_store.postgres.database import to_json
from agents_store.postgres.rows import Row
from agents_store.supabase_store.data_api import DataApi
from agents_store.supabase_store.translate import RefusedValueError
from agents_store.types import Principal, Purged


@dataclass(frozen=True, slots=True)
class _Listing:
    """One part of an export: `columns` of `table` in the order of `keys`, of which there are one or two, in batches.

    `rows_max` bounds a batch: it is low where one row may have megabytes.
    """

    kind: str
    table: str
    keys: tuple[str, ...]
    columns: str
    rows_max: int


_LISTINGS = (
    _Listing(
        "agent",
        "agents",
        ("id",),
        "id,agent_name,description,status,version:current_version,revision,created_at,updated_at,deleted_at",
        200,
    ),
    _Listing(
        "version",
        "agent_versions",
        ("agent_id", "version"),
        "agent_id,version,asked_tier:tier,...version_tiers(tier:resolved_tier,tier_reasons:reasons),code,limits,"
        "inputs_schema,examples,allowed_hosts,created_at",
        10,
    ),
    _Listing(
        "run",
        "runs",
        ("id",),
        "id,kind,agent_id,agent_name,version,tier,wall,wall_missing,test,state,outcome,reason,inputs,result,error,seed,"
        "wall_ms,cpu_ms,peak_memory_bytes,output_bytes,charge_microcredits,created_at,started_at,finished_at,"
        "parent_run_id,source_run_id,glove_calls,complete,replayable",
        10,
    ),
    _Listing("log", "run_logs", ("run_id", "seq"), "run_id,seq,at_ms,message,fields", 200),
    _Listing(
        "effect",
        "run_effects",
        ("run_id", "seq"),
        "run_id,seq,glove,request,response,error,status,at_ms,duration_ms",
        10,
    ),
    _Listing("file", "run_files", ("run_id", "name"), "run_id,name,media_type,size_bytes,sha256,created_at", 500),
    _Listing("memory", "agent_memory", ("agent_id", "key"), "agent_id,key,value,tags,importance,updated_at", 50),
    _Listing("secret", "agent_secrets", ("agent_id", "name"), "agent_id,name,hosts,created_at,updated_at", 500),
    _Listing(
        "generation",
        "generations",
        ("id",),
        "id,kind,agent_name,request,state,reason,model,prompt_version,hold_microcredits,charge_microcredits,"
        "input_tokens,output_tokens,cache_read_tokens,cache_write_tokens,attempts,version,created_at,finished_at",
        10,
    ),
    _Listing(
        "entry",
        "credit_entries",
        ("id",),
        "id,kind,amount_microcredits,available_delta_microcredits,held_delta_microcredits,run_id,generation_id,pricing,"
        "created_at",
        500,
    ),
)


class AccountRoom(DataApi):
    """The part of the store that knows all that belongs to one user."""

    async def export_account(self, principal: Principal) -> AsyncIterator[str]:
        """Everything that is stored of the caller, one JSON object as text at a time, each with its `type`.

        Read in bounded batches with the user's own token. A last object of type `end` tells how many there were. What
        changes meanwhile may be in it or not.
        """
        accounts = self.table(principal, "credit_accounts").select(
            "available_microcredits,held_microcredits,created_at"
        )
        nothing = {"available_microcredits": 0, "held_microcredits": 0, "created_at": None}
        account = next(iter(await self.raw_rows(accounts)), nothing)
        exported_at = datetime.now(UTC).isoformat()
        yield to_json({"type": "account", "user_id": str(principal.user_id), **account, "exported_at": exported_at})
        counts = {listing.kind: 0 for listing in _LISTINGS}
        for listing in _LISTINGS:
            async for rows in self._batches(principal, listing):
                counts[listing.kind] += len(rows)
                for row in rows:
                    yield to_json({"type": listing.kind, **row})
        yield to_json({"type": "end", "counts": counts})

    async def _batches(self, principal: Principal, listing: _Listing) -> AsyncIterator[Sequence[Row]]:
        last: Row | None = None
        while True:
            select = self.table(principal, listing.table).select(listing.columns)
            for key in listing.keys:
                select = select.order(key)
            if last is not None:
                select = select.or_(_after(listing.keys, last))
            rows = await self.raw_rows(select.limit(listing.rows_max))
            if rows:
                yield rows
            if len(rows) < listing.rows_max:
                return
            last = rows[-1]

    async def erase_account(self, principal: Principal) -> None:
        """Remove every row of the caller, in one transaction of at most `ERASE_S_MAX`.

        What stays is the mark that a first grant was made.

        Raises:
            RunsLiveError: the caller has runs that are not finished, or holds; nothing was changed.
        """
        try:
            await self.erase(principal, ERASE_S_MAX)
        except RefusedValueError as exc:
            if exc.constraint == "erased_users_without_live_runs":
                raise RunsLiveError("the account has runs that are not finished") from exc
            raise

    async def purge(self, retention: timedelta) -> Purged:
        """Remove runs and generations that finished, and agents that were deleted, longer ago than `retention`.

        In batches of `PURGE_BATCH_ROWS`, each a transaction of its own, at most `PURGE_BATCHES_MAX` of them. The ledger
        stays, and nothing that lives is touched. What is left after one call, the next ones remove.
        """
        arguments = {"retention_ms": retention // timedelta(milliseconds=1), "rows_max": PURGE_BATCH_ROWS}
        runs = agents = 0
        for _ in range(PURGE_BATCHES_MAX):
            batch = await self.call_as_server("purge", arguments)
            runs += batch["runs"]
            agents += batch["agents"]
            if max(batch["runs"], batch["agents"]) < PURGE_BATCH_ROWS:
                break
        for _ in range(PURGE_BATCHES_MAX):
            if int(await self.call_as_server("purge_generations", arguments)) < PURGE_BATCH_ROWS:
                break
        return Purged(runs, agents)


def _after(keys: Sequence[str], last: Row) -> str:
    """The filter of what comes after a row, in the Data API's words."""
    first, *rest = keys
    filters = f"{first}.gt.{last[first]}"
    return f"{filters},and({first}.eq.{last[first]},{rest[0]}.gt.{_quoted(last[rest[0]])})" if rest else filters


def _quoted(value: object) -> str:
    """A value as filters have it, also where it has characters that mean something there."""
    if not isinstance(value, str):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
