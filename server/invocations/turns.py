"""Whose turn it is to begin or to finish a run in the database: users take turns, each user's calls keep their order.

Connections alone would be given to whoever asks first: behind forty calls of one user another's single one waits for
all of them, twice.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from agents_store.errors import StoreUnavailableError

WAIT_S_MAX = 5.0


class Turns:
    """A few turns at once, so that a user's flood queues here, where others pass it, and not in the database.

    Used from one event loop; nothing in it is awaited while its books are open.
    """

    def __init__(self, at_once: int) -> None:
        """`at_once`: how many may be in the database together, from 1."""
        self._free = at_once
        self._queues: OrderedDict[UUID, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def taken(self, user_id: UUID) -> AsyncIterator[None]:
        """Hold a turn. Raises StoreUnavailableError: none came within `WAIT_S_MAX`."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(user_id)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, user_id: UUID) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(user_id, deque()).append(turn)
        try:
            async with asyncio.timeout(WAIT_S_MAX):
                await turn
        except BaseException as exc:
            if turn.done() and not turn.cancelled():
                self._pass_on()  # it was given in the very moment that the caller gave up
            if isinstance(exc, TimeoutError):
                raise StoreUnavailableError("the database is too busy") from exc
            raise

    def _pass_on(self) -> None:
        """Give a turn to the next user's first call that still wants it."""
        while self._queues:
            user_id, queue = self._queues.popitem(last=False)
            turn = queue.popleft()
            if queue:
                self._queues[user_id] = queue  # behind everybody else
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
