"""The lease of this server process, kept alive while it lives, and the reaping of what dead ones left."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import structlog
import uuid_utils.compat

from agents_store.errors import StoreError
from agents_store.store import Store

HEARTBEAT_S = 5.0
LEASE_S = 15.0
REAP_S = 5.0
PURGE_S = 60.0
BEAT_TIMEOUT_S = 5.0
REAP_TIMEOUT_S = 30.0
PURGE_TIMEOUT_S = 60.0
RETENTION = timedelta(days=90)

log = structlog.get_logger("server.leases")


class Lease:
    """This process's name among the servers of one database.

    A process whose lease ran out takes a new name: what it began under the old one is being reaped, and must not come
    back to life with the next heartbeat.

    Attributes:
        reaped_runs: how many runs of dead servers this process ended.
    """

    def __init__(self, store: Store, *, retention: timedelta = RETENTION) -> None:
        self.reaped_runs = 0
        self._store = store
        self._retention = retention
        self._server_id: UUID = uuid_utils.compat.uuid7()
        self._database = ""
        self._expires_at = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def server_id(self) -> UUID:
        """What runs that begin now carry."""
        return self._server_id

    @property
    def name(self) -> str:
        """What containers that are made now carry: no server of any database has the same. Known once it is open."""
        return f"{self._database}.{self._server_id}"

    @property
    def seconds_left(self) -> float:
        """How long the lease surely lasts; not above 0 when it may have run out."""
        return self._expires_at - time.monotonic()

    async def open(self) -> None:
        """Take the lease and begin to keep it. Raises StoreUnavailableError."""
        await self.beat()
        names = await self._store.live_servers()
        self._database = next(iter(names), "").partition(".")[0]
        self._tasks = [
            asyncio.create_task(every(HEARTBEAT_S, self.beat), name="lease-heartbeat"),
            asyncio.create_task(every(REAP_S, self.reap), name="reaper"),
            asyncio.create_task(every(PURGE_S, self.purge), name="purge"),
        ]

    async def close(self) -> None:
        """Stop keeping the lease and give it up, so that what is left can be reaped at once. Idempotent."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if not tasks:
            return
        try:
            async with asyncio.timeout(BEAT_TIMEOUT_S):
                await self._store.retire_server(self._server_id)
        except (StoreError, TimeoutError) as exc:
            log.warning("lease not given up; it runs out by itself", error=type(exc).__name__)

    async def beat(self) -> None:
        """Extend the lease, or take one under a new name where it ran out."""
        asked_at = time.monotonic()
        if asked_at >= self._expires_at > 0:
            self._server_id = uuid_utils.compat.uuid7()
            self._expires_at = 0.0
            log.warning("lease ran out", server_id=str(self._server_id))
        async with asyncio.timeout(BEAT_TIMEOUT_S):
            await self._store.register_server(self._server_id)
        self._expires_at = asked_at + LEASE_S

    async def reap(self) -> None:
        """End what dead servers left."""
        async with asyncio.timeout(REAP_TIMEOUT_S):
            ended = await self._store.reap()
        self.reaped_runs += ended
        if ended:
            log.warning("runs of dead servers ended", runs=ended)

    async def purge(self) -> None:
        """Remove runs and deleted agents that are past their retention."""
        async with asyncio.timeout(PURGE_TIMEOUT_S):
            purged = await self._store.purge(self._retention)
        if purged.runs or purged.agents:
            log.info("past retention", runs=purged.runs, agents=purged.agents)


async def every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work again and again, whatever becomes of it, first after `seconds`."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except (StoreError, TimeoutError) as exc:
            log.warning("periodic work failed", work=work.__name__, error=type(exc).__name__)
        # A worker loop: a defect in one round must not end the heartbeat, and with it every run of this process.
        except Exception:
            log.exception("periodic work failed", work=work.__name__)
