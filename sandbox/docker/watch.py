"""The watch that ends runs over their CPU time or memory."""

import asyncio
from collections.abc import Callable

from sandbox.docker.cgroup import Meter
from sandbox.types import Limits, Outcome

POLL_S = 0.015
# What a program touches of its interpreter for the first time counts as its own; it did not ask for it.
SLACK_BYTES = 8 * 1024 * 1024

Condemn = Callable[[Outcome, str | None], None]


class Watch:
    """One task looks at all live runs every `POLL_S`."""

    def __init__(self) -> None:
        self._watched: dict[Meter, tuple[Limits, Condemn]] = {}
        self._task: asyncio.Task[None] | None = None

    def add(self, meter: Meter, limits: Limits, condemn: Condemn) -> None:
        """Call `condemn` with the outcome and the limit's name as soon as the meter shows more than the limits."""
        self._watched[meter] = (limits, condemn)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._look_until_idle())

    def remove(self, meter: Meter) -> None:
        """Stop watching. Idempotent."""
        self._watched.pop(meter, None)

    async def close(self) -> None:
        """Stop watching everything. Idempotent."""
        self._watched.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _look_until_idle(self) -> None:
        while self._watched:
            await asyncio.sleep(POLL_S)
            for meter, (limits, condemn) in list(self._watched.items()):
                reading = meter.read()
                if reading.cpu_ns > limits.cpu_ms_max * 1_000_000:
                    condemn(Outcome.TIMED_OUT, "cpu_ms_max")
                elif reading.memory_bytes > limits.memory_bytes_max + SLACK_BYTES:
                    condemn(Outcome.OUT_OF_MEMORY, "memory_bytes_max")
