"""Who waits for a container: owners take turns, each one's wishes in their order."""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Iterator

from sandbox.docker.container import Container
from sandbox.docker.spec import Shape


class Wish:
    """A run that waits for a container of a shape; `lent` brings it."""

    def __init__(self, owner: str, shape: Shape) -> None:
        self.owner = owner
        self.shape = shape
        self.since = time.monotonic()
        self.lent: asyncio.Future[Container] = asyncio.get_running_loop().create_future()

    @property
    def waited_s(self) -> float:
        """How long it has been waiting, in seconds."""
        return time.monotonic() - self.since


class Wishes:
    """The queue: iterating gives each owner's first wish, then each owner's second, and so on."""

    def __init__(self) -> None:
        self._by_owner: OrderedDict[str, deque[Wish]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Wish]:
        rows = [list(wishes) for wishes in self._by_owner.values()]
        for turn in range(max((len(row) for row in rows), default=0)):
            yield from (row[turn] for row in rows if turn < len(row))

    def add(self, wish: Wish) -> None:
        """Put it at the end of its owner's."""
        self._by_owner.setdefault(wish.owner, deque()).append(wish)
        self._count += 1

    def remove(self, wish: Wish) -> None:
        """Take it out; its owner is the last to have another turn. Idempotent."""
        wishes = self._by_owner.get(wish.owner)
        if wishes is None or wish not in wishes:
            return
        wishes.remove(wish)
        self._count -= 1
        if wishes:
            self._by_owner.move_to_end(wish.owner)
        else:
            del self._by_owner[wish.owner]
