"""Who follows runs at this server process: woken when there is news, and no more of them than each user may have."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from server.errors import TooManyStreamsError


class Followers:
    """Passes on that there is news of a run; what it is, everybody reads from the store at their own pace."""

    def __init__(self, user_streams_max: int) -> None:
        self._streams_max = user_streams_max
        self._streams: Counter[UUID] = Counter()
        self._waiting: defaultdict[UUID, set[asyncio.Event]] = defaultdict(set)
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether this process wants every stream to end."""
        return self._closed

    @property
    def any(self) -> bool:
        """Whether anybody follows a run here."""
        return bool(self._waiting)

    def close(self) -> None:
        """Wake everybody for the last time. Idempotent."""
        self._closed = True
        for run_id in list(self._waiting):
            self.tell(run_id)

    def open_stream(self, user_id: UUID) -> None:
        """Count one stream more. Raises TooManyStreamsError."""
        if self._streams[user_id] >= self._streams_max:
            raise TooManyStreamsError(self._streams_max)
        self._streams[user_id] += 1

    def close_stream(self, user_id: UUID) -> None:
        """Count one stream less."""
        self._streams[user_id] -= 1
        if not self._streams[user_id]:
            del self._streams[user_id]

    @contextmanager
    def news(self, run_id: UUID) -> Iterator[asyncio.Event]:
        """An event that is set whenever there is news of this run; whoever waits for it clears it."""
        event = asyncio.Event()
        self._waiting[run_id].add(event)
        try:
            yield event
        finally:
            self._waiting[run_id].discard(event)
            if not self._waiting[run_id]:
                del self._waiting[run_id]

    def tell(self, run_id: UUID) -> None:
        """Wake those who follow this run."""
        for event in self._waiting.get(run_id, ()):
            event.set()
