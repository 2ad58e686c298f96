"""The load of a soak: as fast as it goes, to learn the rate of this machine, then at a share of it, on a schedule."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.soak.actions import Action, Member, mix
from tests.soak.notes import Notes

AT_ONCE_MAX = 400  # a machine that falls behind by more is overloaded, and the soak is no soak
SEEN_TO_THEIR_END_S_MAX = 60.0


class BehindError(Exception):
    """The server does not keep up with the rate that was measured on it."""


@dataclass
class Load:
    """Random actions of random members. The same seed draws the same actions."""

    members: Sequence[Member]
    notes: Notes
    seed: int
    docker: bool

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311 - repeatable
        self._actions = mix(docker=self.docker)
        self._weights = [weight for weight, _ in self._actions.values()]

    async def warm_up(self) -> None:
        """Each member does everything once."""
        for member in self.members:
            for kind, (_, action) in self._actions.items():
                await self._do(kind, action, member, time.monotonic(), time.monotonic())

    async def measure(self, seconds: float, clients: int) -> float:
        """Actions per second that so many clients get done without a pause."""
        began_at = time.monotonic()
        counts = await asyncio.gather(*(self._go_on(began_at + seconds) for _ in range(clients)))
        return sum(counts) / (time.monotonic() - began_at)

    async def keep_up(self, rate_per_s: float, seconds: float, began_at: float) -> int:
        """Actions at random moments, `rate_per_s` on average, whether others were answered or not. How many.

        Latencies count from the moment that an action was due. Raises BehindError, in a group.
        """
        count = 0
        async with asyncio.timeout(seconds + SEEN_TO_THEIR_END_S_MAX), asyncio.TaskGroup() as group:
            going: set[asyncio.Task[None]] = set()
            due_at = began_at
            while (due_at := due_at + self._chance.expovariate(rate_per_s)) < began_at + seconds:
                await asyncio.sleep(max(0.0, due_at - time.monotonic()))
                if len(going) >= AT_ONCE_MAX:
                    raise BehindError(f"{len(going)} actions wait after {due_at - began_at:.0f} s")
                task = group.create_task(self._do(*self._draw(), due_at, began_at))
                going.add(task)
                task.add_done_callback(going.discard)
                count += 1
        return count

    async def _go_on(self, until: float) -> int:
        count = 0
        while time.monotonic() < until:
            await self._do(*self._draw(), time.monotonic(), time.monotonic())
            count += 1
        return count

    def _draw(self) -> tuple[str, Action, Member]:
        (kind,) = self._chance.choices(list(self._actions), self._weights)
        return kind, self._actions[kind][1], self._chance.choice(self.members)

    async def _do(self, kind: str, action: Action, member: Member, due_at: float, began_at: float) -> None:
        chance = random.Random(self._chance.random())  # noqa: S311 - of its own: actions go on side by side
        try:
            await action(member, chance, self.notes)
        except Exception as exc:  # noqa: BLE001 - whatever went wrong is written down, and the load goes on
            self.notes.failed(kind, due_at - began_at, time.monotonic() - began_at, exc)
        else:
            self.notes.done(kind, due_at - began_at, time.monotonic() - began_at)
