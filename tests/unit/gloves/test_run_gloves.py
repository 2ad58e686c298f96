"""The gloves of one run: whatever fails in one, the program learns of it, and its run comes to its end."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from agents_store.errors import StoreError, StoreUnavailableError
from agents_store.types import EffectStatus
from sandbox.types import GloveError, GloveFault, JsonValue
from server.gloves.effect import Answered, Arguments, Glove
from server.gloves.run import RunGloves


def gloves_with(**gloves: Glove) -> RunGloves:
    made = RunGloves("alice", test=False, seed=1, started_at=datetime.now(UTC))
    made.give(gloves)
    return made


def failing(error: Exception) -> Glove:
    async def fail(arguments: Arguments) -> Answered:
        raise error

    return fail


def answering(value: Any) -> Glove:
    async def answer(arguments: Arguments) -> Answered:
        return Answered(value)

    return answer


@pytest.mark.parametrize(
    ("method", "status"),
    [("GET", EffectStatus.FAILED), ("HEAD", EffectStatus.FAILED), ("POST", EffectStatus.UNKNOWN)],
)
@pytest.mark.parametrize(
    "error", [OSError("bad record mac"), ValueError("no"), RecursionError(), KeyError("x"), MemoryError()]
)
async def test_a_glove_that_breaks_is_the_programs_exception(
    error: Exception, method: str, status: EffectStatus
) -> None:
    gloves = gloves_with(fetch=failing(error))

    with pytest.raises(GloveError, match="the glove failed") as told:
        await gloves.call("fetch", {"url": "https://a.example", "method": method})

    assert told.value.fault is GloveFault.RUNTIME
    (effect,) = gloves.effects
    assert effect.status is status
    assert effect.error == {"type": "RuntimeError", "message": told.value.message}
    assert gloves.counts["fetch"] == 1


@pytest.mark.parametrize("error", [StoreUnavailableError(), StoreError("the database failed")])
async def test_a_store_that_is_away_is_the_programs_exception(error: StoreError) -> None:
    gloves = gloves_with(fetch=failing(error))

    with pytest.raises(GloveError) as told:
        await gloves.call("fetch", {"method": "POST"})

    assert told.value.fault is GloveFault.CONNECTION
    assert gloves.effects[0].status is EffectStatus.UNKNOWN


@pytest.mark.parametrize(
    "value", [10**5_000, float("inf"), float("nan")], ids=["endless digits", "infinity", "no number"]
)
async def test_arguments_that_json_cannot_carry_are_refused_and_not_kept(value: JsonValue) -> None:
    gloves = gloves_with(fetch=answering(1))

    with pytest.raises(GloveError) as told:
        await gloves.call("fetch", {"json": value})

    assert told.value.fault is GloveFault.VALUE
    assert (gloves.effects[0].status, gloves.effects[0].request) == (EffectStatus.REFUSED, {})


async def test_an_answer_that_json_cannot_carry_is_the_programs_exception() -> None:
    gloves = gloves_with(fetch=answering(float("inf")))

    with pytest.raises(GloveError, match="the glove failed"):
        await gloves.call("fetch", {"method": "POST"})

    assert (gloves.effects[0].status, gloves.effects[0].response) == (EffectStatus.UNKNOWN, None)


async def test_a_call_that_is_cancelled_stays_cancelled() -> None:
    begun = asyncio.Event()

    async def wait(arguments: Arguments) -> Answered:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    gloves = gloves_with(fetch=wait)
    call = asyncio.create_task(gloves.call("fetch", {"method": "POST"}))
    await begun.wait()
    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call
    assert gloves.effects[0].status is EffectStatus.UNKNOWN


async def test_connections_that_cannot_be_closed_keep_no_run_from_its_end() -> None:
    gloves, closed = gloves_with(), []

    async def fail() -> None:
        raise OSError("bad record mac")

    async def close() -> None:
        closed.append("other")

    gloves.give({}, close)
    gloves.give({}, fail)

    await gloves.close()

    assert closed == ["other"]


async def test_a_called_run_is_waited_for_until_it_is_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.gloves.run.CLOSE_S_MAX", 0.01)
    settling, begun, order = asyncio.Event(), asyncio.Event(), []

    async def call_agent(arguments: Arguments) -> Answered:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await settling.wait()
            order.append("called")
        raise AssertionError

    gloves = gloves_with(call=call_agent)
    call = asyncio.create_task(gloves.call("call", {"agent_name": "child", "inputs": {}}))
    await begun.wait()
    call.cancel()

    async def close() -> None:
        await gloves.close()
        order.append("caller")

    closing = asyncio.create_task(close())
    await asyncio.wait({closing}, timeout=0.1)  # ten times what any other glove would be given
    settling.set()
    await asyncio.gather(call, closing, return_exceptions=True)

    assert order == ["called", "caller"]
