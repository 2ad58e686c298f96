"""One soak: a server of its own, a load of everything at once, faults in it, samples of it, and a verdict."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from agents_store.postgres.admin import grant_credits
from bench.bare_start import bare_start
from tests.acceptance.processes import Caller
from tests.soak import verdict
from tests.soak.actions import TIMED, Member
from tests.soak.aftermath import errors_in, left_by, wrong_in
from tests.soak.faults import Breakable, break_things
from tests.soak.ground import Ground, ground_for
from tests.soak.load import Load
from tests.soak.notes import Call, Notes
from tests.soak.plan import Plan
from tests.soak.record import record_of
from tests.soak.samples import Sample, Site, identities, look
from tests.soak.verdict import BARE_START, Check, Figures
from tests.support.processes import descendants_of

CREDITS = 10**13  # microcredits, each member's: nobody runs dry
REST_S = 2.0
YARDSTICK_S = 1.0


@dataclass(frozen=True)
class Soak:
    """What came of a soak."""

    checks: list[Check]
    figures: Figures
    record: dict[str, Any]

    @property
    def held(self) -> bool:
        return verdict.held(self.checks)


async def soak(plan: Plan) -> Soak:
    """Carry out a plan. Raises BehindError, in a group, where the server does not keep up with its own rate."""
    notes, samples = Notes(), list[Sample]()
    async with ground_for(plan) as ground:
        below = identities(descendants_of(ground.site.pid))
        members = await _members(plan, ground)
        async with _calling(plan, ground, members, notes) as load:
            await load.warm_up()
            rate = await load.measure(plan.measured_s, plan.clients)
            if notes.unexpected_count:
                raise AssertionError(notes.unexpected)
        before = await at_rest(ground.site, 0)
        notes.calls.clear()
        notes.kinds.clear()
        async with _calling(plan, ground, members, notes) as load:
            due = await _loaded(plan, ground, load, rate * plan.share, samples)
        after = await at_rest(ground.site, plan.seconds)
        sums = await wrong_in(ground.site.database, notes)
        below |= identities(descendants_of(ground.site.pid))
        errors = errors_in(ground.log)
        left = await left_by(ground, below)
    figures = Figures(
        samples=samples,
        rest=(before, after),
        thirds=_thirds(plan, notes),
        unexpected=notes.unexpected_count,
        calls=notes.kinds.total(),
        due=due,
        recoveries_s=[fault.took_s for fault in notes.faults],
        sums=sums,
        left=left,
    )
    checks = verdict.judge(figures, long=plan.long)
    return Soak(checks, figures, record_of(plan, rate, notes, figures, checks, errors))


async def _members(plan: Plan, ground: Ground) -> list[Caller]:
    """Users with every agent and more credits than they can spend."""
    callers = [Caller.new() for _ in range(plan.members)]
    for caller in callers:
        async with caller.at(ground.process) as http:
            await Member(caller, http, plan.docker).settle_in()
        await grant_credits(ground.site.database.owner_url, caller.id, CREDITS, idempotency_key=None)
    return callers


@asynccontextmanager
async def _calling(plan: Plan, ground: Ground, callers: Sequence[Caller], notes: Notes) -> AsyncIterator[Load]:
    """A load of these users; they hang up at the end of the block."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(caller.at(ground.process)) for caller in callers]
        members = [Member(caller, http, plan.docker) for caller, http in zip(callers, clients, strict=True)]
        yield Load(members, notes, plan.seed, plan.docker)


async def at_rest(site: Site, at_s: float) -> Sample:
    """A sample once nobody calls and nothing runs."""
    await asyncio.sleep(REST_S)
    return await asyncio.to_thread(look, site, at_s)


async def _loaded(plan: Plan, ground: Ground, load: Load, rate_per_s: float, samples: list[Sample]) -> int:
    """The load with its faults and samples. How many actions were due."""
    began_at, stop = time.monotonic(), asyncio.Event()
    at = Breakable(ground.process, ground.site, ground.postmaster, plan.pause_s)
    async with asyncio.TaskGroup() as group:
        group.create_task(break_things(at, load.notes, began_at, stop))
        watching = [
            group.create_task(_sample(ground.site, plan, samples, began_at)),
            group.create_task(_start_interpreters(load.notes, began_at)),
        ]
        try:
            return await load.keep_up(rate_per_s, plan.seconds, began_at)
        finally:
            stop.set()
            for task in watching:
                task.cancel()


async def _sample(site: Site, plan: Plan, samples: list[Sample], began_at: float) -> None:
    while True:
        await asyncio.sleep(plan.sample_s)
        samples.append(await asyncio.to_thread(look, site, time.monotonic() - began_at))


async def _start_interpreters(notes: Notes, began_at: float) -> None:
    """The yardstick, once a second: how slow this machine is by itself, and by what else goes on in it."""
    while True:
        due_s = time.monotonic() - began_at
        notes.calls.append(Call(BARE_START, due_s, await asyncio.to_thread(bare_start)))
        await asyncio.sleep(YARDSTICK_S)


def _thirds(plan: Plan, notes: Notes) -> dict[str, list[list[float]]]:
    third = plan.seconds / 3
    kinds = [BARE_START, *(kind for kind in TIMED if plan.docker or kind != "docker")]
    return {
        kind: [
            [took_s * 1000 for took_s in notes.quiet_calls(kind, number * third, (number + 1) * third)]
            for number in range(3)
        ]
        for kind in kinds
    }
