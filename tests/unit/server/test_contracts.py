import asyncio
from uuid import uuid4

import pytest

from agents_store.errors import UnknownAgentError
from agents_store.types import Principal
from server.invocations.contracts import OVERHEAD_BYTES, Contracts
from tests.unit.server.fakes import FakeStore

ALICE, BOB = Principal(uuid4()), Principal(uuid4())


async def test_a_contract_is_read_once_however_many_ask_at_once() -> None:
    store = FakeStore()
    store.put_agent(ALICE.user_id, "hello")
    contracts = Contracts(store)

    found = await asyncio.gather(*(contracts.load(ALICE, "hello") for _ in range(20)))

    assert store.reads == 1
    assert all(contract is found[0] for contract in found)
    assert contracts.kept(ALICE, "hello") is found[0]


async def test_users_never_share_a_contract() -> None:
    store = FakeStore()
    store.put_agent(ALICE.user_id, "hello")
    contracts = Contracts(store)
    await contracts.load(ALICE, "hello")

    assert contracts.kept(BOB, "hello") is None
    with pytest.raises(UnknownAgentError):
        await contracts.load(BOB, "hello")


async def test_an_agent_that_is_not_there_is_not_remembered() -> None:
    store = FakeStore()
    contracts = Contracts(store)
    with pytest.raises(UnknownAgentError):
        await contracts.load(ALICE, "hello")
    store.put_agent(ALICE.user_id, "hello")

    assert (await contracts.load(ALICE, "hello")).agent_name == "hello"


async def test_memory_is_bounded_and_the_least_recently_called_goes_first() -> None:
    store = FakeStore()
    for name in ("a", "b", "c"):
        store.put_agent(ALICE.user_id, name)
    contracts = Contracts(store, bytes_max=2 * OVERHEAD_BYTES + 200)
    await contracts.load(ALICE, "a")
    await contracts.load(ALICE, "b")
    assert contracts.kept(ALICE, "a") is not None

    await contracts.load(ALICE, "c")

    assert [contracts.kept(ALICE, name) is not None for name in ("a", "b", "c")] == [True, False, True]


async def test_a_dropped_contract_gives_its_memory_back() -> None:
    store = FakeStore()
    store.put_agent(ALICE.user_id, "a")
    contracts = Contracts(store, bytes_max=OVERHEAD_BYTES + 200)
    for _ in range(5):
        await contracts.load(ALICE, "a")
        assert contracts.kept(ALICE, "a") is not None
        contracts.drop(ALICE, "a")
        assert contracts.kept(ALICE, "a") is None
