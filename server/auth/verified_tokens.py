"""Tokens that were verified a moment ago, so that a caller's next request does not pay for the arithmetic again."""

import hashlib
from collections import OrderedDict

from agents_store.types import Principal
from server.auth.clock import SYSTEM_CLOCK, Clock

KEPT_S_MAX = 60
TOKENS_MAX = 4096


class VerifiedTokens:
    """Principals by the SHA-256 of the token that proved them; the least recently used goes first.

    A key that its issuer withdraws is trusted for up to `KEPT_S_MAX` longer through here.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK, tokens_max: int = TOKENS_MAX) -> None:
        self._clock = clock
        self._tokens_max = tokens_max
        self._entries: OrderedDict[bytes, tuple[Principal, float, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, token: str) -> Principal | None:
        """Who this very token was verified for, None when it must be verified (again)."""
        digest = _digest(token)
        entry = self._entries.get(digest)
        if entry is None:
            return None
        principal, kept_until_s, expires_at_s = entry
        # Both clocks: the wall clock may be set back, and exp must hold to the second.
        if self._clock.monotonic() >= kept_until_s or self._clock.wall() >= expires_at_s:
            del self._entries[digest]
            return None
        self._entries.move_to_end(digest)
        return principal

    def put(self, token: str, principal: Principal, expires_at_s: int) -> None:
        """Keep a token that was just verified, for `KEPT_S_MAX` at most.

        Args:
            token: the whole token.
            principal: who it proves.
            expires_at_s: its `exp`, seconds since 1970.
        """
        self._entries[_digest(token)] = (principal, self._clock.monotonic() + KEPT_S_MAX, expires_at_s)
        while len(self._entries) > self._tokens_max:
            self._entries.popitem(last=False)

    def clear(self) -> None:
        """Forget them all."""
        self._entries.clear()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("ascii")).digest()
