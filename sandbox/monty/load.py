"""What a long run puts on the machine, for the watch: quick ones end before anybody looks."""

from dataclasses import dataclass, replace

from sandbox.monty.session import Run
from sandbox.restricted.idle_group import IdleGroup
from sandbox.types import Limits

# After so long a run is watched; looking at each quick one would cost more than they do.
LONG_S = 0.05


def unmetered(limits: Limits) -> Limits:
    """The limits with a CPU time that no run of this tier reaches, because it has none."""
    return replace(limits, cpu_ms_max=2 * limits.wall_ms_max)


@dataclass(frozen=True, slots=True)
class Reading:
    """CPU time in ns. Memory is the interpreter's own to bound."""

    cpu_ns: int = 0
    memory_bytes: int = 0


class Load:
    """The meter of one run.

    Args:
        run: what is metered.
        group: where its worker goes when it is lowered, None where there is no such group.
    """

    def __init__(self, run: Run, group: IdleGroup | None) -> None:
        self._run = run
        self._group = group
        self.latest = Reading()

    def read(self) -> Reading:
        """See `sandbox.watch.Meter`."""
        self.latest = Reading(self._run.cpu_ms * 1_000_000)
        return self.latest

    def lower(self) -> None:
        """See `sandbox.watch.Meter`. Without a group nothing happens: an idle worker could not be taken back."""
        if self._group is not None:
            self._run.lower(self._group)

    def restore(self) -> None:
        """See `sandbox.watch.Meter`."""
        self._run.restore()
