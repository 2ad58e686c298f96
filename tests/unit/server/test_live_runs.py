import asyncio
from uuid import uuid4

import pytest

from server.invocations.live import LiveRuns, RunCancelledError, RunInterruptedError


async def test_work_goes_on_when_its_caller_is_cancelled() -> None:
    live, release, done = LiveRuns(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await release.wait()
        done.set()

    caller = asyncio.create_task(live.carry(work()))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    assert len(live) == 1

    release.set()

    assert await live.wait(1)
    assert done.is_set()
    assert len(live) == 0


async def test_the_works_own_error_reaches_the_caller() -> None:
    async def work() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await LiveRuns().carry(work())


async def test_waiting_is_bounded() -> None:
    live, release = LiveRuns(), asyncio.Event()
    task = asyncio.create_task(live.carry(asyncio.wait_for(release.wait(), 5)))
    await asyncio.sleep(0)

    assert not await live.wait(0.01)

    release.set()
    await task


async def test_an_interruption_leaves_the_block_and_not_the_task() -> None:
    live, run_id, after = LiveRuns(), uuid4(), []

    async def work() -> str:
        try:
            with live.interruptible(run_id):
                await asyncio.Event().wait()
        except RunInterruptedError:
            await asyncio.sleep(0)
            after.append("settled")
        return "answered"

    caller = asyncio.create_task(live.carry(work()))
    await asyncio.sleep(0.01)

    assert live.interrupt(run_id)
    assert not live.interrupt(run_id)

    assert await caller == "answered"
    assert after == ["settled"]
    assert not live.interrupt(run_id)


async def test_a_cancellation_from_elsewhere_stays_one() -> None:
    live = LiveRuns()

    async def work() -> None:
        with live.interruptible(uuid4()):
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("when", ["before it executes", "while it executes"])
async def test_a_called_run_ends_with_its_caller_and_is_settled_before_it(when: str) -> None:
    live, run_id, settled = LiveRuns(), uuid4(), []
    ready, begun = asyncio.Event(), asyncio.Event()

    async def called() -> None:
        begun.set()
        await ready.wait()
        try:
            with live.interruptible(run_id):
                await asyncio.Event().wait()
        except RunCancelledError:
            await asyncio.sleep(0)
            settled.append("called")

    if when == "while it executes":
        ready.set()
    caller = asyncio.create_task(live.carry_called(run_id, called()))
    await begun.wait()
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.sleep(0)
    ready.set()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(caller, 5)
    assert settled == ["called"]
    assert not live.executes(run_id)


async def test_a_called_runs_end_is_its_callers_to_see() -> None:
    live = LiveRuns()

    async def called() -> str:
        return "answered"

    assert await live.carry_called(uuid4(), called()) == "answered"


@pytest.mark.parametrize("when", ["while it ends", "while it is settled"])
async def test_a_called_run_is_settled_however_often_its_caller_is_cancelled(when: str) -> None:
    live, run_id, steps = LiveRuns(), uuid4(), []
    begun, reached, go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def pause(step: str) -> None:
        steps.append(step)
        if step == when:
            reached.set()
            await go_on.wait()

    async def called() -> None:
        try:
            with live.interruptible(run_id):
                begun.set()
                try:
                    await asyncio.Event().wait()
                finally:
                    await pause("while it ends")
        except RunCancelledError:
            await pause("while it is settled")
            steps.append("settled")

    caller = asyncio.create_task(live.carry_called(run_id, called()))
    await begun.wait()
    caller.cancel()
    await asyncio.wait_for(reached.wait(), 5)
    for _ in range(3):
        caller.cancel()
        await asyncio.sleep(0)
    assert not caller.done()
    go_on.set()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(caller, 5)
    assert steps == ["while it ends", "while it is settled", "settled"]
    assert len(live) == 0
