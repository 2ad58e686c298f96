"""A run's log as server-sent events: every line once and in order, then how the run ended.

Source: HTML standard, section 9.2 (server-sent events).
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from agents_store.errors import StoreError
from agents_store.store import Store
from agents_store.types import LogTail, Principal, TailLine
from server.invocations.live import LiveRuns
from server.runs.followers import Followers

PING_S = 15.0
LOOK_S = 1.0  # at runs of other servers, whose notices may not come through
RETRY_MS = 1_000


class Reason(StrEnum):
    """Why a stream ends before its run does. Going on from the last id, another one misses nothing."""

    SLOW_READER = "slow_reader"  # took nothing for too long
    SHUTTING_DOWN = "shutting_down"
    STORE_UNAVAILABLE = "store_unavailable"


class Following:
    """Follows runs for streams."""

    def __init__(self, store: Store, followers: Followers, live: LiveRuns) -> None:
        self._store = store
        self._followers = followers
        self._live = live

    async def events(
        self, principal: Principal, run_id: UUID, after_seq: int, tail: LogTail
    ) -> AsyncGenerator[bytes, None]:
        """Events until the run has ended and everything is told, or until something is in the way.

        Args:
            principal: whose run it is.
            run_id: the run.
            after_seq: the last line that the reader has.
            tail: what was read after that line.
        """
        yield format_sse_event(retry=RETRY_MS)
        with self._followers.news(run_id) as news:
            told_at = time.monotonic()
            while True:
                if tail.lines:
                    after_seq = tail.lines[-1].seq
                    yield b"".join(map(_line_event, tail.lines))
                    told_at = time.monotonic()
                elif tail.outcome is not None:
                    yield _done_event(tail)
                    return
                elif self._followers.closed:
                    yield interrupted_event(Reason.SHUTTING_DOWN)
                    return
                else:
                    await self._wait(news, run_id, PING_S - (time.monotonic() - told_at))
                    if time.monotonic() - told_at >= PING_S:
                        yield KEEPALIVE_COMMENT
                        told_at = time.monotonic()
                news.clear()
                try:
                    # To its end although the reader leaves: a query that is cut off costs the pool its connection.
                    reading = asyncio.ensure_future(self._store.read_tail(principal, run_id, after_seq=after_seq))
                    reading.add_done_callback(_passed_over)
                    tail = await asyncio.shield(reading)
                except StoreError:
                    yield interrupted_event(Reason.STORE_UNAVAILABLE)
                    return

    async def _wait(self, news: asyncio.Event, run_id: UUID, seconds: float) -> None:
        if not self._live.executes(run_id):
            seconds = min(seconds, LOOK_S)
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await news.wait()
        except TimeoutError:
            pass


def _passed_over(reading: asyncio.Future[LogTail]) -> None:
    """What a read comes to whose reader has left is nobody's business any more."""
    if not reading.cancelled():
        reading.exception()


def interrupted_event(reason: Reason) -> bytes:
    """The last event of a stream that ends before its run is told to the end."""
    return _event("interrupted", {"reason": reason.value})


def _line_event(line: TailLine) -> bytes:
    shown: dict[str, Any] = {"seq": line.seq, "at_ms": line.at_ms, "message": line.message, "fields": line.fields}
    if line.cut:
        shown["cut"] = True
    return _event("log", shown, str(line.seq))


def _done_event(tail: LogTail) -> bytes:
    return _event(
        "done",
        {
            "state": tail.state.value,
            "outcome": tail.outcome,
            "reason": tail.reason,
            "charge_microcredits": tail.charge_microcredits,
        },
    )


def _event(name: str, value: Mapping[str, Any], event_id: str | None = None) -> bytes:
    # ASCII on one line: whatever an agent printed, it cannot end the line, the field or the event, nor reorder text.
    return format_sse_event(data_str=json.dumps(value, separators=(",", ":")), event=name, id=event_id)
