"""What dead servers left running: containers that carry a lease which nobody keeps any more."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from agents_store.errors import StoreError
from sandbox.abilities import Leased
from sandbox.errors import SandboxError
from sandbox.tiers import Tiers
from server.leases import every

SWEEP_S = 5.0
SWEEP_TIMEOUT_S = 60.0

log = structlog.get_logger("server.orphans")


class Orphans:
    """Destroys the containers of dead servers, and nothing else.

    Args:
        tiers: of this process.
        live_leases: tells the names of all leases that are kept now.
    """

    def __init__(self, tiers: Tiers, live_leases: Callable[[], Awaitable[frozenset[str]]]) -> None:
        self._tiers = tiers
        self._live_leases = live_leases
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to sweep now and then."""
        self._task = asyncio.create_task(every(SWEEP_S, self.sweep), name="orphans")

    async def close(self) -> None:
        """Stop. Idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def sweep(self) -> None:
        """Destroy what is left. A tier or a database that does not answer is asked again the next time."""
        for tier in self._tiers.available:
            sandbox = self._tiers.get(tier)
            if not isinstance(sandbox, Leased):
                continue
            try:
                async with asyncio.timeout(SWEEP_TIMEOUT_S):
                    destroyed = await sandbox.reap(await self._live_leases())
            except (SandboxError, StoreError, TimeoutError) as exc:
                log.warning("containers not swept", tier=tier.value, error=type(exc).__name__)
            else:
                if destroyed:
                    log.warning("containers of dead servers destroyed", tier=tier.value, containers=destroyed)
