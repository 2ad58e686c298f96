"""The issuer's published keys: fetched when first needed, kept when that fails, asked for again at a bounded rate."""

import asyncio
import math

import httpx
import structlog

from server.auth.clock import SYSTEM_CLOCK, Clock
from server.auth.errors import AuthError, IssuerUnavailableError, KeysRefusedError
from server.auth.keys import VerificationKey, parse_key_document

DOCUMENT_BYTES_MAX = 64 * 1024
FRESH_S = 600  # older keys are still used, while new ones are fetched behind the request's back
STALE_S = 1200  # where the issuer answered last time, keys this old wait for new ones first
COOL_DOWN_S = 30  # between the beginnings of two fetches, whatever came of the first
FETCH_S_MAX = 5.0  # of one fetch, from name resolution to the document's last byte
STEP_S_MAX = 3.0  # of one step of it: connect, write, wait for a chunk

log = structlog.get_logger(__name__)


class RemoteKeys:
    """A `KeySource` over one JSON Web Key Set address.

    At most one fetch runs at a time, and none begins within `COOL_DOWN_S` of the last, so callers with made-up key
    ids cannot turn the server against its issuer. Only the fetch after the first good one need not wait: a key may be
    rotated right after the server has started.
    """

    def __init__(self, url: str, clock: Clock = SYSTEM_CLOCK) -> None:
        self._url = url
        self._clock = clock
        self._client: httpx.AsyncClient | None = None
        self._fetch: asyncio.Task[None] | None = None
        self._keys: dict[str, VerificationKey] = {}
        self._tried_at_s: float | None = None  # monotonic, like the next one
        self._fetched_at_s: float | None = None
        self._failing = False

    async def open(self) -> None:
        """Make the HTTP client. Nothing is fetched yet."""
        # In a thread: reading the certificate bundle takes tens of milliseconds.
        self._client = await asyncio.to_thread(_client)

    async def close(self) -> None:
        """End a fetch that is under way, and the client."""
        if self._fetch is not None:
            self._fetch.cancel()
            await asyncio.wait({self._fetch}, timeout=FETCH_S_MAX)
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    @property
    def failing(self) -> bool:
        """Whether the last fetch failed."""
        return self._failing

    def known(self, kid: str) -> VerificationKey | None:
        """The key of this id among those fetched last."""
        return self._keys.get(kid)

    async def find(self, kid: str) -> VerificationKey | None:
        """The key of this id; an unknown one, or keys grown old, start a fetch where the cool-down allows it.

        Args:
            kid: the key id that a token names.

        Returns:
            The key, None where the issuer publishes none of this id. Waits at most `FETCH_S_MAX`.

        Raises:
            IssuerUnavailableError: no fetch ever succeeded.
        """
        age_s = self._age_s()
        if kid not in self._keys or age_s >= FRESH_S:
            self._start_fetch()
        if self._fetch is not None and (kid not in self._keys or (age_s >= STALE_S and not self._failing)):
            # Not awaited itself: a caller that goes away must not take the others' fetch along.
            await asyncio.wait({self._fetch}, timeout=FETCH_S_MAX)
        if self._fetched_at_s is None:
            raise IssuerUnavailableError(self._retry_after_s())
        return self._keys.get(kid)

    def _age_s(self) -> float:
        return math.inf if self._fetched_at_s is None else self._clock.monotonic() - self._fetched_at_s

    def _retry_after_s(self) -> int:
        if self._tried_at_s is None:
            return 1
        return max(1, math.ceil(self._tried_at_s + COOL_DOWN_S - self._clock.monotonic()))

    def _start_fetch(self) -> None:
        now_s = self._clock.monotonic()
        cooling = self._tried_at_s is not None and now_s - self._tried_at_s < COOL_DOWN_S
        if self._fetch is None and not cooling:
            self._tried_at_s = now_s
            self._fetch = asyncio.create_task(self._refresh(), name="fetch signing keys")

    async def _refresh(self) -> None:
        try:
            async with asyncio.timeout(FETCH_S_MAX):
                document = await self._download()
            self._keys, passed_over = parse_key_document(document)
            if self._fetched_at_s is None:
                self._tried_at_s = None
            self._fetched_at_s = self._clock.monotonic()
            self._failing = False
            log.info("signing_keys_fetched", keys=len(self._keys), passed_over=passed_over)
        except Exception as exc:  # noqa: BLE001 - whatever the other end does, the keys at hand stay in use
            self._failing = True
            detail = str(exc) if isinstance(exc, AuthError) else None
            log.warning("signing_keys_not_fetched", url=self._url, error=type(exc).__name__, detail=detail)
        finally:
            self._fetch = None

    async def _download(self) -> bytes:
        if self._client is None:
            raise KeysRefusedError("the key source is not open")
        document = bytearray()
        async with self._client.stream("GET", self._url) as response:
            if response.status_code != httpx.codes.OK:
                raise KeysRefusedError(f"answered {response.status_code}")
            # Raw: a small compressed answer could unfold into an endless one.
            async for chunk in response.aiter_raw():
                document += chunk
                if len(document) > DOCUMENT_BYTES_MAX:
                    raise KeysRefusedError(f"longer than {DOCUMENT_BYTES_MAX} bytes")
        return bytes(document)


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        timeout=STEP_S_MAX,
        follow_redirects=False,
        limits=httpx.Limits(max_connections=1, max_keepalive_connections=0),
        trust_env=False,
    )
