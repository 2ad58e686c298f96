"""Logs of live runs in the store: appended while the run lives, told in pieces, announced; requests to cancel."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from uuid import UUID, uuid4

import pytest
from uuid_utils.compat import uuid7

from agents_store.errors import RunFinishedError, UnknownRunError
from agents_store.postgres.store import PostgresStore
from agents_store.types import BegunRun, LogRecord, LogTail, Notice, NoticeKind, Principal
from tests.integration.store.conftest import Author
from tests.support.database import Database
from tests.support.records import SERVER_ID, run_start, succeeded

STRANGER = Principal(uuid4())


def lines(first: int, last: int, message: str = "line") -> list[LogRecord]:
    return [LogRecord(seq, seq, f"{message} {seq}", {"n": seq}) for seq in range(first, last + 1)]


@pytest.fixture
async def begun(store: PostgresStore, author: Author) -> BegunRun:
    return await store.begin(author.principal, run_start(author.detail))


async def tail_of(store: PostgresStore, principal: Principal, run_id: UUID) -> list[LogTail]:
    """Everything there is, piece by piece."""
    pieces: list[LogTail] = []
    after = 0
    while (piece := await store.read_tail(principal, run_id, after_seq=after)).lines:
        pieces.append(piece)
        after = piece.lines[-1].seq
    return [*pieces, piece]


async def test_lines_are_there_while_the_run_lives(store: PostgresStore, author: Author, begun: BegunRun) -> None:
    assert await store.append_logs(author.principal, begun, lines(1, 2))
    tail = await store.read_tail(author.principal, begun.run_id, after_seq=1)

    assert (tail.outcome, [line.seq for line in tail.lines]) == (None, [2])
    assert await store.get_logs(author.principal, begun.run_id, after_seq=0, limit=10) == lines(1, 2)


async def test_the_same_lines_may_be_sent_again(store: PostgresStore, author: Author, begun: BegunRun) -> None:
    await store.append_logs(author.principal, begun, lines(1, 3))

    assert await store.append_logs(author.principal, begun, lines(2, 5, "again"))

    found = await store.get_logs(author.principal, begun.run_id, after_seq=0, limit=10)
    assert found == [*lines(1, 3), *lines(4, 5, "again")]


async def test_the_end_brings_the_rest(store: PostgresStore, author: Author, begun: BegunRun) -> None:
    await store.append_logs(author.principal, begun, lines(1, 2))
    await store.finish(author.principal, begun, succeeded(logs=lines(3, 4)))

    pieces = await tail_of(store, author.principal, begun.run_id)

    assert [line.seq for piece in pieces for line in piece.lines] == [1, 2, 3, 4]
    assert (pieces[-1].state, pieces[-1].outcome) == ("completed", "succeeded")


async def test_nothing_is_added_to_a_run_that_has_ended(store: PostgresStore, author: Author, begun: BegunRun) -> None:
    await store.finish(author.principal, begun, succeeded())

    assert not await store.append_logs(author.principal, begun, lines(1, 1))

    assert await store.get_logs(author.principal, begun.run_id, after_seq=0, limit=10) == []


async def test_nothing_is_added_to_a_foreign_run(store: PostgresStore, author: Author, begun: BegunRun) -> None:
    assert not await store.append_logs(STRANGER, begun, lines(1, 1))
    assert await store.append_logs(author.principal, begun, lines(1, 1))


async def test_what_cannot_be_stored_is_replaced(store: PostgresStore, author: Author, begun: BegunRun) -> None:
    await store.append_logs(author.principal, begun, [LogRecord(1, 0, "a\x00b\ud800", {"k\x00": float("nan")})])

    (line,) = (await store.read_tail(author.principal, begun.run_id, after_seq=0)).lines
    assert (line.message, line.fields) == ("a\ufffdb\ufffd", {"k\ufffd": "nan"})


async def test_a_tail_is_told_in_bounded_pieces(store: PostgresStore, author: Author, begun: BegunRun) -> None:
    long = [LogRecord(seq, 0, "x" * 30_000, {}) for seq in range(1, 11)]
    await store.append_logs(author.principal, begun, long)
    await store.append_logs(author.principal, begun, [LogRecord(11, 0, "y" * 200_000, {"z": "z" * 200_000})])

    pieces = await tail_of(store, author.principal, begun.run_id)

    assert [line.seq for piece in pieces for line in piece.lines] == list(range(1, 12))
    assert all(sum(len(line.message) for line in piece.lines) <= 64 * 1024 + 30_000 for piece in pieces)
    last = pieces[-2].lines[-1]
    assert (len(last.message), last.fields, last.cut) == (64 * 1024, {}, True)
    assert not any(line.cut for piece in pieces[:-2] for line in piece.lines)


async def test_a_tail_is_its_owners(store: PostgresStore, begun: BegunRun) -> None:
    for run_id in (begun.run_id, uuid7()):
        with pytest.raises(UnknownRunError):
            await store.read_tail(STRANGER, run_id, after_seq=0)


async def test_a_request_to_cancel_reaches_the_server_that_executes_the_run(
    store: PostgresStore, author: Author, begun: BegunRun
) -> None:
    await store.begin(author.principal, run_start(author.detail, server_id=uuid7()))

    for _ in range(2):
        await store.request_cancel(author.principal, begun.run_id)

    assert await store.cancel_requests(SERVER_ID) == [begun.run_id]
    assert await store.cancel_requests(uuid7()) == []
    await store.finish(author.principal, begun, succeeded())
    assert await store.cancel_requests(SERVER_ID) == []


async def test_what_has_ended_or_is_not_the_callers_cannot_be_cancelled(
    store: PostgresStore, author: Author, begun: BegunRun
) -> None:
    for run_id in (begun.run_id, uuid7()):
        with pytest.raises(UnknownRunError):
            await store.request_cancel(STRANGER, run_id)
    await store.finish(author.principal, begun, succeeded())

    with pytest.raises(RunFinishedError) as refusal:
        await store.request_cancel(author.principal, begun.run_id)

    assert refusal.value.state == "completed"
    assert await store.cancel_requests(SERVER_ID) == []


@asynccontextmanager
async def listening(url: str) -> AsyncIterator["asyncio.Queue[Notice]"]:
    """What another server of the database is told."""
    other = PostgresStore(url, pool_max=1)
    heard: asyncio.Queue[Notice] = asyncio.Queue()

    async def listen() -> None:
        async with aclosing(other.notices()) as notices:  # type: ignore[type-var]
            async for notice in notices:
                heard.put_nowait(notice)

    task = asyncio.create_task(listen())
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_other_servers_are_told_of_lines_ends_and_requests(
    database: Database, store: PostgresStore, author: Author, begun: BegunRun
) -> None:
    async with listening(database.login_url) as heard:

        async def told() -> set[NoticeKind]:
            await store.append_logs(author.principal, begun, lines(1, 1))
            await store.announce_end(begun.run_id)
            await store.request_cancel(author.principal, begun.run_id)
            await asyncio.sleep(0.05)
            found = set()
            while not heard.empty():
                notice = heard.get_nowait()
                assert notice.run_id == begun.run_id
                found.add(notice.kind)
            return found

        async with asyncio.timeout(20):
            while await told() != {NoticeKind.LOGS, NoticeKind.CANCEL}:
                pass


async def test_noise_on_the_channel_is_passed_over(
    database: Database, store: PostgresStore, author: Author, begun: BegunRun
) -> None:
    async with listening(database.login_url) as heard, asyncio.timeout(20):
        while heard.empty():
            async with store.connection() as conn:
                await conn.execute("select pg_notify('glovebox_logs', 'no id'), pg_notify('glovebox_cancels', '')")
            await store.announce_end(begun.run_id)
            await asyncio.sleep(0.05)
        assert heard.get_nowait() == Notice(NoticeKind.LOGS, begun.run_id)


async def test_behind_a_pooler_in_transaction_mode_nobody_waits_for_notices(database: Database) -> None:
    pooled = PostgresStore(database.login_url + "&pgbouncer=true", pool_max=1)

    async with asyncio.timeout(5):
        assert [notice async for notice in pooled.notices()] == []
