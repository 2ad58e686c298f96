"""Callers who prove themselves by an API key: looked up by its hash, remembered for seconds, their use noted later."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol, TypeVar
from uuid import UUID

import structlog

from agents_store.errors import StoreError, StoreUnavailableError
from agents_store.types import ApiKeyOwner, Principal
from server.auth.api_key import hash_key
from server.auth.clock import SYSTEM_CLOCK, Clock
from server.auth.errors import Reason, UnauthenticatedError

KEPT_S_MAX = 4.0  # a revoked key is refused everywhere within 5 s, a slow look-up included
FOUND_MAX = 4096
UNKNOWN_MAX = 4096
LOOKUPS_AT_ONCE_MAX = 3  # so that strangers who make up keys cannot take every connection of the pool
LOOKUP_WAIT_S_MAX = 5.0
TOUCH_EVERY_S = 60.0
TOUCH_PAUSE_S = 1.0
TOUCHED_MAX = 10_000
LAST_TOUCH_S_MAX = 2.0

K = TypeVar("K")
V = TypeVar("V")

log = structlog.get_logger(__name__)


class KeyStore(Protocol):
    """What a store does for API keys before it acts for anybody."""

    async def find_api_key(self, key_hash: bytes) -> ApiKeyOwner | None:
        """Whom the live key of this SHA-256 stands for. Raises StoreError."""

    async def touch_api_keys(self, api_key_ids: Sequence[UUID]) -> None:
        """Note that these keys were used just now. Raises StoreError."""


class ApiKeys:
    """Verifies API keys. Used from one event loop."""

    def __init__(self, store: KeyStore, clock: Clock = SYSTEM_CLOCK) -> None:
        self._store = store
        self._clock = clock
        self._found: OrderedDict[bytes, tuple[Principal, float]] = OrderedDict()
        # Apart, so that made-up keys never drive out real ones.
        self._unknown: OrderedDict[bytes, float] = OrderedDict()
        self._lookups: dict[bytes, asyncio.Task[Principal | None]] = {}
        self._turn = asyncio.Semaphore(LOOKUPS_AT_ONCE_MAX)
        self._touched: OrderedDict[UUID, float] = OrderedDict()
        self._untold: set[UUID] = set()
        self._teller: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Note the last uses, as far as that takes no time, and forget every key. Idempotent."""
        if self._teller is not None:
            self._teller.cancel()
            with suppress(asyncio.CancelledError):
                await self._teller
            self._teller = None
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_TOUCH_S_MAX):
                await self._tell()
        self._found.clear()
        self._unknown.clear()

    async def authenticate(self, key: str) -> Principal:
        """Tell whom a key stands for. It never takes a round trip of its own while it is remembered.

        Args:
            key: what the `Authorization` header has after `Bearer`.

        Raises:
            UnauthenticatedError: no such key, or one that was revoked or has expired.
            StoreUnavailableError: it could not be looked up.
        """
        key_hash = hash_key(key)
        now = self._clock.monotonic()
        found = self._found.get(key_hash)
        if found is not None and now < found[1]:
            self._found.move_to_end(key_hash)
            principal: Principal | None = found[0]
        elif self._unknown.get(key_hash, 0.0) > now:
            principal = None
        else:
            principal = await self._look_up(key_hash)
        if principal is None or principal.api_key_id is None:
            raise UnauthenticatedError(Reason.UNKNOWN_KEY)
        self._touch(principal.api_key_id)
        return principal

    def forget(self, api_key_id: UUID) -> None:
        """Look a key up again when it comes next: on this server its revocation counts at once."""
        for key_hash in [key_hash for key_hash, (owner, _) in self._found.items() if owner.api_key_id == api_key_id]:
            del self._found[key_hash]
        # What was asked before the revocation must not be remembered after it.
        self._lookups.clear()

    async def _look_up(self, key_hash: bytes) -> Principal | None:
        """Ask the store, once for everybody who asks meanwhile."""
        task = self._lookups.get(key_hash)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._ask(key_hash))
            self._lookups[key_hash] = task
            task.add_done_callback(lambda done: self._forget_lookup(key_hash, done))
        return await asyncio.shield(task)

    def _forget_lookup(self, key_hash: bytes, done: asyncio.Task[Principal | None]) -> None:
        if self._lookups.get(key_hash) is done:
            del self._lookups[key_hash]
        if not done.cancelled():
            done.exception()  # whoever waited has it; nobody may be left to

    async def _ask(self, key_hash: bytes) -> Principal | None:
        asking = asyncio.current_task()
        try:
            async with asyncio.timeout(LOOKUP_WAIT_S_MAX), self._turn:
                # From before the question: the answer may be as old as that.
                asked_at = self._clock.monotonic()
                owner = await self._store.find_api_key(key_hash)
        except TimeoutError as exc:
            raise StoreUnavailableError("too many keys are being looked up") from exc
        if owner is None:
            self._unknown[key_hash] = asked_at + KEPT_S_MAX
            _bound(self._unknown, UNKNOWN_MAX)
            return None
        principal = Principal(owner.user_id, api_key_id=owner.api_key_id)
        if self._lookups.get(key_hash) is asking:
            kept_s = KEPT_S_MAX if owner.expires_in_s is None else min(KEPT_S_MAX, owner.expires_in_s)
            self._found[key_hash] = (principal, asked_at + kept_s)
            self._found.move_to_end(key_hash)
            _bound(self._found, FOUND_MAX)
        return principal

    def _touch(self, api_key_id: UUID) -> None:
        now = self._clock.monotonic()
        if now - self._touched.get(api_key_id, -TOUCH_EVERY_S) < TOUCH_EVERY_S:
            return
        self._touched[api_key_id] = now
        self._touched.move_to_end(api_key_id)
        _bound(self._touched, TOUCHED_MAX)
        if len(self._untold) < TOUCHED_MAX:
            self._untold.add(api_key_id)
        if self._teller is None or self._teller.done():
            self._teller = asyncio.get_running_loop().create_task(self._tell_soon(), name="api-key-uses")

    async def _tell_soon(self) -> None:
        while self._untold:
            await asyncio.sleep(TOUCH_PAUSE_S)  # what comes meanwhile goes with it
            await self._tell()

    async def _tell(self) -> None:
        untold, self._untold = self._untold, set()
        if not untold:
            return
        try:
            await self._store.touch_api_keys(sorted(untold))
        except StoreError as exc:
            # Worth a line, not another try: the next use in a minute says the same.
            log.warning("use of API keys not noted", keys=len(untold), error=type(exc).__name__)


def _bound(entries: OrderedDict[K, V], entries_max: int) -> None:
    while len(entries) > entries_max:
        entries.popitem(last=False)
