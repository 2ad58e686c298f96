import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest
from starlette.requests import ClientDisconnect

from server.errors import ServerBusyError, ShuttingDownError, UserBusyError
from server.invocations import admission as admission_module
from server.invocations.admission import BEGINNING_S, LATELY_S, Admission, Beginning

ALICE, BOB, CAROL = uuid4(), uuid4(), uuid4()


def admission(**changes: int) -> Admission:
    bounds = {
        "runs_live_max": 1,
        "runs_waiting_max": 100,
        "run_wait_ms_max": 10_000,
        "user_runs_live_max": 50,
        "user_dry_runs_live_max": 20,
    }
    return Admission(**(bounds | changes))


class Caller:
    """One call that holds its place until it is told to leave."""

    def __init__(self, at: Admission, user_id: UUID, order: list[UUID] | None = None, *, dry: bool = False) -> None:
        self.leave = asyncio.Event()
        self.placed = asyncio.Event()
        self.gone = asyncio.Event()
        self._order = order
        self.task = asyncio.create_task(self._call(at, user_id, dry))

    async def _call(self, at: Admission, user_id: UUID, dry: bool) -> None:
        with at.call(user_id, dry=dry):
            await self._hold(at, user_id)

    async def _hold(self, at: Admission, user_id: UUID) -> None:
        async with at.place(user_id, self._gone):
            if self._order is not None:
                self._order.append(user_id)
            self.placed.set()
            await self.leave.wait()

    async def _gone(self) -> None:
        await self.gone.wait()


@asynccontextmanager
async def one_call(at: Admission, user_id: UUID, *, dry: bool) -> AsyncIterator[None]:
    with at.call(user_id, dry=dry):
        async with at.place(user_id):
            yield


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def assert_free(at: Admission, places: int = 1) -> None:
    """Every place can be taken again at once, and not one more."""
    callers = [Caller(at, uuid4()) for _ in range(places)]
    await asyncio.wait_for(asyncio.gather(*(caller.placed.wait() for caller in callers)), 1)
    extra = Caller(at, uuid4())
    await settle()
    assert not extra.placed.is_set()
    for caller in (*callers, extra):
        caller.leave.set()
    await asyncio.gather(*(caller.task for caller in (*callers, extra)))
    assert at.waiting == 0


async def test_users_take_turns_and_each_keeps_its_own_order() -> None:
    at, order = admission(), list[UUID]()
    first = Caller(at, CAROL)
    await first.placed.wait()
    waiting = [Caller(at, ALICE, order) for _ in range(5)]
    await settle()
    waiting += [Caller(at, BOB, order) for _ in range(2)]
    await settle()

    for caller in waiting:
        caller.leave.set()
    first.leave.set()
    await asyncio.gather(*(caller.task for caller in waiting))

    assert order == [ALICE, BOB, ALICE, BOB, ALICE, ALICE, ALICE]
    await assert_free(at)


async def test_a_user_at_the_bound_is_refused_while_others_are_served() -> None:
    at = admission(runs_live_max=4, user_runs_live_max=2)
    held = [Caller(at, ALICE), Caller(at, ALICE)]
    await settle()

    with pytest.raises(UserBusyError):
        async with one_call(at, ALICE, dry=False):
            pass
    async with one_call(at, BOB, dry=False):
        pass

    for caller in held:
        caller.leave.set()
    await asyncio.gather(*(caller.task for caller in held))
    async with one_call(at, ALICE, dry=False):
        pass


async def test_waiting_calls_count_towards_the_users_bound() -> None:
    at = admission(user_runs_live_max=2)
    held = [Caller(at, ALICE), Caller(at, ALICE)]
    await settle()

    with pytest.raises(UserBusyError):
        async with one_call(at, ALICE, dry=False):
            pass

    for caller in held:
        caller.leave.set()
    await asyncio.gather(*(caller.task for caller in held))


async def test_dry_and_live_runs_have_bounds_of_their_own() -> None:
    at = admission(runs_live_max=4, user_runs_live_max=1, user_dry_runs_live_max=1)
    live = Caller(at, ALICE)
    await settle()

    async with one_call(at, ALICE, dry=True):
        with pytest.raises(UserBusyError):
            async with one_call(at, ALICE, dry=True):
                pass

    live.leave.set()
    await live.task


async def test_too_many_waiting_calls_are_turned_away_at_once() -> None:
    at = admission(runs_waiting_max=1)
    held = [Caller(at, ALICE), Caller(at, BOB)]
    await settle()

    with pytest.raises(ServerBusyError):
        async with one_call(at, CAROL, dry=False):
            pass

    for caller in held:
        caller.leave.set()
    await asyncio.gather(*(caller.task for caller in held))
    await assert_free(at)


@pytest.mark.parametrize("wait_ms", [0, 20])
async def test_waiting_ends_at_its_deadline_and_leaks_no_place(wait_ms: int) -> None:
    at = admission(run_wait_ms_max=wait_ms)
    held = Caller(at, ALICE)
    await held.placed.wait()

    with pytest.raises(ServerBusyError):
        async with one_call(at, BOB, dry=False):
            pass

    assert at.waiting == 0
    held.leave.set()
    await held.task
    async with one_call(at, BOB, dry=False):
        pass


async def test_a_cancelled_waiter_leaks_no_place() -> None:
    at = admission()
    held = Caller(at, ALICE)
    await held.placed.wait()
    waiter = Caller(at, BOB)
    await settle()

    waiter.task.cancel()
    await asyncio.gather(waiter.task, return_exceptions=True)
    held.leave.set()
    await held.task

    await assert_free(at)


async def test_a_waiter_cancelled_in_the_moment_it_is_given_a_place_passes_it_on() -> None:
    at = admission()
    held = Caller(at, ALICE)
    await held.placed.wait()
    waiter, next_waiter = Caller(at, BOB), Caller(at, CAROL)
    await settle()

    held.leave.set()
    while not held.task.done():
        await asyncio.sleep(0)
        waiter.task.cancel()
    await asyncio.gather(waiter.task, return_exceptions=True)
    await asyncio.wait_for(next_waiter.placed.wait(), 1)

    next_waiter.leave.set()
    await next_waiter.task
    await assert_free(at)


async def test_a_call_whose_client_left_while_it_waited_is_dropped() -> None:
    at = admission()
    held = Caller(at, ALICE)
    await held.placed.wait()
    waiter = Caller(at, BOB)
    await settle()

    waiter.gone.set()

    with pytest.raises(ClientDisconnect):
        await asyncio.wait_for(waiter.task, 1)
    held.leave.set()
    await held.task
    await assert_free(at)


async def test_closing_turns_away_who_waits_and_who_comes_and_leaves_who_is_placed_alone() -> None:
    at = admission()
    held = Caller(at, ALICE)
    await held.placed.wait()
    waiters = [Caller(at, BOB), Caller(at, BOB), Caller(at, CAROL)]
    await settle()

    at.close()

    for waiter in waiters:
        with pytest.raises(ShuttingDownError):
            await asyncio.wait_for(waiter.task, 1)
    with pytest.raises(ShuttingDownError):
        async with one_call(at, CAROL, dry=False):
            pass
    assert not held.task.done()
    held.leave.set()
    await held.task


async def test_a_failing_call_gives_its_place_back() -> None:
    at = admission()

    with pytest.raises(RuntimeError):
        async with one_call(at, ALICE, dry=False):
            raise RuntimeError

    await assert_free(at)


async def test_many_calls_with_random_ends_leave_the_books_straight() -> None:
    at = admission(runs_live_max=3, run_wait_ms_max=50, runs_waiting_max=40, user_runs_live_max=30)
    users = [uuid4() for _ in range(4)]

    async def call(index: int) -> None:
        async with one_call(at, users[index % 4], dry=index % 3 == 0):
            await asyncio.sleep(0.001 * (index % 7))

    calls = [asyncio.create_task(call(index)) for index in range(300)]
    for index, task in enumerate(calls):
        if index % 5 == 0:
            asyncio.get_running_loop().call_later(0.0005 * index, task.cancel)
    await asyncio.gather(*calls, return_exceptions=True)

    await assert_free(at, places=3)


@pytest.mark.parametrize(("places", "most"), [(1, 1), (2, 1), (4, 3), (8, 6), (32, 24)])
async def test_however_many_calls_one_user_makes_places_stay_free_for_others(places: int, most: int) -> None:
    at = admission(runs_live_max=places, runs_waiting_max=1_000, user_runs_live_max=1_000)
    alices = [Caller(at, ALICE) for _ in range(200)]
    await settle()
    assert sum(caller.placed.is_set() for caller in alices) == most

    bobs = [Caller(at, BOB) for _ in range(200)]
    await settle()
    bob_holds = sum(caller.placed.is_set() for caller in bobs)
    assert bob_holds >= (places > 1)
    assert most + bob_holds <= places

    for caller in (*alices, *bobs):
        caller.leave.set()
    await asyncio.gather(*(caller.task for caller in (*alices, *bobs)))
    await assert_free(at, places)


async def test_users_who_come_one_after_the_other_find_a_place_each() -> None:
    at = admission(runs_live_max=32, runs_waiting_max=5_000, user_runs_live_max=1_000)
    callers: dict[UUID, list[Caller]] = {uuid4(): [] for _ in range(4)}
    for user_id, own in callers.items():
        own.extend(Caller(at, user_id) for _ in range(100))
    await settle()

    held = [sum(caller.placed.is_set() for caller in own) for own in callers.values()]

    assert all(held)
    everybody = [caller for own in callers.values() for caller in own]
    for caller in everybody:
        caller.leave.set()
    await asyncio.gather(*(caller.task for caller in everybody))
    await assert_free(at, 32)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


class Beginner(Caller):
    """One call whose run begins, and goes on to execute when it is told to."""

    async def _hold(self, at: Admission, user_id: UUID) -> None:
        self.execute = asyncio.Event()
        async with at.beginning(user_id, self._gone) as beginning:
            self.placed.set()
            executing = asyncio.create_task(self._execute(beginning))
            await self.leave.wait()
            executing.cancel()

    async def _execute(self, beginning: Beginning) -> None:
        await self.execute.wait()
        beginning.executes()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Two processors, and a clock of the test's own."""
    clock = Clock()
    monkeypatch.setattr(admission_module, "time", clock)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    return clock


def placed(callers: list[Beginner]) -> int:
    return sum(caller.placed.is_set() for caller in callers)


async def end(*callers: Caller) -> None:
    for caller in callers:
        caller.leave.set()
    await asyncio.gather(*(caller.task for caller in callers))


async def test_only_so_many_runs_of_a_user_begin_at_once(clock: Clock) -> None:
    at = admission(runs_live_max=32)
    many = [Beginner(at, ALICE) for _ in range(20)]
    await settle()
    assert placed(many) == 4

    await end(many[0])
    await settle()

    assert placed(many) == 5
    await end(*many)
    await assert_free(at, 32)


async def test_fewer_of_them_begin_while_somebody_else_calls_and_for_a_moment_after(clock: Clock) -> None:
    at = admission(runs_live_max=32)
    await end(Beginner(at, BOB))
    many = [Beginner(at, ALICE) for _ in range(20)]
    await settle()
    assert placed(many) == 1
    other = Beginner(at, BOB)
    await settle()
    assert other.placed.is_set()
    await end(other, many[0])
    await settle()
    assert placed(many) == 2

    clock.now += LATELY_S
    await end(many[1])
    await settle()

    assert placed(many) == 6
    await end(*many)
    await assert_free(at, 32)


async def test_call_that_comes_when_more_may_begin_lets_those_before_it_go_first(clock: Clock) -> None:
    at = admission(runs_live_max=32)
    await end(Beginner(at, BOB))
    many = [Beginner(at, ALICE) for _ in range(3)]
    await settle()
    assert placed(many) == 1

    clock.now += LATELY_S
    late = Beginner(at, ALICE)
    await settle()

    assert placed([*many, late]) == 4
    more = [Beginner(at, ALICE) for _ in range(2)]
    await end(late)
    await settle()
    assert [caller.placed.is_set() for caller in more] == [True, False]
    await end(*many, *more)
    await assert_free(at, 32)


async def test_run_that_goes_on_lets_the_next_one_begin_and_keeps_its_place(clock: Clock) -> None:
    at = admission(runs_live_max=8)
    many = [Beginner(at, ALICE) for _ in range(20)]
    await settle()
    for caller in many[:4]:
        caller.execute.set()
    await settle()
    assert placed(many) == 4

    await asyncio.wait_for(many[5].placed.wait(), 100 * BEGINNING_S)

    assert placed(many) == 6  # of eight places: so many may be one user's
    await end(*many)
    await assert_free(at, 8)


async def test_where_no_call_may_wait_none_is_turned_away_for_beginning_beside_others(clock: Clock) -> None:
    at = admission(runs_live_max=32, run_wait_ms_max=0)
    await end(Beginner(at, BOB))
    many = [Beginner(at, ALICE) for _ in range(20)]
    await settle()

    assert placed(many) == 20
    await end(*many)


async def test_work_that_begins_no_run_is_not_held_up(clock: Clock) -> None:
    at = admission(runs_live_max=32)
    many = [Beginner(at, ALICE) for _ in range(10)]
    await settle()

    async with asyncio.timeout(1), one_call(at, ALICE, dry=False):
        assert placed(many) == 4

    await end(*many)


async def test_who_gives_up_in_the_moment_that_a_run_may_begin_leaves_room_for_the_next(clock: Clock) -> None:
    at = admission(runs_live_max=32)
    many = [Beginner(at, ALICE) for _ in range(6)]
    await settle()

    many[0].leave.set()
    while not many[0].task.done():
        await asyncio.sleep(0)
        many[4].task.cancel()
    await asyncio.gather(many[4].task, return_exceptions=True)

    await asyncio.wait_for(many[5].placed.wait(), 1)
    await end(*many[1:4], many[5])
    await assert_free(at, 32)
