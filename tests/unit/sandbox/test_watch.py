"""Budgets of owners, and what the watch does with runs whose owner has overdrawn them."""

import asyncio
from dataclasses import dataclass, field

import pytest

from sandbox import watch as watch_module
from sandbox.budgets import OWNERS_MAX, Budgets, Rate, cpu_rate, output_rate
from sandbox.types import Limits, Outcome
from sandbox.watch import POLL_S, QUICK_NS, SLACK_BYTES, Watch

LIMITS = Limits(cpu_ms_max=60_000)
MS = 1_000_000
SPENT_MS = int((cpu_rate().ahead + cpu_rate().debt_max) / MS)
RATE = Rate(per_s=100, ahead=50, debt_max=200)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Reading:
    cpu_ns: int = 0
    memory_bytes: int = 0


@dataclass(eq=False)
class FakeMeter:
    """A run that has used what the test says."""

    latest: Reading = field(default_factory=Reading)
    changes: list[str] = field(default_factory=list)
    lowered: asyncio.Event = field(default_factory=asyncio.Event)

    def read(self) -> Reading:
        return self.latest

    def lower(self) -> None:
        self.changes.append("lower")
        self.lowered.set()

    def restore(self) -> None:
        self.changes.append("restore")


def unexpected(outcome: Outcome, exceeded: str) -> None:
    pytest.fail(f"{outcome} for {exceeded}")


def test_overdrawn_budget_is_even_again_after_as_long_as_it_takes_to_fill() -> None:
    clock = Clock()
    budgets = Budgets(RATE, clock)
    budgets.take("a", 100)

    assert budgets.left("a") == -50
    assert budgets.seconds_to_even("a") == 0.5
    clock.now += 0.5
    assert budgets.seconds_to_even("a") == 0
    clock.now += 100
    assert budgets.left("a") == RATE.ahead


def test_debt_is_bounded_and_nobody_elses() -> None:
    budgets = Budgets(RATE, Clock())
    budgets.take("a", 1_000_000)

    assert budgets.left("a") == -RATE.debt_max
    assert budgets.left("b") == RATE.ahead


def test_only_so_many_owners_are_known() -> None:
    budgets = Budgets(RATE, Clock())
    for number in range(OWNERS_MAX + 1):
        budgets.take(number, 60)

    assert budgets.left(0) == RATE.ahead
    assert budgets.left(1) < 0


async def test_run_is_lowered_while_it_lives_once_its_owner_has_used_up_the_budget() -> None:
    watch, busy, quick = Watch(), FakeMeter(), FakeMeter()
    watch.add(busy, LIMITS, unexpected, "a")
    watch.add(quick, LIMITS, unexpected, "b")

    busy.latest = Reading(cpu_ns=SPENT_MS * MS)
    await asyncio.wait_for(busy.lowered.wait(), 100 * POLL_S)
    await watch.close()

    assert "lower" not in quick.changes


async def test_owners_next_run_is_lowered_at_the_first_look_and_anothers_is_not() -> None:
    watch, first, second, other = Watch(), FakeMeter(), FakeMeter(), FakeMeter()
    watch.add(first, LIMITS, unexpected, "a")
    first.latest = Reading(cpu_ns=SPENT_MS * MS)  # so quick that nobody looked meanwhile
    watch.remove(first)

    watch.add(second, LIMITS, unexpected, "a")
    watch.add(other, LIMITS, unexpected, "b")
    assert second.changes == []  # it may be quick, and lowering it would cost more than it uses
    await asyncio.wait_for(second.lowered.wait(), 100 * POLL_S)
    await watch.close()

    assert "lower" not in other.changes


async def test_quick_runs_take_nothing_from_their_owners_budget() -> None:
    watch, last = Watch(), FakeMeter()
    for _ in range(2 * SPENT_MS):
        quick = FakeMeter()
        watch.add(quick, LIMITS, unexpected, "a")
        quick.latest = Reading(cpu_ns=QUICK_NS)
        watch.remove(quick)

    watch.add(last, LIMITS, unexpected, "a")
    await watch.close()

    assert last.changes == ["restore"]


async def test_lowered_run_is_restored_when_its_owner_is_even_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(watch_module, "Budgets", lambda rate: Budgets(rate, clock))
    watch, meter = Watch(), FakeMeter()
    watch.add(meter, LIMITS, unexpected, "a")
    meter.latest = Reading(cpu_ns=SPENT_MS * MS)
    await asyncio.wait_for(meter.lowered.wait(), 100 * POLL_S)

    clock.now += 60
    for _ in range(100):
        await asyncio.sleep(POLL_S)
        if meter.changes[-1] == "restore":
            break
    await watch.close()

    assert meter.changes[-1] == "restore"


async def test_runs_without_an_owner_share_no_budget() -> None:
    watch, first, second = Watch(), FakeMeter(), FakeMeter()
    watch.add(first, LIMITS, unexpected, None)
    first.latest = Reading(cpu_ns=SPENT_MS * MS)
    watch.remove(first)

    watch.add(second, LIMITS, unexpected, None)
    await watch.close()

    assert second.changes == ["restore"]


@pytest.mark.parametrize(
    ("reading", "outcome", "exceeded"),
    [
        (Reading(cpu_ns=60_001 * MS), Outcome.TIMED_OUT, "cpu_ms_max"),
        (
            Reading(memory_bytes=LIMITS.memory_bytes_max + SLACK_BYTES + 1),
            Outcome.OUT_OF_MEMORY,
            "memory_bytes_max",
        ),
    ],
)
async def test_run_over_its_limit_is_condemned(reading: Reading, outcome: Outcome, exceeded: str) -> None:
    watch, meter, told = Watch(), FakeMeter(latest=reading), asyncio.get_running_loop().create_future()

    def condemn(outcome: Outcome, exceeded: str) -> None:
        if not told.done():
            told.set_result((outcome, exceeded))

    watch.add(meter, LIMITS, condemn, "a")

    assert await asyncio.wait_for(told, 100 * POLL_S) == (outcome, exceeded)
    await watch.close()


async def test_log_is_read_at_once_until_its_owner_logs_faster_than_is_kept_up_with() -> None:
    watch, rate = Watch(), output_rate()
    loop = asyncio.get_running_loop()

    await watch.logged("a", int(rate.ahead))
    quick = asyncio.ensure_future(watch.logged("b", 1000))
    flooding = asyncio.ensure_future(watch.logged("a", int(rate.per_s)))
    began = loop.time()
    await quick
    assert not flooding.done()
    await flooding

    assert loop.time() - began >= watch_module.PAUSE_S_MAX / 2
