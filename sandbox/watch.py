"""The watch over live runs: ends those over their limits, and puts busy and noisy ones behind everybody else's."""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Protocol

from sandbox.budgets import Budgets, cpu_rate, output_rate
from sandbox.types import Limits, Outcome

POLL_S = 0.015
# What a program touches of its interpreter and its libraries for the first time counts, but it did not ask for it.
SLACK_BYTES = 8 * 1024 * 1024

# What a run uses before it takes from its owner's budget: calling quick agents without a pause is in nobody's way.
QUICK_NS = 5_000_000
# A lowered run whose owner has so much again is restored: everybody has a share of a machine that is never idle.
EVEN_NS = 50_000_000
# Shorter pauses than this are not worth taking; a longer one would keep a run that is ended meanwhile.
PAUSE_S_MIN, PAUSE_S_MAX = 0.01, 0.1

Condemn = Callable[[Outcome, str], None]


class Reading(Protocol):
    """A run's use since its beginning: CPU time in ns, memory in use now in bytes."""

    @property
    def cpu_ns(self) -> int:
        """CPU time."""

    @property
    def memory_bytes(self) -> int:
        """Memory in use now."""


class Meter(Protocol):
    """Reads what one run uses, and says how it stands against others when processors are short."""

    @property
    def latest(self) -> Reading:
        """What was read last."""

    def read(self) -> Reading:
        """The use since the run began; the last known one when it is gone."""

    def lower(self) -> None:
        """Let everybody else have the processors first. Where that cannot be done nothing happens. Idempotent."""

    def restore(self) -> None:
        """Take `lower` back. Idempotent."""


@dataclass(slots=True)
class _Watched:
    limits: Limits
    condemn: Condemn
    owner: str | None
    budget: Hashable
    charged_ns: int = 0

    def charge(self, cpu_ns: int) -> int:
        """What is to be taken from the budget, now that the run has used so much."""
        more_ns = max(0, cpu_ns - QUICK_NS) - self.charged_ns
        self.charged_ns += more_ns
        return more_ns


class Watch:
    """One task looks at all live runs every `POLL_S`.

    Runs of an owner whose CPU budget is spent are lowered until it is even again: from the first look on, as what ends
    before that is not worth the trouble.
    """

    def __init__(self) -> None:
        self._watched: dict[Meter, _Watched] = {}
        self._budgets = Budgets(cpu_rate())
        self._output = Budgets(output_rate())
        self._task: asyncio.Task[None] | None = None

    def add(self, meter: Meter, limits: Limits, condemn: Condemn, owner: str | None) -> None:
        """Call `condemn` with the outcome and the limit's name as soon as the meter shows more than the limits.

        Args:
            meter: of a run that is about to begin.
            limits: of the run.
            condemn: ends it.
            owner: whose budget it takes from; None where it has one of its own.
        """
        run = _Watched(limits, condemn, owner, id(meter) if owner is None else owner)
        self._watched[meter] = run
        if self._budgets.left(run.budget) > EVEN_NS:
            meter.restore()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._look_until_idle())

    def remove(self, meter: Meter) -> None:
        """Stop watching a run that was just read for the last time. Idempotent."""
        run = self._watched.pop(meter, None)
        if run is None:
            return
        if run.owner is None:
            self._budgets.forget(run.budget)
        else:
            self._budgets.take(run.budget, run.charge(meter.latest.cpu_ns))

    async def logged(self, owner: str | None, size_bytes: int) -> None:
        """Take note that a run logged so much, and pause where its owner's runs log faster than `output_rate`.

        Whoever reads a run's log awaits this before reading on, so that it is the run that waits in the end.
        """
        if owner is None:
            return
        self._output.take(owner, size_bytes)
        pause_s = self._output.seconds_to_even(owner)
        if pause_s > PAUSE_S_MIN:
            await asyncio.sleep(min(pause_s, PAUSE_S_MAX))

    async def close(self) -> None:
        """Stop watching everything. Idempotent."""
        self._watched.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _look_until_idle(self) -> None:
        while self._watched:
            await asyncio.sleep(POLL_S)
            for meter, run in list(self._watched.items()):
                reading = meter.read()
                self._budgets.take(run.budget, run.charge(reading.cpu_ns))
                if reading.cpu_ns > run.limits.cpu_ms_max * 1_000_000:
                    run.condemn(Outcome.TIMED_OUT, "cpu_ms_max")
                elif reading.memory_bytes > run.limits.memory_bytes_max + SLACK_BYTES:
                    run.condemn(Outcome.OUT_OF_MEMORY, "memory_bytes_max")
                else:
                    self._weigh(meter, run)

    def _weigh(self, meter: Meter, run: _Watched) -> None:
        left_ns = self._budgets.left(run.budget)
        if left_ns < 0:
            meter.lower()
        elif left_ns > EVEN_NS:
            meter.restore()
