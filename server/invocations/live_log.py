"""The log of a run while it lives: stored in batches, so that it can be followed; what is left goes with its end."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import structlog

from agents_store.errors import StoreError
from agents_store.types import LogRecord
from sandbox.types import LogLine

BATCH_S = 0.25
BATCH_BYTES = 64 * 1024
RETRY_S = 1.0
LINE_BYTES = 64  # what a line costs beyond its message, so that empty ones come to a batch too

Append = Callable[[Sequence[LogRecord]], Awaitable[bool]]
Start = Callable[[Coroutine[Any, Any, None]], object]

log = structlog.get_logger("server.invocations")


def records_of(lines: Sequence[LogLine], *, after_seq: int = 0) -> list[LogRecord]:
    """Log lines as they are stored, counted from `after_seq` on."""
    numbered = enumerate(lines, start=after_seq + 1)
    return [LogRecord(seq, line.at_ms, line.message, line.fields) for seq, line in numbered]


class LiveLog:
    """Takes the lines of one run. A run that is shorter than a batch costs one timer, and only if it logs.

    Attributes:
        lines: all lines so far.
        stored: how many of them are known to be stored.
    """

    def __init__(self, append: Append, start: Start) -> None:
        """`append` stores lines and says whether the run still lives; `start` does work in a task of its own."""
        self.lines: list[LogLine] = []
        self.stored = 0
        self._append = append
        self._start = start
        self._sent = 0
        self._waiting_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._idle: asyncio.Event | None = None  # set where a batch was sent and answered
        self._failed = False
        self._ended = False

    def take(self, line: LogLine) -> None:
        """Take one line. Never waits."""
        self.lines.append(line)
        self._waiting_bytes += len(line.message) + LINE_BYTES
        self._plan()

    def begin_again(self) -> None:
        """Forget the lines of a run that begins anew, unless some are stored or being stored."""
        if not self._sent and not self.stored:
            self.lines.clear()
            self._waiting_bytes = 0

    async def end(self) -> int:
        """Send nothing more. How many lines are stored.

        Raises StoreError where that cannot be known now; ask again.
        """
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        if self._idle is not None:
            await self._idle.wait()
        if self.stored < self._sent:
            await self._append(self._batch(self._sent))
            self.stored = self._sent
        return self.stored

    def _plan(self) -> None:
        if self._ended or (self._idle is not None and not self._idle.is_set()):
            return
        if self._waiting_bytes >= BATCH_BYTES and not self._failed:
            self._send()
        elif self._timer is None and self._waiting_bytes:
            self._timer = asyncio.get_running_loop().call_later(RETRY_S if self._failed else BATCH_S, self._send)

    def _send(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._idle is None:
            self._idle = asyncio.Event()
        self._idle.clear()
        self._start(self._send_batch(self._idle))

    async def _send_batch(self, idle: asyncio.Event) -> None:
        end, size = self._next_batch()
        self._sent = max(self._sent, end)
        try:
            if not await self._append(self._batch(end)):
                self._ended = True
            self.stored = end
            self._waiting_bytes -= size
            self._failed = False
        except StoreError as exc:
            self._failed = True
            log.warning("log lines not stored yet", error=type(exc).__name__)
        finally:
            idle.set()
            self._plan()

    def _batch(self, end: int) -> list[LogRecord]:
        return records_of(self.lines[self.stored : end], after_seq=self.stored)

    def _next_batch(self) -> tuple[int, int]:
        """Where the next batch ends, after the line that fills it, and its size."""
        end, size = self.stored, 0
        while end < len(self.lines) and size < BATCH_BYTES:
            size += len(self.lines[end].message) + LINE_BYTES
            end += 1
        return end, size
