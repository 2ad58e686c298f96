"""What agents remember, on a project."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from agents_store.errors import MemoryFullError, SearchUnavailableError, UnknownAgentError
from agents_store.postgres.database import bounded, to_json
from agents_store.postgres.memory import MEMORY_BOUNDS
from agents_store.postgres.rows import to_memory_entry, to_memory_hit
from agents_store.supabase_store.data_api import Arguments, DataApi, typed
from agents_store.supabase_store.translate import RefusedValueError
from agents_store.types import Embedding, MemoryEntry, MemoryHits, MemoryKeys, NewMemory, Principal

_SEARCH_WANTS = (
    "memory cannot be searched by meaning: the project has no pgvector; enable the extension `vector` in its dashboard,"
    " then run `glovebox db migrate`"
)


class MemoryRoom(DataApi):
    """The part of the store that keeps what agents remember.

    Where `dry` is true, it acts as a role that cannot write: a write raises StoreMisconfiguredError.
    """

    async def get_memory(
        self, principal: Principal, agent_id: UUID, key: str, *, dry: bool = False
    ) -> MemoryEntry | None:
        """What one of the caller's agents remembers under a key; None when nothing."""
        found = await self._ask(principal, dry, "get_memory", {"agent_id": str(agent_id), "key": key})
        return None if found is None else to_memory_entry(typed(found))

    async def put_memory(
        self, principal: Principal, agent_id: UUID, entry: NewMemory, *, dry: bool = False
    ) -> MemoryEntry:
        """Remember a value in place of what the key had.

        Raises:
            UnknownAgentError: the caller has no such agent any more.
            MemoryFullError: the agent remembers as much as one may; nothing was changed.
            ValueError: something that the schema refuses.
        """
        try:
            stored = await self._ask(principal, dry, "put_memory", memory_arguments(agent_id, entry))
        except RefusedValueError as exc:
            raise_full(exc)
            raise
        if stored is None:
            raise UnknownAgentError(str(agent_id))
        return to_memory_entry(typed(stored))

    async def delete_memory(self, principal: Principal, agent_id: UUID, key: str, *, dry: bool = False) -> bool:
        """Forget a key. Whether it was there."""
        return bool(await self._ask(principal, dry, "delete_memory", {"agent_id": str(agent_id), "key": key}))

    async def list_memory(
        self, principal: Principal, agent_id: UUID, *, prefix: str, after: str, limit: int, dry: bool = False
    ) -> MemoryKeys:
        """The keys that begin with `prefix` and come after `after`, in the order of their bytes, at most `limit`.

        Raises:
            ValueError: `limit` is not 1 to 1,000.
        """
        arguments = {"agent_id": str(agent_id), "prefix": prefix, "after": after, "rows_max": bounded(limit)}
        found = await self._ask(principal, dry, "list_memory", arguments)
        return MemoryKeys(found["keys"], found["revision"])

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

        Raises:
            SearchUnavailableError: the project has no pgvector.
            ValueError: `limit` is not 1 to 1,000.
        """
        arguments = {
            "agent_id": str(agent_id),
            "model": wanted.model,
            "embedding": [float(number) for number in wanted.vector],
            "tags": list(tags),
            "rows_max": bounded(limit),
        }
        try:
            found = await self._ask(principal, dry, "search_memory", arguments)
        except RefusedValueError as exc:
            if exc.sqlstate == "0A000":
                raise SearchUnavailableError(_SEARCH_WANTS) from exc
            raise
        return MemoryHits([to_memory_hit(typed(hit)) for hit in found["hits"]], found["revision"])

    async def _ask(self, principal: Principal, dry: bool, name: str, arguments: Arguments) -> Any:
        return await (self.call_dry if dry else self.call)(principal, name, arguments)


def memory_arguments(agent_id: UUID, entry: NewMemory) -> Arguments:
    """What `put_memory` of the database takes."""
    return {
        "agent_id": str(agent_id),
        "key": entry.key,
        "value": to_json(entry.value),
        "tags": list(entry.tags),
        "importance": float(entry.importance),
        "embedding": None if entry.embedding is None else [float(number) for number in entry.embedding.vector],
        "model": None if entry.embedding is None else entry.embedding.model,
    }


def raise_full(refused: RefusedValueError) -> None:
    """Raise MemoryFullError where that is what a constraint says."""
    if (bound := MEMORY_BOUNDS.get(refused.constraint or "")) is not None:
        raise MemoryFullError(bound) from refused
