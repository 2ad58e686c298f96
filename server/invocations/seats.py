"""Who may wait for a container: a run that calls others holds its own meanwhile, so some are kept for those."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from sandbox.errors import SandboxBusyError
from sandbox.types import Tier
from server.errors import ServerBusyError

WAIT_S_MAX = 30.0
SHARE_KEPT = 4  # one of so many is kept for the runs of called agents


class Seats:
    """Seats of the docker tier, whose containers are few. Where there are seats, there are containers to be had.

    A run from outside waits for its turn; one that another run called has a seat at once, or not at all. Servers that
    share a sandbox host know of their own runs only: where they want too many together, the host makes them wait.
    """

    def __init__(self, user_max: int, total_max: int) -> None:
        self._user_max = user_max
        self._total_max = total_max
        self._user_kept = user_max // SHARE_KEPT
        self._total_kept = total_max // SHARE_KEPT
        self._taken: Counter[UUID] = Counter()
        self._waiting: deque[tuple[UUID, asyncio.Future[None]]] = deque()

    def require(self, user_id: UUID, tier: str) -> None:
        """Raise ServerBusyError where a called agent's run would have no seat now."""
        if tier == Tier.DOCKER and not self._free(user_id, kept=False):
            raise ServerBusyError

    @asynccontextmanager
    async def taken(self, user_id: UUID, tier: str, *, called: bool) -> AsyncIterator[None]:
        """Hold a seat, where the tier has any. Raises SandboxBusyError: there was none, or none in time."""
        if tier != Tier.DOCKER:
            yield
            return
        if called and not self._free(user_id, kept=False):
            raise SandboxBusyError
        if called or (not self._waiting and self._free(user_id, kept=True)):
            self._taken[user_id] += 1
        else:
            await self._wait(user_id)
        try:
            yield
        finally:
            self._give_back(user_id)

    async def _wait(self, user_id: UUID) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((user_id, turn))
        self._call_next()
        try:
            async with asyncio.timeout(WAIT_S_MAX):
                await turn
        except BaseException as exc:
            if turn.done() and not turn.cancelled():
                self._give_back(user_id)  # it was given in the very moment that the caller gave up
            else:
                self._waiting.remove((user_id, turn))
            if isinstance(exc, TimeoutError):
                raise SandboxBusyError from exc
            raise

    def _free(self, user_id: UUID, *, kept: bool) -> bool:
        """Whether there is a seat for a user; with `kept`, beside those that are kept for called agents' runs."""
        user_left = self._user_max - self._taken.get(user_id, 0) - (self._user_kept if kept else 0)
        return user_left > 0 and self._taken.total() + (self._total_kept if kept else 0) < self._total_max

    def _give_back(self, user_id: UUID) -> None:
        self._taken[user_id] -= 1
        if not self._taken[user_id]:
            del self._taken[user_id]
        self._call_next()

    def _call_next(self) -> None:
        """Give seats to whoever waits longest and may have one."""
        for waiter in list(self._waiting):
            user_id, turn = waiter
            if not turn.done() and self._free(user_id, kept=True):
                self._waiting.remove(waiter)
                self._taken[user_id] += 1
                turn.set_result(None)
