"""What agents remember: values, bounds, revisions, search by meaning, and that a dry run writes nothing."""

from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from agents_store.errors import (
    MemoryFullError,
    SearchUnavailableError,
    StoreMisconfiguredError,
    UnknownAgentError,
)
from agents_store.postgres.store import PostgresStore
from agents_store.types import EMBEDDING_DIMENSIONS, Embedding, NewMemory, Principal
from tests.integration.store.conftest import Author

STRANGER = Principal(uuid4())


def pointing(axis: int, *, model: str = "m", other: int | None = None) -> Embedding:
    """A unit vector along an axis, or half-way to another."""
    vector = [0.0] * EMBEDDING_DIMENSIONS
    vector[axis] = 1.0
    if other is not None:
        vector[axis] = vector[other] = 0.5**0.5
    return Embedding(model, vector)


async def put(store: PostgresStore, author: Author, key: str, value: object = 1, **more: object) -> int:
    entry = NewMemory(key, value, **more)  # type: ignore[arg-type] # the tests name fields
    return (await store.put_memory(author.principal, author.detail.agent.id, entry)).revision


async def test_value_comes_back_as_it_was_put(store: PostgresStore, author: Author) -> None:
    value = {"z": 1, "a": [1.0, 1e300, None, True, "ü"], "big": 2**70}
    await put(store, author, "k", value, tags=["x", "y"], importance=0.5)

    found = await store.get_memory(author.principal, author.detail.agent.id, "k")

    assert found is not None
    assert (found.value, list(found.value), found.tags, found.importance) == (value, list(value), ("x", "y"), 0.5)
    assert isinstance(found.value["a"][1], float)


async def test_what_is_not_there_is_none(store: PostgresStore, author: Author) -> None:
    assert await store.get_memory(author.principal, author.detail.agent.id, "k") is None
    assert not await store.delete_memory(author.principal, author.detail.agent.id, "k")


async def test_memory_is_its_owners(store: PostgresStore, author: Author) -> None:
    agent_id = author.detail.agent.id
    await put(store, author, "k", "mine", embedding=pointing(0))

    assert await store.get_memory(STRANGER, agent_id, "k") is None
    assert (await store.list_memory(STRANGER, agent_id, prefix="", after="", limit=9)).keys == []
    assert (await store.search_memory(STRANGER, agent_id, pointing(0), tags=[], limit=9)).hits == []
    assert not await store.delete_memory(STRANGER, agent_id, "k")
    with pytest.raises(UnknownAgentError):
        await store.put_memory(STRANGER, agent_id, NewMemory("k", "theirs"))
    kept = await store.get_memory(author.principal, agent_id, "k")
    assert kept is not None
    assert kept.value == "mine"


async def test_deleted_agent_remembers_nothing_new(store: PostgresStore, author: Author) -> None:
    await store.delete_agent(author.principal, "hello")

    with pytest.raises(UnknownAgentError):
        await put(store, author, "k")


async def test_every_change_gives_another_revision(store: PostgresStore, author: Author) -> None:
    agent_id = author.detail.agent.id
    seen = [(await store.list_memory(author.principal, agent_id, prefix="", after="", limit=9)).revision]
    revisions = []
    for _ in range(2):
        revisions.append(await put(store, author, "k"))
        seen.append((await store.list_memory(author.principal, agent_id, prefix="", after="", limit=9)).revision)
    await store.delete_memory(author.principal, agent_id, "k")
    seen.append((await store.list_memory(author.principal, agent_id, prefix="", after="", limit=9)).revision)
    revisions.append(await put(store, author, "k"))

    assert len(set(revisions)) == 3
    assert len(set(seen)) == 4
    assert seen == sorted(seen)
    assert seen[0] == 0


async def test_keys_are_listed_in_the_order_of_their_bytes(store: PostgresStore, author: Author) -> None:
    for key in ("b", "a/2", "a/1", "B", "ä", "a%", "a_"):
        await put(store, author, key)
    agent_id = author.detail.agent.id

    everything = await store.list_memory(author.principal, agent_id, prefix="", after="", limit=100)
    page = await store.list_memory(author.principal, agent_id, prefix="a", after="a%", limit=2)
    literal = await store.list_memory(author.principal, agent_id, prefix="a_", after="", limit=100)

    assert list(everything.keys) == sorted(["b", "a/2", "a/1", "B", "ä", "a%", "a_"], key=str.encode)
    assert list(page.keys) == ["a/1", "a/2"]
    assert list(literal.keys) == ["a_"]


async def test_search_finds_by_meaning_tags_and_model(store: PostgresStore, author: Author) -> None:
    await put(store, author, "same", embedding=pointing(0), tags=["x"])
    await put(store, author, "near", embedding=pointing(0, other=1), tags=["x", "y"])
    await put(store, author, "far", embedding=pointing(1))
    await put(store, author, "other model", embedding=pointing(0, model="n"))
    await put(store, author, "without")
    agent_id = author.detail.agent.id

    found = await store.search_memory(author.principal, agent_id, pointing(0), tags=[], limit=9)
    tagged = await store.search_memory(author.principal, agent_id, pointing(0), tags=["y", "x"], limit=9)
    first = await store.search_memory(author.principal, agent_id, pointing(0), tags=[], limit=1)

    assert [hit.entry.key for hit in found.hits] == ["same", "near", "far"]
    assert [hit.score for hit in found.hits] == pytest.approx([1, 0.5**0.5, 0], abs=1e-6)
    assert [hit.entry.key for hit in tagged.hits] == ["near"]
    assert [hit.entry.key for hit in first.hits] == ["same"]


async def test_importance_lifts_what_is_nearly_as_near(store: PostgresStore, author: Author) -> None:
    await put(store, author, "dull", embedding=pointing(0))
    await put(store, author, "important", embedding=pointing(0), importance=1.0)

    found = await store.search_memory(author.principal, author.detail.agent.id, pointing(0), tags=[], limit=9)

    assert [hit.entry.key for hit in found.hits] == ["important", "dull"]


async def test_without_pgvector_all_but_search_works(
    store: PostgresStore, author: Author, superuser: psycopg.Connection
) -> None:
    superuser.execute("drop extension vector")

    await put(store, author, "k", embedding=pointing(0))

    assert await store.get_memory(author.principal, author.detail.agent.id, "k") is not None
    with pytest.raises(SearchUnavailableError, match="pgvector"):
        await store.search_memory(author.principal, author.detail.agent.id, pointing(0), tags=[], limit=9)


async def test_dry_role_reads_and_cannot_write(store: PostgresStore, author: Author) -> None:
    agent_id = author.detail.agent.id
    before = await put(store, author, "k", "before", embedding=pointing(0))

    found = await store.get_memory(author.principal, agent_id, "k", dry=True)
    assert found is not None
    assert found.value == "before"
    hits = await store.search_memory(author.principal, agent_id, pointing(0), tags=[], limit=9, dry=True)
    assert len(hits.hits) == 1
    with pytest.raises(StoreMisconfiguredError):
        await store.put_memory(author.principal, agent_id, NewMemory("k", "after"), dry=True)
    with pytest.raises(StoreMisconfiguredError):
        await store.delete_memory(author.principal, agent_id, "k", dry=True)
    after = await store.get_memory(author.principal, agent_id, "k")
    assert after is not None
    assert (after.value, after.revision) == ("before", before)


async def test_entries_are_bounded_and_counted(
    store: PostgresStore, author: Author, superuser: psycopg.Connection
) -> None:
    agent_id = author.detail.agent.id
    await put(store, author, "k", "1")
    superuser.execute("update public.agent_memory_totals set entries = 10000")

    with pytest.raises(MemoryFullError, match="10000 keys"):
        await put(store, author, "one more")
    await put(store, author, "k", "2")
    await store.delete_memory(author.principal, agent_id, "k")
    await put(store, author, "in its place")


async def test_bytes_are_bounded_and_counted(
    store: PostgresStore, author: Author, superuser: psycopg.Connection
) -> None:
    await put(store, author, "k", "x" * 100, tags=["tag"])
    assert superuser.execute("select entries, bytes from public.agent_memory_totals").fetchone() == (1, 1 + 102 + 3)
    await put(store, author, "k", "", tags=[])
    assert superuser.execute("select entries, bytes from public.agent_memory_totals").fetchone() == (1, 3)
    superuser.execute("update public.agent_memory_totals set bytes = 64 * 1024 * 1024 - 10")

    with pytest.raises(MemoryFullError, match="bytes"):
        await put(store, author, "k", "x" * 100)
    assert (await store.get_memory(author.principal, author.detail.agent.id, "k")).value == ""  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "entry",
    [
        NewMemory("", 1),
        NewMemory("k" * 257, 1),
        NewMemory("k", "x" * 65_535),
        NewMemory("k", 1, importance=1.5),
        NewMemory("k", 1, tags=["t"] * 17),
        NewMemory("k", 1, embedding=Embedding("m", [1.0])),
    ],
)
async def test_what_is_out_of_bounds_is_refused(store: PostgresStore, author: Author, entry: NewMemory) -> None:
    with pytest.raises(ValueError, match="agent_memory_"):
        await store.put_memory(author.principal, author.detail.agent.id, entry)


async def test_memory_goes_with_its_agent(store: PostgresStore, author: Author, superuser: psycopg.Connection) -> None:

    await put(store, author, "k")
    await store.delete_agent(author.principal, "hello")
    await store.purge(timedelta(0))

    for table in ("agent_memory", "agent_memory_totals"):
        assert superuser.execute(f"select count(*) from public.{table}").fetchone() == (0,)  # noqa: S608


async def test_memory_goes_with_its_users_account(
    store: PostgresStore, author: Author, superuser: psycopg.Connection
) -> None:
    await put(store, author, "k")

    await store.erase_account(author.principal)

    for table in ("agent_memory", "agent_memory_totals"):
        assert superuser.execute(f"select count(*) from public.{table}").fetchone() == (0,)  # noqa: S608
