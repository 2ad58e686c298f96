"""Streams of events against fakes: what ends them, and what a reader that is away gets."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import pytest

from agents_store.types import BegunRun, LogRecord, Principal, RunState
from server.errors import TooManyStreamsError
from server.invocations.live import LiveRuns
from server.invocations.router import prefers_async
from server.runs import stream
from server.runs.followers import Followers
from server.runs.following import Following
from server.runs.stream import EventStream
from tests.support.records import run_start
from tests.unit.server.fakes import FakeStore

ALICE = Principal(uuid4())


class Reader:
    """A client of a stream. It goes away after `takes` messages, and takes nothing while `open` is clear."""

    def __init__(self, takes: int | None = None) -> None:
        self.takes = takes
        self.away = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self.left = asyncio.Event()
        self.sent = b""
        self.ended = False

    async def send(self, message: Any) -> None:
        if self.takes is not None:
            self.takes -= 1
            if self.takes < 0:
                self.takes = None
                self.open.clear()
                self.away.set()
        await self.open.wait()
        self.sent += message.get("body", b"")
        self.ended = message["type"] == "http.response.body" and not message["more_body"]

    async def receive(self) -> dict[str, str]:
        await self.left.wait()
        return {"type": "http.disconnect"}


async def events(*chunks: bytes) -> AsyncGenerator[bytes, None]:
    for chunk in chunks:
        yield chunk


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (["respond-async"], True),
        (["wait=10, Respond-Async;q=1"], True),
        (["return=minimal", "respond-async"], True),
        ([], False),
        (["respond-asynchronously"], False),
        (["wait=respond-async"], False),
    ],
)
def test_what_prefers_an_answer_before_the_end(values: list[str], wanted: bool) -> None:
    assert prefers_async(values) is wanted


async def test_a_reader_gets_everything_and_the_end() -> None:
    reader, over = Reader(), asyncio.Event()
    response = EventStream(events(b"a", b"b"), stall_s=1, ended=over.set)

    await response({}, reader.receive, reader.send)

    assert (reader.sent, reader.ended, over.is_set()) == (b"ab", True, True)


async def test_a_reader_that_was_away_learns_why_it_was_dropped() -> None:
    reader = Reader(takes=2)  # the head and one event
    response = EventStream(events(b"a", b"b", b"c"), stall_s=0.01, ended=lambda: None)
    serving = asyncio.create_task(response({}, reader.receive, reader.send))
    await reader.away.wait()
    await asyncio.sleep(0.05)  # longer than the stall that is borne

    reader.open.set()
    await asyncio.wait_for(serving, 5)

    assert b"slow_reader" in reader.sent
    assert reader.sent.startswith(b"abevent: interrupted")
    assert reader.ended


async def test_a_reader_that_never_comes_back_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "DROPPED_S", 0.02)
    reader, over = Reader(takes=2), asyncio.Event()
    response = EventStream(events(b"a", b"b"), stall_s=0.01, ended=over.set)

    await asyncio.wait_for(response({}, reader.receive, reader.send), 5)

    assert over.is_set()
    assert not reader.ended


async def test_a_reader_that_leaves_ends_the_stream() -> None:
    reader, over = Reader(), asyncio.Event()

    async def endless() -> AsyncGenerator[bytes, None]:
        await asyncio.Event().wait()
        yield b""

    serving = asyncio.create_task(EventStream(endless(), stall_s=1, ended=over.set)({}, reader.receive, reader.send))
    await asyncio.sleep(0)
    reader.left.set()

    await asyncio.wait_for(serving, 5)

    assert over.is_set()


def test_streams_are_counted_for_each_user() -> None:
    followers, alice, bob = Followers(1), uuid4(), uuid4()
    followers.open_stream(alice)

    with pytest.raises(TooManyStreamsError):
        followers.open_stream(alice)
    followers.open_stream(bob)
    followers.close_stream(alice)
    followers.open_stream(alice)


@pytest.mark.parametrize(("closing", "reason"), [(True, b"shutting_down"), (False, b"store_unavailable")])
async def test_a_stream_that_cannot_go_on_says_why(closing: bool, reason: bytes) -> None:
    store, followers = FakeStore(), Followers(1)
    store.put_agent(ALICE.user_id, "hello")
    run = await begun(store)
    await store.append_logs(ALICE, run, [LogRecord(1, 0, "one", {})])
    tail = await store.read_tail(ALICE, run.run_id, after_seq=0)
    told = Following(store, followers, LiveRuns()).events(ALICE, run.run_id, 0, tail)
    assert (await anext(told)).startswith(b"retry:")
    assert b'"one"' in await anext(told)

    if closing:
        followers.close()
    else:
        store.down = 1
    rest = [event async for event in told]

    assert tail.state is RunState.EXECUTING
    assert len(rest) == 1
    assert rest[0].startswith(b"event: interrupted\n")
    assert reason in rest[0]


async def begun(store: FakeStore) -> BegunRun:
    return await store.begin(ALICE, run_start(store.details[ALICE.user_id, "hello"]))
