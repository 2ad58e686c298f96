"""One run that a host carries out for a server: whatever the program asks of its gloves goes back to that server."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

from sandbox.remote import wire
from sandbox.remote.connection import Connection
from sandbox.types import JsonValue, LogLine


class ServedGloves:
    """The gloves of a run whose server is at the other end of a connection. See `sandbox.types.Gloves`."""

    def __init__(self, connection: Connection, job: wire.Job) -> None:
        self._connection = connection
        self._job = job
        self._calls = 0
        self._pending: asyncio.Future[JsonValue] | None = None

    @property
    def owner(self) -> str:
        """Whose run it is."""
        return self._job.owner

    @property
    def test(self) -> bool:
        """True in a dry run."""
        return self._job.test

    @property
    def seed(self) -> int:
        """What `random` is seeded from."""
        return self._job.seed

    @property
    def started_at(self) -> datetime:
        """The run's start, UTC."""
        return self._job.started_at

    @property
    def frozen_clock(self) -> bool:
        """Whether the program's clock stands still at `started_at`."""
        return self._job.frozen_clock

    async def call(self, glove: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        """Ask the server, and wait for its answer: the run's own limits end a wait that is too long."""
        self._calls += 1
        self._pending = asyncio.get_running_loop().create_future()
        self._connection.send(wire.pack_call(self._calls, glove, arguments))
        try:
            return await self._pending
        finally:
            self._pending = None

    def take_answer(self, payload: bytes) -> None:
        """Take the server's answer. One that comes too late, or twice, changes nothing. Raises WireError."""
        number, value, error = wire.read_answer(payload)
        pending = self._pending
        if number != self._calls or pending is None or pending.done():
            return
        if error is None:
            pending.set_result(value)
        else:
            pending.set_exception(error)

    def log(self, line: LogLine) -> None:
        """Pass the line on. What waits to be sent is bounded by the run's own bound of output."""
        self._connection.send(wire.pack_line(line))
