"""What each owner's runs may have before everybody else's come first: budgets that fill up at a steady rate."""

import os
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

OWNERS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """How a budget fills.

    Attributes:
        per_s: what comes each second.
        ahead: what lies ready for an owner who took nothing for a while.
        debt_max: how far an owner may overdraw: it takes `debt_max / per_s` seconds to be even again.
    """

    per_s: float
    ahead: float
    debt_max: float


def cpu_rate() -> Rate:
    """CPU time in ns that one owner's runs have at full weight: a twentieth of the machine.

    So little because whoever is beyond it still gets all that nobody else wants; and on a machine where everybody wants
    something, busy runs at full weight are what others feel.
    """
    per_s = 1e9 * (os.cpu_count() or 1) / 20
    return Rate(per_s, ahead=2 * per_s, debt_max=10 * per_s)


def output_rate() -> Rate:
    """Bytes of log that are read from one owner's runs: each MiB costs server and database some 60 ms."""
    return Rate(per_s=1024**2, ahead=512 * 1024, debt_max=1024**2)


class Budgets:
    """One budget for each owner. Used from one event loop.

    Source: Turner, "New directions in communications (or which way to the information age?)", 1986 (leaky bucket).
    """

    def __init__(self, rate: Rate, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._monotonic = monotonic
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, owner: Hashable, amount: float) -> None:
        """Take from an owner's budget, which may be overdrawn."""
        self._left[owner] = (max(self.left(owner) - amount, -self._rate.debt_max), self._monotonic())
        self._left.move_to_end(owner)
        if len(self._left) > OWNERS_MAX:
            self._left.popitem(last=False)

    def forget(self, owner: Hashable) -> None:
        """An owner that does not come again. Idempotent."""
        self._left.pop(owner, None)

    def left(self, owner: Hashable) -> float:
        """What is left of an owner's budget now; negative where it is overdrawn."""
        known = self._left.get(owner)
        if known is None:
            return self._rate.ahead
        left, at = known
        return min(self._rate.ahead, left + (self._monotonic() - at) * self._rate.per_s)

    def seconds_to_even(self, owner: Hashable) -> float:
        """How long it takes until an owner's budget is no longer overdrawn; 0 when it is not."""
        return max(0.0, -self.left(owner) / self._rate.per_s)
