"""A tier alone: check-free, compiled-program runs in the sandbox, without server or database."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.bare_start import Yardstick
from bench.samples import Row, summarise
from sandbox.types import GloveError, GloveFault, JsonValue, Limits, LogLine, Outcome, Program, Tier
from server.sandboxes import build_own_tiers
from server.settings import Settings

HELLO = 'def run(inputs):\n    return {"hello": inputs["name"]}\n'
LEASE = "bench"
WARM_UP = 50
STARTS_EVERY = 10


@dataclass(frozen=True)
class BenchGloves:
    """A live run at a fixed moment."""

    test: bool = False
    seed: int = 1
    started_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    owner: str = "bench"
    frozen_clock: bool = False

    def log(self, line: LogLine) -> None:
        """The result has the lines; nobody follows this run."""

    async def call(self, glove: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        """What is measured calls nothing."""
        raise GloveError(GloveFault.LOOKUP, glove)


async def available_tiers(settings: Settings) -> tuple[Tier, ...]:
    """The tiers of the settings that this machine gives now."""
    tiers = build_own_tiers(settings, lease=lambda: LEASE)
    try:
        await tiers.open()
        return tiers.available
    finally:
        await tiers.close()


async def measure_tier(settings: Settings, tier: Tier, count: int, yardstick: Yardstick) -> Row:
    """One run after the other, with bare starts in between."""
    tiers = build_own_tiers(settings.model_copy(update={"tiers": (tier,)}), lease=lambda: LEASE)
    try:
        await tiers.open()
        sandbox = tiers.get(tier)
        durations, failed = [], 0
        for index in range(WARM_UP + count):
            started = time.perf_counter()
            result = await sandbox.run(Program(HELLO), {"name": "World"}, Limits(), BenchGloves())
            elapsed = time.perf_counter() - started
            if index < WARM_UP:
                continue
            durations.append(elapsed)
            failed += result.outcome is not Outcome.SUCCEEDED
            if index % STARTS_EVERY == 0:
                yardstick.measure()
    finally:
        await tiers.close()
    return summarise(f"alone/{tier}", f"{tier}, the tier alone", durations, starts_s=yardstick.take(), failed=failed)
