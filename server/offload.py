"""Computing in a thread what would hold the event loop for too long."""

import asyncio
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")

_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


async def offload(work: Callable[[], T]) -> T:
    """Do pure computation in a thread, one piece at a time.

    A computing thread keeps the interpreter for 5 ms at a time, so that with one of them the event loop waits that
    long at most at each of its turns; with several of them it would wait for each.

    Source: Python 3.11 library reference, `sys.setswitchinterval`.
    """
    turn = _turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())
    async with turn:
        return await asyncio.to_thread(work)
