"""Whether this process can serve: asked of what it depends on, at most about once a second."""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import structlog

from agents_store.errors import StoreError
from agents_store.store import Store
from sandbox.abilities import Stocked
from sandbox.tiers import Tiers
from sandbox.types import Tier
from server.auth.verifier import Verifier
from server.errors import NotReadyError
from server.leases import Lease

KEPT_S = 1.0
PING_TIMEOUT_S = 3.0

OK = "ok"
# What is wrong, but not so that calls should go to another process.
DEGRADED = frozenset({"busy", "not answering", "not available"})

log = structlog.get_logger("server.health")


@runtime_checkable
class Asking(Protocol):
    """A verifier that asks an issuer for its keys."""

    @property
    def issuer_failing(self) -> bool:
        """Whether the issuer did not give its keys when last asked; those at hand stay in use."""


class Readiness:
    """Asks on behalf of every probe at once, so that probing costs nothing however often it is done."""

    def __init__(self, store: Store, lease: Lease, tiers: Tiers, verifier: Verifier) -> None:
        self._store = store
        self._lease = lease
        self._tiers = tiers
        self._verifier = verifier
        self._asking = asyncio.Lock()
        self._asked_at = float("-inf")
        self._database = "unknown"
        self._stopping = False
        self._told: Mapping[str, str] = {}
        self._seen_tiers: set[Tier] = set()

    def stop(self) -> None:
        """Say from now on that this process is stopping."""
        self._stopping = True

    async def check(self) -> Mapping[str, str]:
        """What is wrong but bearable, by what was asked; empty when nothing is.

        Raises NotReadyError unless this process can serve now.
        """
        async with self._asking:
            if time.monotonic() - self._asked_at >= KEPT_S:
                self._database = await self._ping()
                self._asked_at = time.monotonic()
        checks = {
            "database": self._database,
            "lease": OK if self._lease.seconds_left > 0 else "expired",
            **{f"{tier.value} tier": self._tier_now(tier) for tier in self._tiers.offered},
            "issuer": self._issuer_now(),
            "process": "stopping" if self._stopping else OK,
        }
        wrong = {name: answer for name, answer in checks.items() if answer != OK}
        serves = DEGRADED.issuperset(wrong.values())
        if wrong != self._told:  # each change once, however often it is probed
            self._told = wrong
            log.log(logging.INFO if serves else logging.WARNING, "readiness changed", wrong=wrong, serves=serves)
        if not serves:
            raise NotReadyError(checks)
        return wrong

    def _tier_now(self, tier: Tier) -> str:
        if self._tiers.missing(tier):
            if not self._tiers.available:
                return "unavailable"
            # One that this machine never gave, as where there is no Docker, is told of at the start and by `doctor`.
            return "not available" if tier in self._seen_tiers else OK
        self._seen_tiers.add(tier)
        sandbox = self._tiers.get(tier)
        if isinstance(sandbox, Stocked) and sandbox.children.get("ready") == 0:
            return "busy"
        return OK

    def _issuer_now(self) -> str:
        return "not answering" if isinstance(self._verifier, Asking) and self._verifier.issuer_failing else OK

    async def _ping(self) -> str:
        try:
            async with asyncio.timeout(PING_TIMEOUT_S):
                await self._store.ping()
        except (StoreError, TimeoutError):
            return "unreachable"
        return OK
