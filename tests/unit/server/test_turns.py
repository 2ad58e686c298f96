"""Whose turn it is in the database."""

import asyncio
from uuid import UUID, uuid4

import pytest

from agents_store.errors import StoreUnavailableError
from server.invocations import turns as turns_module
from server.invocations.turns import Turns

ALICE, BOB = uuid4(), uuid4()


async def settled() -> None:
    """Let everything that can go on go on."""
    for _ in range(20):
        await asyncio.sleep(0)


class Calls:
    """Calls that hold a turn until they are let go, and the order in which they got one."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.order: list[UUID] = []
        self.held: list[asyncio.Event] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def start(self, user_id: UUID) -> "asyncio.Task[None]":
        task = asyncio.create_task(self._call(user_id))
        self.tasks.append(task)
        await settled()
        return task

    async def let_one_go(self) -> None:
        self.held.pop(0).set()
        await settled()

    async def _call(self, user_id: UUID) -> None:
        async with self._turns.taken(user_id):
            self.order.append(user_id)
            done = asyncio.Event()
            self.held.append(done)
            await done.wait()


async def test_second_user_is_next_however_many_calls_of_the_first_wait() -> None:
    calls = Calls(Turns(2))
    for user in (ALICE,) * 40 + (BOB,):
        await calls.start(user)
    assert calls.order == [ALICE, ALICE]

    await calls.let_one_go()
    await calls.let_one_go()

    assert BOB in calls.order[:4]
    while calls.held:
        await calls.let_one_go()
    assert len(calls.order) == 41
    await asyncio.gather(*calls.tasks)


async def test_turns_that_nobody_waits_for_are_free_again() -> None:
    calls = Calls(Turns(1))
    await calls.start(ALICE)
    await calls.let_one_go()
    await calls.start(BOB)

    assert calls.order == [ALICE, BOB]
    await calls.let_one_go()


@pytest.mark.parametrize("granted", [False, True])
async def test_turn_of_a_caller_who_gave_up_goes_to_the_next(granted: bool) -> None:
    calls = Calls(Turns(1))
    await calls.start(ALICE)
    gone = await calls.start(BOB)
    await calls.start(ALICE)
    if granted:
        calls.held.pop(0).set()
        await asyncio.sleep(0)  # the turn is passed on, and nobody has noticed yet
    gone.cancel()
    await settled()
    if not granted:
        await calls.let_one_go()

    assert calls.order == [ALICE, ALICE]
    await calls.let_one_go()
    await calls.start(BOB)
    assert calls.order == [ALICE, ALICE, BOB]
    await calls.let_one_go()


async def test_who_gets_no_turn_in_time_is_told_that_the_database_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns_module, "WAIT_S_MAX", 0.01)
    calls = Calls(Turns(1))
    await calls.start(ALICE)

    with pytest.raises(StoreUnavailableError):
        async with calls._turns.taken(BOB):
            pytest.fail("there was no turn")

    await calls.let_one_go()
    await calls.start(BOB)
    assert calls.order == [ALICE, BOB]
    await calls.let_one_go()
