"""What agents remember: by key, listed, searched by meaning."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg.errors import CheckViolation, FeatureNotSupported
from psycopg.types.numeric import Int4

from agents_store.errors import MemoryFullError, SearchUnavailableError, UnknownAgentError
from agents_store.postgres.connection import Connection, Role, acting_as, claims_of
from agents_store.postgres.database import Database, Params, Rows, bounded, execute
from agents_store.postgres.rows import to_memory_entry, to_memory_hit
from agents_store.types import (
    MEMORY_BYTES_MAX,
    MEMORY_ENTRIES_MAX,
    Embedding,
    MemoryEntry,
    MemoryHits,
    MemoryKeys,
    NewMemory,
    Principal,
)

SEARCH_WANTS = (
    "memory cannot be searched by meaning: this database has no pgvector; its superuser runs"
    " agents_store/postgres/bootstrap/40_vector.sql, then `glovebox db migrate`"
)
MEMORY_BOUNDS = {
    "agent_memory_totals_entries_bounded": f"an agent remembers at most {MEMORY_ENTRIES_MAX} keys",
    "agent_memory_totals_bytes_bounded": f"an agent remembers at most {MEMORY_BYTES_MAX} bytes",
}


class MemoryRoom(Database):
    """The part of the store that keeps what agents remember.

    Where `dry` is true, it acts as a role that cannot write: a write raises StoreMisconfiguredError, changing nothing.
    """

    async def get_memory(
        self, principal: Principal, agent_id: UUID, key: str, *, dry: bool = False
    ) -> MemoryEntry | None:
        """What one of the caller's agents remembers under a key; None when nothing."""
        rows = await self._ask(principal, dry, "get_memory", {"agent_id": agent_id, "key": key})
        return to_memory_entry(rows[0]) if rows else None

    async def put_memory(
        self, principal: Principal, agent_id: UUID, entry: NewMemory, *, dry: bool = False
    ) -> MemoryEntry:
        """Remember a value in place of what the key had.

        Raises:
            UnknownAgentError: the caller has no such agent any more.
            MemoryFullError: the agent remembers `MEMORY_ENTRIES_MAX` keys or `MEMORY_BYTES_MAX`; nothing was changed.
            ValueError: something that the schema refuses.
        """
        async with self.connection() as conn:
            try:
                async with acting_as(conn, _role(dry), claims_of(principal.user_id)):
                    stored = await send_put(conn, agent_id, entry)
            except CheckViolation as exc:
                raise_full(exc)
                raise
            return await stored_entry(stored, agent_id)

    async def delete_memory(self, principal: Principal, agent_id: UUID, key: str, *, dry: bool = False) -> bool:
        """Forget a key. Whether it was there."""
        rows = await self._ask(principal, dry, "delete_memory", {"agent_id": agent_id, "key": key})
        return bool(rows[0]["forgotten"])

    async def list_memory(
        self, principal: Principal, agent_id: UUID, *, prefix: str, after: str, limit: int, dry: bool = False
    ) -> MemoryKeys:
        """The keys that begin with `prefix` and come after `after`, in the order of their bytes, at most `limit`.

        Raises:
            ValueError: `limit` is not 1 to 1,000.
        """
        params = {"agent_id": agent_id, "prefix": prefix, "after": after, "rows_max": Int4(bounded(limit))}
        revision, rows = await self._as_of(principal, dry, "list_memory", params)
        return MemoryKeys([row["key"] for row in rows], revision)

    async def search_memory(
        self,
        principal: Principal,
        agent_id: UUID,
        wanted: Embedding,
        *,
        tags: Sequence[str],
        limit: int,
        dry: bool = False,
    ) -> MemoryHits:
        """The entries that mean nearly what is wanted and have all `tags`, best first, at most `limit`.

        The order is that of the score, where an importance of 1 counts as much as 0.1 of it.

        Raises:
            SearchUnavailableError: the database has no pgvector.
            ValueError: `limit` is not 1 to 1,000.
        """
        params = {
            "agent_id": agent_id,
            "model": wanted.model,
            "embedding": list(wanted.vector),
            "tags": list(tags),
            "rows_max": Int4(bounded(limit)),
        }
        revision, rows = await self._as_of(principal, dry, "search_memory", params)
        return MemoryHits([to_memory_hit(row) for row in rows], revision)

    async def _ask(self, principal: Principal, dry: bool, name: str, params: Params) -> list[dict[str, Any]]:
        async with self.connection() as conn:
            async with acting_as(conn, _role(dry), claims_of(principal.user_id)):
                found = await execute(conn, name, params)
            return await found.fetchall()

    async def _as_of(
        self, principal: Principal, dry: bool, name: str, params: Params
    ) -> tuple[int, list[dict[str, Any]]]:
        """Rows, and the revision of the whole memory from before they were read."""
        async with self.connection() as conn:
            try:
                async with acting_as(conn, _role(dry), claims_of(principal.user_id)):
                    standing = await execute(conn, "memory_revision", params)
                    found = await execute(conn, name, params)
            except FeatureNotSupported as exc:
                raise SearchUnavailableError(SEARCH_WANTS) from exc
            total = await standing.fetchone()
            return (0 if total is None else int(total["revision"])), await found.fetchall()


async def send_put(conn: Connection, agent_id: UUID, entry: NewMemory) -> Rows:
    """Send the statement that remembers an entry; see `stored_entry` and `raise_full`."""
    params: Params = {
        "agent_id": agent_id,
        "key": entry.key,
        "value": json.dumps(entry.value, ensure_ascii=False, allow_nan=False, separators=(",", ":")),
        "tags": list(entry.tags),
        "importance": float(entry.importance),
        "embedding": None if entry.embedding is None else list(entry.embedding.vector),
        "model": None if entry.embedding is None else entry.embedding.model,
    }
    return await execute(conn, "put_memory", params)


async def stored_entry(stored: Rows, agent_id: UUID) -> MemoryEntry:
    """What `send_put` stored. Raises UnknownAgentError where it stored nothing."""
    row = await stored.fetchone()
    if row is None:
        raise UnknownAgentError(str(agent_id))
    return to_memory_entry(row)


def raise_full(violation: CheckViolation) -> None:
    """Raise MemoryFullError where that is what a constraint says."""
    if (bound := MEMORY_BOUNDS.get(violation.diag.constraint_name or "")) is not None:
        raise MemoryFullError(bound) from violation


def _role(dry: bool) -> Role:
    return Role.DRY if dry else Role.USER
