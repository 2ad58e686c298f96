"""A generation is settled whatever is in the way, or left to be released."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from agents_store.errors import StaleGenerationError, StoreUnavailableError
from agents_store.generations import GenerationEnd, GenerationState, TokenUsage
from agents_store.types import Principal
from server.codegen import settling as module
from server.codegen.settling import Settling
from server.leases import Lease
from tests.support.records import generation_start

ALICE = Principal(uuid4())
END = GenerationEnd(GenerationState.READY, None, TokenUsage(1), [{"number": 1}], 1)


class Store:
    """Refuses as many calls as `refusals` has errors, then takes them."""

    def __init__(self, *refusals: Exception) -> None:
        self.refusals = list(refusals)
        self.ends: list[GenerationEnd] = []
        self.settled = asyncio.Event()

    async def finish_generation(self, principal: Principal, generation_id: UUID, end: GenerationEnd) -> int:
        self.ends.append(end)
        if self.refusals:
            raise self.refusals.pop(0)
        self.settled.set()
        return 7

    async def get_generation(self, principal: Principal, generation_id: UUID) -> Any:
        raise StoreUnavailableError


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FINISH_PAUSES_S", (0.0, 0.0))
    monkeypatch.setattr(module, "SETTLE_PAUSE_S", 0.0)


def settling(store: Any) -> tuple[Settling, Any]:
    lease = Lease(store, retention=timedelta(days=1))
    return Settling(store, lease), generation_start(server_id=lease.server_id)


async def test_database_that_comes_back_in_time_settles() -> None:
    store = Store(StoreUnavailableError(), StoreUnavailableError())
    ending, start = settling(store)

    assert await ending.finish(ALICE, start, END) == 7
    assert store.ends == [END] * 3


async def test_database_that_comes_back_late_settles_too() -> None:
    store = Store(*[StoreUnavailableError()] * 6)
    ending, start = settling(store)

    assert await ending.finish(ALICE, start, END) is None
    async with asyncio.timeout(5):
        await store.settled.wait()
    await ending.close()


async def test_what_cannot_be_stored_does_not_keep_the_hold() -> None:
    store = Store(ValueError("the database refuses this value"))
    ending, start = settling(store)

    assert await ending.finish(ALICE, start, END) == 7
    assert [len(end.attempts) for end in store.ends] == [1, 0]
    assert store.ends[1].usage == END.usage


async def test_generation_that_somebody_else_ended_is_left_alone() -> None:
    store = Store(StaleGenerationError())
    ending, start = settling(store)

    assert await ending.finish(ALICE, start, END) is None
    assert len(store.ends) == 1


async def test_closing_waits_for_no_database() -> None:
    store = Store(*[StoreUnavailableError()] * 1_000_000)
    ending, start = settling(store)
    await ending.finish(ALICE, start, END)

    async with asyncio.timeout(5):
        await ending.close()
