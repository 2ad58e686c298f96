"""`ctx.memory`: what an agent remembers between runs, by key and by meaning."""

import json
import re
from collections.abc import Mapping, Sequence
from uuid import UUID

from agents_store.errors import MemoryFullError, SearchUnavailableError, UnknownAgentError
from agents_store.store import Store
from agents_store.types import (
    MEMORY_KEY_CHARS_MAX,
    MEMORY_TAG_CHARS_MAX,
    MEMORY_TAGS_MAX,
    MEMORY_VALUE_BYTES_MAX,
    EffectStatus,
    Embedding,
    MemoryHit,
    NewMemory,
    Principal,
)
from sandbox.types import GloveFault, JsonValue
from server.gloves.effect import Answered, Arguments, EffectError, Glove
from server.gloves.embeddings import TEXT_CHARS_MAX, Embedder, EmbeddingError
from server.gloves.overlay import Overlay

LIST_MAX = 500
SEARCH_MAX = 100

_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # in JSON text: the escape, and no escaped backslash before a u


class RunMemory:
    """The memory of one run's agent.

    With an overlay, which is what a dry run has, nothing is written but there, and later reads see it.
    """

    def __init__(
        self, store: Store, principal: Principal, agent_id: UUID, embedder: Embedder, overlay: Overlay | None = None
    ) -> None:
        self._store = store
        self._principal = principal
        self._agent_id = agent_id
        self._embedder = embedder
        self._overlay = overlay

    def gloves(self) -> Mapping[str, Glove]:
        """The gloves by their names."""
        return {
            "memory.get": self.get,
            "memory.put": self.put,
            "memory.delete": self.delete,
            "memory.list": self.list,
            "memory.search": self.search,
        }

    async def get(self, arguments: Arguments) -> Answered:
        """The value under a key. Raises EffectError, StoreError."""
        _refuse_others(arguments, "get", "key")
        key = _key(arguments)
        if self._overlay is not None and key in self._overlay:
            written = self._overlay.get(key)
            return Answered({"found": False} if written is None else {"found": True, "value": written.value})
        found = await self._store.get_memory(self._principal, self._agent_id, key, dry=self._dry)
        return Answered(
            {"found": False} if found is None else {"found": True, "value": found.value},
            request=self._read(arguments, 0 if found is None else found.revision),
        )

    async def put(self, arguments: Arguments) -> Answered:
        """Remember a value. Raises EffectError, StoreError."""
        entry = await self.entry(arguments)
        if self._overlay is not None:
            self._overlay.put(entry)
            return Answered(None, EffectStatus.WITHHELD)
        try:
            await self._store.put_memory(self._principal, self._agent_id, entry)
        except MemoryFullError as exc:
            raise EffectError(GloveFault.RUNTIME, f"{exc.detail}; delete what is not needed") from exc
        except UnknownAgentError as exc:
            raise EffectError(GloveFault.RUNTIME, "this agent was deleted; it remembers nothing new") from exc
        return Answered(None)

    async def entry(self, arguments: Arguments) -> NewMemory:
        """What a `memory.put` asks to remember, with its meaning. Raises EffectError."""
        _refuse_others(arguments, "put", "key", "value", "tags", "importance")
        key, tags = _key(arguments), _tags(arguments)
        if "value" not in arguments:
            raise _invalid("put() takes a key and a value")
        value, importance = arguments["value"], arguments.get("importance", 0.0)
        if isinstance(importance, bool) or not isinstance(importance, int | float) or not 0 <= importance <= 1:
            raise _invalid("put() takes an importance from 0 to 1")
        text = _json_text(value)
        try:
            meaning = await self._embedder.embed(_text_of(key, tags, value, text))
        except EmbeddingError:  # remembered all the same: it is found by its key
            meaning = None
        return NewMemory(key, value, tags, float(importance), meaning)

    async def delete(self, arguments: Arguments) -> Answered:
        """Forget a key; whether it was there. Raises EffectError, StoreError."""
        _refuse_others(arguments, "delete", "key")
        key = _key(arguments)
        if self._overlay is None:
            return Answered(await self._store.delete_memory(self._principal, self._agent_id, key))
        request: Arguments | None = None
        if key in self._overlay:
            there = self._overlay.get(key) is not None
        else:
            found = await self._store.get_memory(self._principal, self._agent_id, key, dry=True)
            there, request = found is not None, self._read(arguments, 0 if found is None else found.revision)
        self._overlay.delete(key)
        return Answered(there, EffectStatus.WITHHELD, request)

    async def list(self, arguments: Arguments) -> Answered:
        """Keys in their order. Raises EffectError, StoreError."""
        _refuse_others(arguments, "list", "prefix", "limit")
        prefix, limit = arguments.get("prefix", ""), _limit(arguments, LIST_MAX)
        if not isinstance(prefix, str) or len(prefix) > MEMORY_KEY_CHARS_MAX:
            raise _invalid("list() takes a prefix of keys")
        hidden = 0 if self._overlay is None else len(self._overlay)
        found = await self._store.list_memory(
            self._principal, self._agent_id, prefix=prefix, after="", limit=limit + hidden, dry=self._dry
        )
        keys = found.keys if self._overlay is None else self._overlay.keys(found.keys, prefix)
        return Answered(list(keys[:limit]), request=self._read(arguments, found.revision))

    async def search(self, arguments: Arguments) -> Answered:
        """What means nearly the same, best first. Raises EffectError, StoreError."""
        _refuse_others(arguments, "search", "text", "limit", "tags")
        text, limit, tags = arguments.get("text"), _limit(arguments, SEARCH_MAX), _tags(arguments)
        if not isinstance(text, str) or len(text) > TEXT_CHARS_MAX:
            raise _invalid(f"search() takes a text of at most {TEXT_CHARS_MAX} characters")
        try:
            wanted = await self._embedder.embed(text)
        except EmbeddingError as exc:
            raise EffectError(GloveFault.CONNECTION, f"memory cannot be searched: {exc}", EffectStatus.FAILED) from exc
        if wanted is None:
            return Answered([])
        return await self._found(arguments, wanted, tags, limit)

    async def _found(self, arguments: Arguments, wanted: Embedding, tags: Sequence[str], limit: int) -> Answered:
        hidden = 0 if self._overlay is None else len(self._overlay)
        try:
            found = await self._store.search_memory(
                self._principal, self._agent_id, wanted, tags=tags, limit=limit + hidden, dry=self._dry
            )
        except SearchUnavailableError as exc:
            raise EffectError(
                GloveFault.RUNTIME, "memory cannot be searched on this server: its database has no pgvector"
            ) from exc
        hits = found.hits if self._overlay is None else self._overlay.hits(found.hits, wanted, tags)
        return Answered([_shown(hit) for hit in hits[:limit]], request=self._read(arguments, found.revision))

    def _read(self, arguments: Arguments, revision: int) -> Arguments | None:
        """What the effect of a read shows: in a dry run with the revision, which is looked at before it is applied."""
        return {**arguments, "revision": revision} if self._dry else None

    @property
    def _dry(self) -> bool:
        return self._overlay is not None


def _shown(hit: MemoryHit) -> dict[str, JsonValue]:
    entry = hit.entry
    return {
        "key": entry.key,
        "value": entry.value,
        "score": round(hit.score, 6),
        "tags": list(entry.tags),
        "importance": entry.importance,
    }


def _text_of(key: str, tags: Sequence[str], value: JsonValue, as_json: str) -> str:
    """What an entry is about: its key, its tags and what it says."""
    return " ".join([key, *tags, value if isinstance(value, str) else as_json])


def _json_text(value: JsonValue) -> str:
    """A value as it is stored. Raises EffectError."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        size = len(text.encode())
    except ValueError as exc:  # NaN, or a lone surrogate
        raise _invalid("a value is JSON, without NaN and lone surrogates") from exc
    if size > MEMORY_VALUE_BYTES_MAX:
        raise _invalid(f"a value has at most {MEMORY_VALUE_BYTES_MAX} bytes as JSON")
    if _NUL.search(text):
        raise _invalid("a value has no NUL characters")
    return text


def _key(arguments: Arguments) -> str:
    key = arguments.get("key")
    if not isinstance(key, str) or not 1 <= len(key) <= MEMORY_KEY_CHARS_MAX or "\0" in key:
        raise _invalid(f"a key is a text of 1 to {MEMORY_KEY_CHARS_MAX} characters")
    return key


def _tags(arguments: Arguments) -> list[str]:
    tags = arguments.get("tags", [])
    if not isinstance(tags, list) or len(tags) > MEMORY_TAGS_MAX:
        raise _invalid(f"tags are a list of at most {MEMORY_TAGS_MAX} texts")
    found = [tag for tag in tags if isinstance(tag, str) and 1 <= len(tag) <= MEMORY_TAG_CHARS_MAX and "\0" not in tag]
    if len(found) != len(tags):
        raise _invalid(f"a tag is a text of 1 to {MEMORY_TAG_CHARS_MAX} characters")
    return found


def _limit(arguments: Arguments, most: int) -> int:
    limit = arguments.get("limit", min(100, most))
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= most:
        raise _invalid(f"a limit is a number from 1 to {most}")
    return limit


def _refuse_others(arguments: Arguments, name: str, *known: str) -> None:
    if others := set(arguments) - set(known):
        raise _invalid(f"{name}() does not take {min(others)!r}")


def _invalid(message: str) -> EffectError:
    return EffectError(GloveFault.VALUE, f"ctx.memory: {message}")
