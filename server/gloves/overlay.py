"""What a dry run wrote to memory: kept beside what is stored, seen by its later reads, and gone with it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from agents_store.types import Embedding, MemoryEntry, MemoryHit, NewMemory
from server.gloves.embeddings import similarity

IMPORTANCE_WEIGHT = 0.1  # as the store's search has it


class Overlay:
    """One dry run's writes, the last one of each key."""

    def __init__(self) -> None:
        self._written: dict[str, NewMemory | None] = {}

    def __len__(self) -> int:
        """How many keys were written or deleted."""
        return len(self._written)

    def __contains__(self, key: object) -> bool:
        """Whether the dry run wrote or deleted this key."""
        return key in self._written

    def get(self, key: str) -> NewMemory | None:
        """What was written to a key of this overlay; None where it was deleted."""
        return self._written[key]

    def put(self, entry: NewMemory) -> None:
        """Remember an entry in place of what its key had."""
        self._written[entry.key] = entry

    def delete(self, key: str) -> None:
        """Forget a key."""
        self._written[key] = None

    def keys(self, stored: Sequence[str], prefix: str) -> list[str]:
        """The keys with a prefix, in the order of their bytes, as they would be stored now."""
        kept = [key for key in stored if key not in self._written]
        added = [key for key, entry in self._written.items() if entry is not None and key.startswith(prefix)]
        return sorted([*kept, *added], key=str.encode)

    def hits(self, stored: Sequence[MemoryHit], wanted: Embedding, tags: Sequence[str]) -> list[MemoryHit]:
        """What is found by meaning, best first, as it would be now."""
        kept = [hit for hit in stored if hit.entry.key not in self._written]
        added = [
            MemoryHit(_as_stored(entry), similarity(entry.embedding, wanted))
            for entry in self._written.values()
            if entry is not None and entry.embedding is not None and set(tags) <= set(entry.tags)
        ]
        return sorted([*kept, *added], key=_rank)


def _rank(hit: MemoryHit) -> tuple[float, bytes]:
    return -(hit.score + IMPORTANCE_WEIGHT * hit.entry.importance), hit.entry.key.encode()


def _as_stored(entry: NewMemory) -> MemoryEntry:
    return MemoryEntry(entry.key, entry.value, tuple(entry.tags), entry.importance, 0, datetime.now(UTC))
