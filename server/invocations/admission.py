"""Who may start a run now: places of this process, shared fairly between users, and each user's own bound."""

import asyncio
import os
import time
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from starlette.requests import ClientDisconnect

from server.errors import ServerBusyError, ShuttingDownError, UserBusyError

SHARE_OF_FREE = 3  # a user may hold three times as many places as stay free: 24 of 32 alone, 13 of 32 beside another

# A run is at its most expensive while it begins, or ends at once; after so long in its sandbox it counts as begun.
BEGINNING_S = 0.05
# Somebody who called within so long may call again: one user's flood is to leave room for that.
LATELY_S = 1.0

Gone = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, eq=False)
class _Waiter:
    placed: "asyncio.Future[None]"
    begins: bool


class Beginning:
    """A call whose run begins. `executes` says that its program is about to run."""

    def __init__(self, begun: Callable[[], None]) -> None:
        self._begun: Callable[[], None] | None = begun
        self._timer: asyncio.TimerHandle | None = None

    def executes(self) -> None:
        """From here on it takes at most `BEGINNING_S`."""
        self._timer = asyncio.get_running_loop().call_later(BEGINNING_S, self.end)

    def end(self) -> None:
        """It has begun, or is over. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
        if self._begun is not None:
            begun, self._begun = self._begun, None
            begun()


class Admission:
    """Hands out places before anything is held. Waiting users take turns; each user's own calls keep their order.

    However long a user's runs are, some places stay free for those who come after: nobody holds more than
    `SHARE_OF_FREE` times what is left, but everybody may hold one.

    However many calls a user makes, only so many of the user's runs begin at once: twice as many as there are
    processors, which keeps them busy, or half as many while anybody else calls too. More would only wait for each
    other, and make others wait with them.

    Source: Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet switches", 1998.

    Used from one event loop; nothing in it is awaited while its books are open.
    """

    def __init__(
        self,
        *,
        runs_live_max: int,
        runs_waiting_max: int,
        run_wait_ms_max: int,
        user_runs_live_max: int,
        user_dry_runs_live_max: int,
    ) -> None:
        """Bounds: places of this process, calls that wait, longest wait in ms, one user's calls of either kind."""
        self._free = runs_live_max
        self._waiting_max = runs_waiting_max
        self._wait_s = run_wait_ms_max / 1000
        self.user_max = {False: user_runs_live_max, True: user_dry_runs_live_max}  # by whether a run is dry
        self._users: Counter[tuple[UUID, bool]] = Counter()
        self._held: Counter[UUID] = Counter()
        self._beginning: Counter[UUID] = Counter()
        self._beginning_max = self._bounds_of_beginning(runs_live_max)
        self._latest, self._latest_other_at = (UUID(int=0), -LATELY_S), -LATELY_S
        self._queues: OrderedDict[UUID, deque[_Waiter]] = OrderedDict()
        self._waiting = 0
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many calls wait for a place."""
        return self._waiting

    @contextmanager
    def call(self, user_id: UUID, *, dry: bool) -> Iterator[None]:
        """Count one call towards its user's bound, from before its body is read until its run is settled.

        Raises:
            UserBusyError: the user is at the bound for dry runs, or for live ones.
            ShuttingDownError: nothing is admitted any more.
        """
        if self._closed:
            raise ShuttingDownError
        key = (user_id, dry)
        if self._users[key] >= self.user_max[dry]:
            raise UserBusyError(self.user_max[dry], dry=dry)
        self._users[key] += 1
        try:
            yield
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key]

    @asynccontextmanager
    async def place(self, user_id: UUID, gone: Gone | None = None) -> AsyncIterator[None]:
        """Hold one place, waiting for it at most `run_wait_ms_max`.

        Args:
            user_id: whose turn it is.
            gone: ends when the client has left; a call that still waits then is dropped.

        Raises:
            ServerBusyError: too many calls wait already, or no place came free in time.
            ShuttingDownError: nothing is admitted any more.
            ClientDisconnect: the client left while its call waited.
        """
        await self._take(user_id, gone, begins=False)
        try:
            yield
        finally:
            self._give_back(user_id)

    @asynccontextmanager
    async def beginning(self, user_id: UUID, gone: Gone | None = None) -> AsyncIterator[Beginning]:
        """Hold one place, as `place` does, for a run that begins in it: only so many of a user's do at once."""
        self._note(user_id)
        await self._take(user_id, gone, begins=True)
        beginning = Beginning(partial(self._begun, user_id))
        try:
            yield beginning
        finally:
            beginning.end()
            self._give_back(user_id)

    def close(self) -> None:
        """Admit nothing more and turn away whoever waits. Idempotent."""
        self._closed = True
        for queue in self._queues.values():
            for waiter in queue:
                _end(waiter.placed, ShuttingDownError())

    async def _take(self, user_id: UUID, gone: Gone | None, *, begins: bool) -> None:
        if self._closed:
            raise ShuttingDownError
        overtakes = begins and user_id in self._queues
        if not overtakes and self._may_have(user_id, begins=begins):
            self._give(user_id, begins=begins)
            return
        if self._waiting >= self._waiting_max:
            self._make_room(user_id)
        waiter = _Waiter(asyncio.get_running_loop().create_future(), begins)
        self._queues.setdefault(user_id, deque()).append(waiter)
        self._waiting += 1
        self._pass_on()  # time alone may have let more of the user's runs begin
        watch = None if gone is None else asyncio.ensure_future(_watch(gone, waiter.placed))
        try:
            async with asyncio.timeout(self._wait_s):
                await waiter.placed
        except TimeoutError as exc:
            self._leave(user_id, waiter)
            raise ServerBusyError from exc
        except BaseException:
            self._leave(user_id, waiter)
            raise
        finally:
            if watch is not None:
                watch.cancel()

    def _make_room(self, user_id: UUID) -> None:
        """Turn away the last call of whoever has most of them waiting. Raises ServerBusyError where that is no other.

        Source: McKenney, "Stochastic fairness queueing", 1990 (buffer stealing).
        """
        longest_id = max(self._queues, key=lambda waiting_id: len(self._queues[waiting_id]), default=user_id)
        longest = self._queues.get(longest_id, deque())
        if len(longest) <= len(self._queues.get(user_id, ())) + 1:
            raise ServerBusyError
        self._waiting -= 1
        _end(longest.pop().placed, ServerBusyError())

    def _bounds_of_beginning(self, runs_live_max: int) -> dict[bool, int]:
        """How many of a user's runs begin at once, by whether others call, too."""
        if self._wait_s < BEGINNING_S:  # whoever may not wait must not be told to
            return {False: runs_live_max, True: runs_live_max}
        cores = os.cpu_count() or 1
        return {False: 2 * cores, True: max(1, cores // 2)}

    def _note(self, user_id: UUID) -> None:
        """Somebody calls. It is enough to know who called last, and when last anybody else did."""
        latest_id, at = self._latest
        if latest_id != user_id:
            self._latest_other_at = at
        self._latest = user_id, time.monotonic()

    def _others_call(self, user_id: UUID) -> bool:
        latest_id, at = self._latest
        return time.monotonic() - (self._latest_other_at if latest_id == user_id else at) < LATELY_S

    def _may_have(self, user_id: UUID, *, begins: bool) -> bool:
        if begins and self._beginning[user_id] >= self._beginning_max[self._others_call(user_id)]:
            return False
        held = self._held.get(user_id, 0)
        return self._free > 0 and (not held or held + 1 <= SHARE_OF_FREE * (self._free - 1))

    def _is_next(self, user_id: UUID) -> bool:
        return self._may_have(user_id, begins=self._queues[user_id][0].begins)

    def _give(self, user_id: UUID, *, begins: bool) -> None:
        self._free -= 1
        self._held[user_id] += 1
        if begins:
            self._beginning[user_id] += 1

    def _begun(self, user_id: UUID) -> None:
        self._beginning[user_id] -= 1
        if not self._beginning[user_id]:
            del self._beginning[user_id]
        self._pass_on()

    def _give_back(self, user_id: UUID) -> None:
        self._free += 1
        self._held[user_id] -= 1
        if not self._held[user_id]:
            del self._held[user_id]
        self._pass_on()

    def _pass_on(self) -> None:
        while (next_id := next(filter(self._is_next, self._queues), None)) is not None:
            queue = self._queues.pop(next_id)
            waiter = queue.popleft()
            self._waiting -= 1
            if queue:
                self._queues[next_id] = queue  # behind the other users
            if not waiter.placed.done():
                self._give(next_id, begins=waiter.begins)
                waiter.placed.set_result(None)

    def _leave(self, user_id: UUID, waiter: _Waiter) -> None:
        """Take a waiter that gives up out of the books, passing on the place that it may just have been given."""
        queue = self._queues.get(user_id)
        if queue is not None and waiter in queue:
            queue.remove(waiter)
            self._waiting -= 1
            if not queue:
                del self._queues[user_id]
        elif waiter.placed.done() and not waiter.placed.cancelled() and waiter.placed.exception() is None:
            if waiter.begins:
                self._begun(user_id)
            self._give_back(user_id)


async def _watch(gone: Gone, placed: "asyncio.Future[None]") -> None:
    await gone()
    _end(placed, ClientDisconnect())


def _end(placed: "asyncio.Future[None]", error: Exception) -> None:
    if not placed.done():
        placed.set_exception(error)
