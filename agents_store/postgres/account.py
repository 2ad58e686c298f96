"""A user's own data as a whole: exported, erased, and purged once it is past retention."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from psycopg.errors import ObjectInUse
from psycopg.types.numeric import Int4, Int8

from agents_store.errors import RunsLiveError
from agents_store.postgres.connection import Role, acting_as, claims_of
from agents_store.postgres.database import Database, Params, execute, the, to_json
from agents_store.postgres.queries import query
from agents_store.postgres.rows import Row
from agents_store.types import Principal, Purged

EXPORT_BATCH_ROWS = 500
EXPORT_BATCH_BYTES_MAX = 4 * 1024**2  # and one row more, which may be as large as a run's result and inputs are
ERASE_S_MAX = 120.0
PURGE_BATCH_ROWS = 500
PURGE_BATCHES_MAX = 200  # a round removes more than a server can begin until the next one

_NO_UUID = UUID(int=0)


@dataclass(frozen=True, slots=True)
class _Listing:
    """One part of an export. Its order begins after `start`.

    `numbered` parts have a number beside the id, `named` parts a name.
    """

    kind: str
    query: str
    start: UUID | Int8
    numbered: bool = False
    named: bool = False


_LISTINGS = (
    _Listing("agent", "export_agents", _NO_UUID),
    _Listing("version", "export_versions", _NO_UUID, numbered=True),
    _Listing("run", "export_runs", _NO_UUID),
    _Listing("log", "export_logs", _NO_UUID, numbered=True),
    _Listing("effect", "export_effects", _NO_UUID, numbered=True),
    _Listing("file", "export_files", _NO_UUID, named=True),
    _Listing("memory", "export_memory", _NO_UUID, named=True),
    _Listing("secret", "export_secrets", _NO_UUID, named=True),
    _Listing("generation", "export_generations", _NO_UUID),
    _Listing("entry", "export_entries", Int8(0)),
)


class AccountRoom(Database):
    """The part of the store that knows all that belongs to one user."""

    async def export_account(self, principal: Principal) -> AsyncIterator[str]:
        """Everything that is stored of the caller, one JSON object as text at a time, each with its `type`.

        The account, agents, versions, runs, logs, effects, files, memory, secrets without their values, generations and
        ledger entries, each in an order of its own, read in batches of at most `EXPORT_BATCH_BYTES_MAX` and one row;
        between two of them no connection is kept. A last object of type `end` tells how many there were. What changes
        meanwhile may be in it or not.
        """
        (account,) = await self.as_user(principal, "export_account", {})
        yield account["line"]
        counts = {listing.kind: 0 for listing in _LISTINGS}
        for listing in _LISTINGS:
            async for lines in self._batches(principal, listing):
                counts[listing.kind] += len(lines)
                for line in lines:
                    yield line
        yield to_json({"type": "end", "counts": counts})

    async def _batches(self, principal: Principal, listing: _Listing) -> AsyncIterator[Sequence[str]]:
        after: UUID | Int8 = listing.start
        after_number, after_name = 0, ""
        while True:
            params = {
                "after": after,
                "after_number": Int4(after_number),
                "after_name": after_name,
                "rows_max": Int4(EXPORT_BATCH_ROWS),
                "bytes_max": Int8(EXPORT_BATCH_BYTES_MAX),
            }
            rows = await self.as_user(principal, listing.query, params)
            if not rows:
                return
            yield [_one_line(row) for row in rows]
            last = rows[-1]["last"]
            after = last if isinstance(last, UUID) else Int8(last)
            after_number = rows[-1]["last_number"] if listing.numbered else 0
            after_name = rows[-1]["last_name"] if listing.named else ""

    async def erase_account(self, principal: Principal) -> None:
        """Remove every row of the caller, in one transaction of at most `ERASE_S_MAX`.

        What stays is the mark that a first grant was made.

        Raises:
            RunsLiveError: the caller has runs that are not finished, or holds; nothing was changed.
        """
        long: Params = {"milliseconds": str(round(ERASE_S_MAX * 1000))}
        async with self.connection(ERASE_S_MAX) as conn:
            try:
                async with acting_as(conn, Role.USER, claims_of(principal.user_id)):
                    await execute(conn, "allow_long_statement", long)
                    await execute(conn, "erase_account", {})
            except ObjectInUse as exc:
                raise RunsLiveError("the account has runs that are not finished") from exc

    async def purge(self, retention: timedelta) -> Purged:
        """Remove runs and generations that finished, and agents that were deleted, longer ago than `retention`.

        In batches of `PURGE_BATCH_ROWS`, each a transaction of its own, at most `PURGE_BATCHES_MAX` of them. The ledger
        stays, and nothing that lives is touched. What is left after one call, the next ones remove.
        """
        retention_ms = retention // timedelta(milliseconds=1)
        params = {"retention_ms": Int8(retention_ms), "rows_max": Int4(PURGE_BATCH_ROWS)}
        runs = agents = 0
        for _ in range(PURGE_BATCHES_MAX):
            async with self.connection() as conn:
                batch_runs, batch_agents = the(await (await conn.execute(query("purge"), params)).fetchone())
            runs += batch_runs
            agents += batch_agents
            if max(batch_runs, batch_agents) < PURGE_BATCH_ROWS:
                break
        for _ in range(PURGE_BATCHES_MAX):
            if int(await self.as_login("purge_generations", params)) < PURGE_BATCH_ROWS:
                break
        return Purged(runs, agents)


def _one_line(row: Row) -> str:
    """The row's JSON on one line: in what callers wrote there may be line ends between values, never in strings."""
    line: str = row["line"]
    return line.replace("\r", " ").replace("\n", " ")
