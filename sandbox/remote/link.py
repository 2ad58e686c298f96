"""What a server process knows of its sandbox host, and its connections to it, through the host's absences."""

import asyncio
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import structlog

from sandbox.errors import TierUnavailableError
from sandbox.remote import wire
from sandbox.remote.connection import Connection
from sandbox.remote.wire import Kind, TierState, WireError
from sandbox.types import Tier

FIRST_STATE_S_MAX = 10.0
SILENCE_S_MAX = 8.0  # several times as long as a host leaves between two words
CONNECT_S_MAX = 5.0
RECONNECT_S = 0.5
IDLE_MAX = 64

log = structlog.get_logger(__name__)


class Link:
    """What one server process knows of its host, and its connections to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._absent = (
            f"no sandbox host answers at {path}: start `glovebox sandbox-host`, or unset GLOVEBOX_SANDBOX_SOCKET"
        )
        self._state: Mapping[Tier, TierState] | None = None
        self._why = self._absent
        self._was_away = False
        self._told = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._idle: deque[Connection] = deque()

    def state_of(self, tier: Tier) -> TierState:
        """How a tier of the host stands, as far as is known now."""
        if self._state is None:
            return TierState((self._why,), None, {})
        return self._state.get(tier) or TierState(("the sandbox host does not offer it",), None, {})

    async def open(self) -> None:
        """Begin to watch the host, and wait a little for its first word. Idempotent."""
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch(), name="sandbox-host-watch")
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_STATE_S_MAX):
                await self._told.wait()

    async def close(self) -> None:
        """Stop watching, and hang up. Idempotent."""
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        while self._idle:
            self._idle.pop().close()

    async def take(self, tier: Tier) -> Connection:
        """A connection for one job. Raises TierUnavailableError."""
        if self._state is None:
            raise TierUnavailableError(tier, (self._why,))
        while self._idle:
            connection = self._idle.pop()
            if connection.open:
                return connection
        try:
            return await self._connect()
        except (OSError, TimeoutError) as error:
            raise TierUnavailableError(tier, (self._absent,)) from error

    def give_back(self, connection: Connection) -> None:
        """Keep a connection that nothing is going on in for the next job."""
        if connection.open and self._watching is not None and len(self._idle) < IDLE_MAX:
            self._idle.append(connection)
        else:
            connection.close()

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_S_MAX):
            _, connection = await loop.create_unix_connection(Connection, str(self._path))
        if not connection.open:
            raise ConnectionRefusedError("what listens there is another user's")
        return connection

    async def _watch(self) -> None:
        """Keep knowing how the host stands, through its absences."""
        while True:
            try:
                await self._follow()
            except (OSError, TimeoutError, WireError) as error:
                if self._state is not None:
                    self._was_away = True
                    log.warning("sandbox_host.away", error=repr(error))
                self._why = f"the sandbox host is unusable: {error}" if isinstance(error, WireError) else self._absent
                self._state = None
            self._told.set()
            await asyncio.sleep(RECONNECT_S)

    async def _follow(self) -> None:
        connection = await self._connect()
        try:
            connection.send(wire.pack(Kind.WATCH, None))
            while True:
                async with asyncio.timeout(SILENCE_S_MAX):
                    kind, payload = await connection.receive()
                if kind == Kind.FAILED:
                    raise ConnectionRefusedError(str(wire.read_failure(payload)))
                if kind != Kind.STATE:
                    raise WireError(f"{kind.name} instead of its state")
                if self._state is None and self._was_away:
                    log.info("sandbox_host.back")
                self._state = wire.read_state(payload)
                self._told.set()
        finally:
            connection.close()
