"""The end of a generation that began: settled by what it used, as soon as that can be done."""

import asyncio
from dataclasses import replace
from uuid import UUID

import structlog

from agents_store.errors import StaleGenerationError, StoreError, StoreUnavailableError
from agents_store.generations import GenerationEnd, GenerationStart, GenerationStore
from agents_store.types import Principal
from server.leases import Lease

FINISH_PAUSES_S = (0.05, 0.1, 0.25, 0.5, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0)
SETTLE_PAUSE_S = 2.0

log = structlog.get_logger("server.codegen")


class Settling:
    """Ends generations in the store, whatever is in the way."""

    def __init__(self, store: GenerationStore, lease: Lease) -> None:
        self._store = store
        self._lease = lease
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Leave to the reaper what could not be settled. Idempotent."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def finish(self, principal: Principal, start: GenerationStart, end: GenerationEnd) -> int | None:
        """Settle a generation, trying again while the database is away. The charge, None where it is not known yet."""
        for pause_s in (*FINISH_PAUSES_S, None):
            try:
                return await self._store.finish_generation(principal, start.generation_id, end)
            except StoreUnavailableError as exc:
                log.warning("generation not settled", error=type(exc).__name__)
            except StaleGenerationError:
                return await self._charged(principal, start.generation_id)
            # The boundary around one generation's end: what cannot be stored of it must not keep its hold.
            except Exception:
                log.exception("generation not stored whole")
                end = replace(end, attempts=())
            if pause_s is not None:
                await asyncio.sleep(pause_s)
        task = asyncio.get_running_loop().create_task(self._finish_later(principal, start, end))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return None

    async def _charged(self, principal: Principal, generation_id: UUID) -> int | None:
        """What a finish whose answer was lost did after all, or what the reaper did."""
        try:
            return (await self._store.get_generation(principal, generation_id)).charge_microcredits
        except StoreError:
            return None

    async def _finish_later(self, principal: Principal, start: GenerationStart, end: GenerationEnd) -> None:
        """Settle as soon as the database answers; under another lease the generation is being reaped anyway."""
        while self._lease.server_id == start.server_id:
            await asyncio.sleep(SETTLE_PAUSE_S)
            try:
                await self._store.finish_generation(principal, start.generation_id, end)
            except StaleGenerationError:
                return
            except StoreError as exc:
                log.warning("generation not settled", error=type(exc).__name__)
            else:
                return
