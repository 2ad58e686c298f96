"""What some sandboxes can besides their contract."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable


@runtime_checkable
class Stocked(Protocol):
    """A sandbox that makes what programs run in ahead of need."""

    @property
    def children(self) -> Mapping[str, int]:
        """How many there are, by state: `ready` ahead of need, and `live` with a program."""


@runtime_checkable
class Leased(Protocol):
    """A sandbox whose containers outlive a server that is killed, and carry the name of its lease."""

    async def reap(self, live_leases: frozenset[str]) -> int:
        """Destroy what carries a lease that is not among these; how many it was.

        A lease's name is `<owner>.<id>`: what carries another owner's than these have is left alone.

        Raises SandboxError where the engine does not answer.
        """
