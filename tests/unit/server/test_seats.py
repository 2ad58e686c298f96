import asyncio
from contextlib import AsyncExitStack
from uuid import UUID, uuid4

import pytest

from sandbox.errors import SandboxBusyError
from sandbox.types import Tier
from server.errors import ServerBusyError
from server.invocations import seats as seats_module
from server.invocations.seats import Seats

ALICE, BOB = uuid4(), uuid4()


class Sitting:
    """Runs that hold their seats until they are told to end."""

    def __init__(self, seats: Seats) -> None:
        self.seats = seats

    async def sit(self, user_id: UUID, *, called: bool = False, count: int = 1) -> list[AsyncExitStack]:
        stacks = [AsyncExitStack() for _ in range(count)]
        for stack in stacks:
            await stack.enter_async_context(self.seats.taken(user_id, Tier.DOCKER, called=called))
        return stacks

    def later(self, user_id: UUID) -> "asyncio.Task[list[AsyncExitStack]]":
        return asyncio.ensure_future(self.sit(user_id))


async def test_some_seats_are_kept_for_runs_that_others_call() -> None:
    sitting = Sitting(Seats(user_max=8, total_max=100))
    await sitting.sit(ALICE, count=6)
    seventh = sitting.later(ALICE)
    await asyncio.sleep(0)

    called = await sitting.sit(ALICE, called=True, count=2)

    assert not seventh.done()
    with pytest.raises(SandboxBusyError):
        await sitting.sit(ALICE, called=True)
    with pytest.raises(ServerBusyError):
        sitting.seats.require(ALICE, Tier.DOCKER)
    sitting.seats.require(BOB, Tier.DOCKER)
    for stack in called:
        await stack.aclose()
    seventh.cancel()
    await asyncio.gather(seventh, return_exceptions=True)
    sitting.seats.require(ALICE, Tier.DOCKER)


async def test_whoever_waits_longest_sits_next_and_holds_up_nobody_who_may() -> None:
    sitting = Sitting(Seats(user_max=1, total_max=100))
    (first,) = await sitting.sit(ALICE)
    second, third = sitting.later(ALICE), sitting.later(ALICE)
    await asyncio.sleep(0)

    await asyncio.wait_for(sitting.sit(BOB), 1)
    await first.aclose()
    (stack,) = await asyncio.wait_for(second, 1)

    assert not third.done()
    await stack.aclose()
    await asyncio.wait_for(third, 1)


async def test_a_server_that_is_full_keeps_seats_too() -> None:
    sitting = Sitting(Seats(user_max=100, total_max=4))
    stacks = await sitting.sit(ALICE, count=3)
    waiting = sitting.later(BOB)
    await asyncio.sleep(0)
    (called,) = await sitting.sit(ALICE, called=True)

    assert not waiting.done()
    await stacks[0].aclose()
    await asyncio.sleep(0)
    assert not waiting.done()
    await called.aclose()
    await asyncio.wait_for(waiting, 1)


async def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seats_module, "WAIT_S_MAX", 0.01)
    sitting = Sitting(Seats(user_max=1, total_max=1))
    (stack,) = await sitting.sit(ALICE)

    with pytest.raises(SandboxBusyError):
        await sitting.sit(BOB)

    await stack.aclose()
    await asyncio.wait_for(sitting.sit(BOB), 1)


async def test_a_seat_that_came_too_late_goes_to_the_next() -> None:
    sitting = Sitting(Seats(user_max=1, total_max=1))
    (stack,) = await sitting.sit(ALICE)
    gone, next_one = sitting.later(ALICE), sitting.later(BOB)
    await asyncio.sleep(0)
    await stack.aclose()
    gone.cancel()

    await asyncio.wait_for(next_one, 1)
    await asyncio.gather(gone, return_exceptions=True)


async def test_other_tiers_have_no_seats() -> None:
    seats = Seats(user_max=0, total_max=0)

    async with seats.taken(ALICE, Tier.RESTRICTED, called=True), seats.taken(ALICE, Tier.MONTY, called=False):
        seats.require(ALICE, Tier.RESTRICTED)
