"""Places for the runs of called agents, apart from those of calls from outside, so that no caller waits for itself."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from server.errors import ServerBusyError
from server.invocations.admission import SHARE_OF_FREE


class Reserve:
    """Hands out places that nobody waits for, shared fairly between users as `Admission` shares its own."""

    def __init__(self, calls_live_max: int) -> None:
        self._free = calls_live_max
        self._held: Counter[UUID] = Counter()

    @contextmanager
    def place(self, user_id: UUID) -> Iterator[None]:
        """Hold one place. Raises ServerBusyError where none is free for this user now."""
        held = self._held[user_id]
        if self._free <= 0 or (held and held + 1 > SHARE_OF_FREE * (self._free - 1)):
            raise ServerBusyError
        self._free -= 1
        self._held[user_id] += 1
        try:
            yield
        finally:
            self._free += 1
            self._held[user_id] -= 1
            if not self._held[user_id]:
                del self._held[user_id]
