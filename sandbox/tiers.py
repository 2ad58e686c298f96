"""The sandboxes of one process, by tier."""

import asyncio
from collections.abc import Iterable, Mapping

from sandbox.backend import Sandbox
from sandbox.errors import TierUnavailableError
from sandbox.types import Tier, Wall

NOT_OFFERED = "this server does not offer it"


class Tiers:
    """What programs can run in here. A tier that this machine cannot give is kept with its reasons, never replaced.

    Args:
        sandboxes: one for each tier at most, not open yet.
    """

    def __init__(self, sandboxes: Iterable[Sandbox]) -> None:
        self._sandboxes: Mapping[Tier, Sandbox] = {sandbox.tier: sandbox for sandbox in sandboxes}
        self._failed: dict[Tier, tuple[str, ...]] = {}

    @property
    def offered(self) -> tuple[Tier, ...]:
        """The tiers that were asked for, smallest first, available or not."""
        return tuple(tier for tier in Tier if tier in self._sandboxes)

    @property
    def available(self) -> tuple[Tier, ...]:
        """The tiers that can run programs now, smallest first."""
        return tuple(tier for tier in self.offered if not self.missing(tier))

    def missing(self, tier: Tier) -> tuple[str, ...]:
        """What keeps a tier from running anything now; empty when it can."""
        if tier not in self._sandboxes:
            return (NOT_OFFERED,)
        return self._failed.get(tier) or self._sandboxes[tier].missing

    def wall(self, tier: Tier) -> Wall:
        """What separates its runs from the host. Raises TierUnavailableError."""
        return self.get(tier).wall

    def get(self, tier: Tier) -> Sandbox:
        """The sandbox of a tier. Raises TierUnavailableError while it cannot run anything."""
        missing = self.missing(tier)
        if missing:
            raise TierUnavailableError(tier, missing)
        return self._sandboxes[tier]

    async def open(self) -> None:
        """Open every tier. Raises TierUnavailableError when not one of them can be built here."""
        for tier in self.offered:
            try:
                await self._sandboxes[tier].open()
            except TierUnavailableError as error:
                self._failed[tier] = error.missing
        if len(self._failed) == len(self._sandboxes):
            worst = next(iter(self._failed), Tier.RESTRICTED)
            raise TierUnavailableError(worst, self._failed.get(worst, (NOT_OFFERED,)))

    async def close(self) -> None:
        """Close every tier, at once. Idempotent."""
        await asyncio.gather(*(sandbox.close() for sandbox in self._sandboxes.values()))
