"""The log of a live run in batches: what is sent when, and what is left when the store was away."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import pytest

from agents_store.errors import StoreUnavailableError
from agents_store.types import LogRecord
from sandbox.types import LogLine
from server.invocations import live_log
from server.invocations.live_log import BATCH_BYTES, LiveLog


class Sink:
    """Where batches go; `answers` are what it does with the next ones, then it stores."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.answers: list[bool | Exception] = []
        self.stored: set[int] = set()
        self.arrived = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def append(self, records: Sequence[LogRecord]) -> bool:
        self.batches.append([record.seq for record in records])
        self.arrived.set()
        await self.gate.wait()
        answer = self.answers.pop(0) if self.answers else True
        if isinstance(answer, Exception):
            raise answer
        self.stored.update(self.batches[-1])
        return answer


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def lines(sink: Sink) -> LiveLog:
    tasks: set[asyncio.Task[None]] = set()

    def start(work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    return LiveLog(sink.append, start)


def line(message: str = "x") -> LogLine:
    return LogLine(0, message)


async def test_a_run_that_is_shorter_than_a_batch_sends_none(lines: LiveLog, sink: Sink) -> None:
    for _ in range(10):
        lines.take(line())

    assert await lines.end() == 0
    await asyncio.sleep(live_log.BATCH_S * 1.2)
    assert sink.batches == []


async def test_lines_go_when_a_batch_is_old(lines: LiveLog, sink: Sink) -> None:
    lines.take(line())
    lines.take(line())

    await asyncio.wait_for(sink.arrived.wait(), 5)

    assert await lines.end() == 2
    assert sink.batches == [[1, 2]]


async def test_lines_go_when_a_batch_is_full_and_one_batch_at_a_time(lines: LiveLog, sink: Sink) -> None:
    sink.gate.clear()
    for _ in range(3):
        lines.take(line("x" * BATCH_BYTES))
    await asyncio.wait_for(sink.arrived.wait(), 5)
    assert sink.batches == [[1]]

    sink.arrived.clear()
    sink.gate.set()
    async with asyncio.timeout(5):
        while len(sink.batches) < 3:
            await sink.arrived.wait()
            sink.arrived.clear()

    assert await lines.end() == 3
    assert sink.batches == [[1], [2], [3]]


async def test_what_was_sent_without_an_answer_is_sent_again_before_the_end(lines: LiveLog, sink: Sink) -> None:
    sink.answers = [StoreUnavailableError(), StoreUnavailableError(), True]
    lines.take(line("x" * BATCH_BYTES))
    lines.take(line("later"))
    await asyncio.wait_for(sink.arrived.wait(), 5)

    with pytest.raises(StoreUnavailableError):
        await lines.end()

    assert await lines.end() == 1
    assert sink.batches == [[1], [1], [1]]
    assert sink.stored == {1}


async def test_a_store_that_is_away_is_not_hammered(
    lines: LiveLog, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_log, "RETRY_S", 60.0)
    sink.answers = [StoreUnavailableError()] * 100

    for _ in range(50):
        lines.take(line("x" * BATCH_BYTES))
        await asyncio.sleep(0)

    assert sink.batches == [[1]]


async def test_nothing_more_is_sent_for_a_run_that_somebody_else_ended(lines: LiveLog, sink: Sink) -> None:
    sink.answers = [False]
    lines.take(line("x" * BATCH_BYTES))
    await asyncio.wait_for(sink.arrived.wait(), 5)
    await asyncio.sleep(0)

    lines.take(line("x" * BATCH_BYTES))
    await asyncio.sleep(live_log.BATCH_S * 1.2)

    assert sink.batches == [[1]]
