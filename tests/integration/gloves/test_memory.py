"""`ctx.memory` over a real database: what it takes, what it finds, and a dry run that behaves like a live one."""

import random
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from agents_store.postgres.store import PostgresStore
from agents_store.types import EffectStatus, Principal
from server.gloves.effect import EffectError
from server.gloves.embeddings import LocalEmbedder
from server.gloves.memory import RunMemory
from server.gloves.overlay import Overlay
from tests.support.records import new_version

EMBEDDER = LocalEmbedder()  # loaded once for all tests of the module
ANIMALS = ("the cat sat on the mat", "a dog barked at night", "quarterly tax report", "rain in Bonn", "kittens purr")


class Asked:
    """The memory of one new agent, asked as a program does."""

    def __init__(self, store: PostgresStore, principal: Principal, agent_id: Any, overlay: Overlay | None) -> None:
        self.memory = RunMemory(store, principal, agent_id, EMBEDDER, overlay)
        self.overlay = overlay

    async def __call__(self, glove: str, **arguments: Any) -> Any:
        return (await self.memory.gloves()[f"memory.{glove}"](arguments)).value


Make = Callable[..., Any]


def rounded(answer: Any) -> Any:
    """An answer with scores to four digits: the database reckons with fewer than we do."""
    if isinstance(answer, list) and answer and isinstance(answer[0], dict):
        return [{**hit, "score": round(hit["score"], 4)} for hit in answer]
    return answer


@pytest.fixture
def make(store: PostgresStore) -> Make:
    async def made(*, dry: bool = False) -> Asked:
        principal = Principal(uuid4())
        detail = await store.create_agent(principal, "remembers", "", new_version())
        return Asked(store, principal, detail.agent.id, Overlay() if dry else None)

    return made


async def test_search_finds_what_means_the_same(make: Make) -> None:
    asked = await make()
    for number, text in enumerate(ANIMALS):
        await asked("put", key=str(number), value={"text": text}, tags=["animal"] if number in (0, 1, 4) else [])

    found = await asked("search", text="feline pets", limit=2)
    tagged = await asked("search", text="taxes", limit=9, tags=["animal"])

    assert {hit["key"] for hit in found} == {"0", "4"}
    assert [hit["score"] for hit in found] == sorted((hit["score"] for hit in found), reverse=True)
    assert set(found[0]) == {"key", "value", "score", "tags", "importance"}
    assert {hit["key"] for hit in tagged} == {"0", "1", "4"}
    assert await asked("search", text="", limit=2) == []


@pytest.mark.parametrize("seed", range(4))
async def test_dry_run_answers_as_a_live_one_and_writes_nothing(store: PostgresStore, make: Make, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    live, dry = await make(), await make(dry=True)
    twin = Asked(store, dry.memory._principal, dry.memory._agent_id, None)  # the dry agent's memory as it is stored
    for number in range(6):
        for asked in (live, twin):
            await asked("put", key=f"k{number}", value=ANIMALS[number % 5], tags=["old"])
    before = await twin("search", text="cat", limit=100), await twin("list", prefix="", limit=500)

    for _ in range(40):
        key = f"k{chance.randrange(9)}"
        ask: dict[str, Any] = chance.choice(
            [
                {"glove": "get", "key": key},
                {"glove": "put", "key": key, "value": chance.choice(ANIMALS), "importance": chance.random()},
                {"glove": "put", "key": key, "value": chance.choice(ANIMALS), "tags": ["new"]},
                {"glove": "delete", "key": key},
                {"glove": "list", "prefix": "k", "limit": chance.randrange(1, 9)},
                {"glove": "search", "text": chance.choice(ANIMALS), "limit": chance.randrange(1, 9)},
                {"glove": "search", "text": "animals", "limit": 5, "tags": ["new"]},
            ]
        )
        assert rounded(await dry(**ask)) == rounded(await live(**ask)), ask

    assert (await twin("search", text="cat", limit=100), await twin("list", prefix="", limit=500)) == before


async def test_reads_of_a_dry_run_tell_the_revision_that_they_rest_on(make: Make) -> None:
    dry = await make(dry=True)
    gloves = dry.memory.gloves()

    nothing = await gloves["memory.get"]({"key": "k"})
    listed = await gloves["memory.list"]({"prefix": "", "limit": 5})
    put = await gloves["memory.put"]({"key": "k", "value": 1})
    own = await gloves["memory.get"]({"key": "k"})

    assert nothing.request == {"key": "k", "revision": 0}
    assert listed.request == {"prefix": "", "limit": 5, "revision": 0}
    assert (put.status, put.request) == (EffectStatus.WITHHELD, None)
    assert (own.value, own.request) == ({"found": True, "value": 1}, None)


@pytest.mark.parametrize(
    ("glove", "arguments"),
    [
        ("get", {}),
        ("get", {"key": ""}),
        ("get", {"key": 1}),
        ("get", {"key": "k" * 257}),
        ("get", {"key": "a\0b"}),
        ("get", {"key": "k", "other": 1}),
        ("put", {"key": "k"}),
        ("put", {"key": "k", "value": "x" * 65_536}),
        ("put", {"key": "k", "value": "ü" * 32_768}),
        ("put", {"key": "k", "value": float("nan")}),
        ("put", {"key": "k", "value": {"a": ["b\0"]}}),
        ("put", {"key": "k", "value": "\ud800"}),
        ("put", {"key": "k", "value": 1, "tags": "abc"}),
        ("put", {"key": "k", "value": 1, "tags": ["t"] * 17}),
        ("put", {"key": "k", "value": 1, "tags": [""]}),
        ("put", {"key": "k", "value": 1, "tags": [1]}),
        ("put", {"key": "k", "value": 1, "importance": 2}),
        ("put", {"key": "k", "value": 1, "importance": True}),
        ("put", {"key": "k", "value": 1, "importance": float("nan")}),
        ("list", {"prefix": 1}),
        ("list", {"limit": 0}),
        ("list", {"limit": 501}),
        ("list", {"limit": True}),
        ("search", {"text": 1}),
        ("search", {"text": "x" * 8_193}),
        ("search", {"text": "x", "limit": 101}),
        ("delete", {}),
    ],
)
@pytest.mark.parametrize("dry", [False, True])
async def test_what_it_does_not_take_is_refused_and_changes_nothing(
    make: Make, glove: str, arguments: dict[str, Any], dry: bool
) -> None:
    asked = await make(dry=dry)

    with pytest.raises(EffectError) as refused:
        await asked(glove, **arguments)

    assert refused.value.fault.value == "ValueError"
    assert await asked("list", prefix="", limit=5) == []


@pytest.mark.parametrize("value", ["\\u0000", "\\\\u0000", "x" * 65_534, None, [], {"": ""}, 10**400, 1e-300])
async def test_whatever_is_json_is_kept(make: Make, value: Any) -> None:
    asked = await make()

    await asked("put", key="k", value=value)

    assert await asked("get", key="k") == {"found": True, "value": value}
