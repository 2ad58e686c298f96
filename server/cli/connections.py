"""The connections of one server process: how many there may be, and which of them gives way to a newcomer."""

import time
from collections import OrderedDict
from collections.abc import Callable
from enum import IntEnum
from typing import Protocol

import structlog

AGE_S_MIN = 1.0  # whoever waits for its client no longer than this is not taken for slow
TOLD_S_MIN = 10.0

log = structlog.get_logger("server.connections")


class Waiting(IntEnum):
    """What a connection waits for from its client, in the order in which such connections give way."""

    ANSWER_TAKEN = 0  # it was answered, and does not take the answer or goes on sending what nobody reads
    HEAD = 1
    BODY = 2
    REQUEST = 3  # kept alive between requests


class Connection(Protocol):
    """What can be told to end."""

    def give_way(self, waiting: Waiting) -> None:
        """End at once, telling the client to come again where it still expects an answer."""


class Connections:
    """At most so many connections, and one that works is never ended for another.

    A bound alone would let idle connections lock everybody out, so a newcomer above it takes the place of the one that
    waited longest for its client.

    Source: nginx, `ngx_drain_connections`; CVE-2007-6750 (slow clients).
    """

    def __init__(self, connections_max: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._connections_max = connections_max
        self._clock = clock
        self._open: dict[Connection, Waiting | None] = {}
        self._waiting: tuple[OrderedDict[Connection, float], ...] = tuple(OrderedDict() for _ in Waiting)
        self._ended = 0
        self._told_at = -TOLD_S_MIN

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: Connection) -> bool:
        """Take in a newcomer, which waits for a head. False where all others work: it must be turned away."""
        if len(self._open) >= self._connections_max and not self._end_slowest():
            self._tell()
            return False
        self._open[connection] = None
        self.note(connection, Waiting.HEAD)
        return True

    def note(self, connection: Connection, waiting: Waiting | None) -> None:
        """What the connection waits for from now on; None while it works. Noted again, it has waited since before."""
        before = self._open.get(connection, waiting)
        if before is waiting:
            return
        if before is not None:
            del self._waiting[before][connection]
        self._open[connection] = waiting
        if waiting is not None:
            self._waiting[waiting][connection] = self._clock()

    def forget(self, connection: Connection) -> None:
        """It is closed. Idempotent."""
        self.note(connection, None)
        self._open.pop(connection, None)

    def _end_slowest(self) -> bool:
        """End the connection that should give way first; False where none waits."""
        now = self._clock()
        eldest = [
            (now - since < AGE_S_MIN, waiting, since, connection)
            for waiting in Waiting
            for connection, since in _first(self._waiting[waiting])
        ]
        if not eldest:
            return False
        _, waiting, _, connection = min(eldest, key=lambda entry: entry[:3])
        self.forget(connection)
        connection.give_way(waiting)
        self._tell()
        return True

    def _tell(self) -> None:
        self._ended += 1
        if (now := self._clock()) - self._told_at >= TOLD_S_MIN:
            log.warning("too many connections", ended=self._ended, connections_max=self._connections_max)
            self._ended, self._told_at = 0, now


def _first(waiting: OrderedDict[Connection, float]) -> list[tuple[Connection, float]]:
    return [next(iter(waiting.items()))] if waiting else []
