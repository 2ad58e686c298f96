"""What the gloves of a run, and of all that it calls, may use together."""

import time
from enum import StrEnum

from sandbox.types import GloveFault, Limits
from server.gloves.effect import EffectError

GLOVE_CALLS_MAX = 500  # of one run and all that it calls; the hold is priced by it


class Bound(StrEnum):
    """What is counted."""

    FETCHES = "fetches_max"
    CALLS = "calls_max"
    EFFECTS_BYTES = "effects_bytes_max"
    GLOVE_CALLS = "glove_calls_max"


class Budget:
    """What is left of one run's bounds. A called agent's run spends of its own and of everything above it.

    Args:
        limits: of the run's version.
        above: the budget of the run whose program called this one's agent.
    """

    def __init__(self, limits: Limits, above: "Budget | None" = None) -> None:
        self._left = {
            Bound.FETCHES: limits.fetches_max,
            Bound.CALLS: limits.calls_max,
            Bound.EFFECTS_BYTES: limits.effects_bytes_max,
            Bound.GLOVE_CALLS: GLOVE_CALLS_MAX,
        }
        self._max = dict(self._left)
        self._wall_s = limits.wall_ms_max / 1000
        self._above = above
        self.start()

    def start(self) -> None:
        """The program starts now: it may have waited for its place."""
        self._deadline = time.monotonic() + self._wall_s

    @property
    def seconds_left(self) -> float:
        """Of the run's wall time, or of that of a run above it; never negative."""
        own = max(0.0, self._deadline - time.monotonic())
        return own if self._above is None else min(own, self._above.seconds_left)

    def left(self, bound: Bound) -> int:
        """How much of a bound is left."""
        own = self._left[bound]
        return own if self._above is None else min(own, self._above.left(bound))

    def spend(self, bound: Bound, amount: int = 1) -> None:
        """Count `amount` towards a bound. Raises EffectError when so much is not left: nothing was counted."""
        if amount > self.left(bound):
            raise EffectError(GloveFault.RUNTIME, self._reached(bound))
        self._count(bound, amount)

    def _count(self, bound: Bound, amount: int) -> None:
        self._left[bound] -= amount
        if self._above is not None:
            self._above._count(bound, amount)

    def _reached(self, bound: Bound) -> str:
        if bound is Bound.GLOVE_CALLS:
            return f"a run and all that it calls may use gloves {GLOVE_CALLS_MAX} times"
        return f"the run, or one that called it, is at its {bound} ({self._max[bound]} here); raise it in its limits"
