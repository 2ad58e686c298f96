"""Whether this process can serve: asked of what it depends on, at most about once a second."""

import asyncio
import time

from agents_store.errors import StoreError
from agents_store.store import Store
from server.errors import NotReadyError
from server.leases import Lease

KEPT_S = 1.0
PING_TIMEOUT_S = 3.0


class Readiness:
    """Asks on behalf of every probe at once, so that probing costs nothing however often it is done."""

    def __init__(self, store: Store, lease: Lease) -> None:
        self._store = store
        self._lease = lease
        self._asking = asyncio.Lock()
        self._asked_at = float("-inf")
        self._database = "unknown"
        self._stopping = False

    def stop(self) -> None:
        """Say from now on that this process is stopping."""
        self._stopping = True

    async def check(self) -> None:
        """Raise NotReadyError unless this process can serve now."""
        async with self._asking:
            if time.monotonic() - self._asked_at >= KEPT_S:
                self._database = await self._ping()
                self._asked_at = time.monotonic()
        checks = {
            "database": self._database,
            "lease": "ok" if self._lease.seconds_left > 0 else "expired",
            "process": "stopping" if self._stopping else "ok",
        }
        if any(answer != "ok" for answer in checks.values()):
            raise NotReadyError(checks)

    async def _ping(self) -> str:
        try:
            async with asyncio.timeout(PING_TIMEOUT_S):
                await self._store.ping()
        except (StoreError, TimeoutError):
            return "unreachable"
        return "ok"
