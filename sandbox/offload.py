"""Computing in a thread what would hold the event loop for too long."""

import asyncio
import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary, WeakValueDictionary

# For how long a piece keeps the interpreter from the event loop, which must win it back after every read, write and
# line of log: by Python's default of 5 ms one answer can wait for 40. Only during a piece: switching costs throughput.
SWITCH_S = 0.001
INLINE_BYTES_MAX = 32 * 1024  # parsing this much holds the event loop for about 2 ms
_USUAL_SWITCH_S = sys.getswitchinterval()

T = TypeVar("T")

# For whom the current task works, so that one user's pieces wait for each other and not for everybody else's.
working_for: ContextVar[UUID | None] = ContextVar("working_for", default=None)


class _Turns:
    """Whose turn it is on one event loop: each user has at most one piece in the queue that all share."""

    def __init__(self) -> None:
        self.of_all = asyncio.Lock()
        self._of_users: WeakValueDictionary[UUID | None, asyncio.Lock] = WeakValueDictionary()

    def of_user(self, user_id: UUID | None) -> asyncio.Lock:
        return self._of_users.setdefault(user_id, asyncio.Lock())


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, _Turns] = WeakKeyDictionary()


async def compute(work: Callable[[], T], size_bytes: int) -> T:
    """Do pure computation over so much text: at once where that is short, else as `offload` does."""
    return work() if size_bytes <= INLINE_BYTES_MAX else await offload(work)


async def offload(work: Callable[[], T]) -> T:
    """Do pure computation in a thread, one piece at a time, users taking turns.

    A computing thread keeps the interpreter for `SWITCH_S` at a time, so that with one of them the event loop waits
    that long at most at each of its turns; with several of them it would wait for each.

    Source: Python 3.11 library reference, `sys.setswitchinterval`.
    """
    turns = _turns.setdefault(asyncio.get_running_loop(), _Turns())
    own = turns.of_user(working_for.get())
    async with own, turns.of_all:
        return await asyncio.to_thread(_do, work)


def _do(work: Callable[[], T]) -> T:
    sys.setswitchinterval(SWITCH_S)
    try:
        return work()
    finally:
        sys.setswitchinterval(_USUAL_SWITCH_S)
