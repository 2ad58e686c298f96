import asyncio

import pytest

from agents_store.errors import StoreUnavailableError
from server import leases
from server.leases import LEASE_S, Lease
from tests.unit.server.fakes import FakeStore


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(leases, "time", made)
    return made


async def test_a_lease_is_taken_and_extended_under_one_name(clock: Clock) -> None:
    store = FakeStore()
    lease = Lease(store)
    assert lease.seconds_left <= 0

    await lease.beat()
    clock.now += 5
    await lease.beat()

    assert store.registered == [lease.server_id] * 2
    assert lease.seconds_left == LEASE_S


async def test_a_failed_heartbeat_extends_nothing(clock: Clock) -> None:
    store = FakeStore()
    lease = Lease(store)
    await lease.beat()
    clock.now += 5
    store.down = 1

    with pytest.raises(StoreUnavailableError):
        await lease.beat()

    assert lease.seconds_left == LEASE_S - 5


async def test_after_its_lease_ran_out_a_process_goes_on_under_a_new_name(clock: Clock) -> None:
    store = FakeStore()
    lease = Lease(store)
    await lease.beat()
    old_id = lease.server_id
    clock.now += LEASE_S

    await lease.beat()

    assert lease.server_id != old_id
    assert store.registered == [old_id, lease.server_id]


async def test_the_name_changes_once_however_often_the_database_stays_away(clock: Clock) -> None:
    store = FakeStore()
    lease = Lease(store)
    await lease.beat()
    clock.now += LEASE_S
    store.down = 2
    names = set()
    for _ in range(2):
        with pytest.raises(StoreUnavailableError):
            await lease.beat()
        names.add(lease.server_id)

    await lease.beat()

    assert names == {lease.server_id}
    assert store.registered[1:] == [lease.server_id]


async def test_opening_needs_the_database() -> None:
    store = FakeStore(down=1)

    with pytest.raises(StoreUnavailableError):
        await Lease(store).open()


async def test_heartbeat_and_reaper_go_on_through_failures_until_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "HEARTBEAT_S", 0.005)
    monkeypatch.setattr(leases, "REAP_S", 0.005)
    store = FakeStore()
    reaped = asyncio.Event()
    rounds = iter([StoreUnavailableError(), RuntimeError("a defect"), None])

    async def reap() -> int:
        failure = next(rounds, None)
        if failure is not None:
            raise failure
        reaped.set()
        return 3

    monkeypatch.setattr(store, "reap", reap)
    lease = Lease(store)
    await lease.open()
    store.down = 2

    await asyncio.wait_for(reaped.wait(), 5)
    async with asyncio.timeout(5):
        while len(store.registered) < 3:  # noqa: ASYNC110 - the heartbeat tells nobody
            await asyncio.sleep(0.005)
    await lease.close()
    await lease.close()

    assert store.retired == [lease.server_id]
    beats = len(store.registered)
    await asyncio.sleep(0.02)
    assert len(store.registered) == beats


async def test_a_lease_that_cannot_be_given_up_does_not_hinder_closing() -> None:
    store = FakeStore()
    lease = Lease(store)
    await lease.open()
    store.down = 1

    await lease.close()

    assert store.retired == []
