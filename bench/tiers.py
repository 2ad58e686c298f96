"""A tier alone: check-free, compiled-program runs in the sandbox, without server or database."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.bare_start import bare_start
from bench.samples import Row, summarise
from sandbox.restricted import RestrictedSandbox
from sandbox.types import Limits, LogLine, Outcome, Program

HELLO = 'def run(inputs):\n    return {"hello": inputs["name"]}\n'
WARM_UP = 50


@dataclass(frozen=True)
class BenchGloves:
    """A live run at a fixed moment."""

    test: bool = False
    seed: int = 1
    started_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def log(self, line: LogLine) -> None:
        """The result has the lines; nobody follows this run."""


async def measure_restricted(uid: int, count: int, starts_every: int) -> tuple[Row, list[float]]:
    """The restricted tier's row, and the bare starts interleaved with it."""
    sandbox = RestrictedSandbox(uid=uid)
    await sandbox.open()
    durations, starts, failed = [], [], 0
    try:
        for index in range(WARM_UP + count):
            started = time.perf_counter()
            result = await sandbox.run(Program(HELLO), {"name": "World"}, Limits(), BenchGloves())
            elapsed = time.perf_counter() - started
            if index < WARM_UP:
                continue
            durations.append(elapsed)
            failed += result.outcome is not Outcome.SUCCEEDED
            if index % starts_every == 0:
                starts.append(bare_start())
    finally:
        await sandbox.close()
    return summarise("restricted tier alone", durations, failed=failed), starts
