"""`ctx.fetch`: HTTP requests of an agent, to its own `allowed_hosts`, and never to an address inside."""

import asyncio
import base64
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import httpcore

from agents_store.types import EffectStatus
from sandbox.offload import compute, offload
from sandbox.types import GloveFault, JsonValue, RunStoppedError
from server.gloves.addresses import closed_reason
from server.gloves.budget import Bound, Budget
from server.gloves.dialling import Dialler, Resolve, ResolveError
from server.gloves.effect import Answered, Arguments, EffectError
from server.gloves.exchange import (
    AnswerRefusedError,
    ExchangeError,
    Headers,
    Incoming,
    Outgoing,
    exchange,
)
from server.gloves.fetch_request import FetchRequest, check_headers, read_request
from server.gloves.hosts import Address, HostPattern, Origin, literal_address
from server.gloves.mocks import Mocks
from server.gloves.secrets import RunSecrets, in_url
from server.gloves.sizes import is_small
from server.gloves.urls import Url, UrlError, join_url

FETCH_S_MAX = 30.0
SHARE_OF_TIME = 0.9  # of what is left of the run: the program is to learn that a fetch took too long
RESPONSE_BYTES_MAX = 1024 * 1024
REDIRECTS_MAX = 5
CONNECTIONS_MAX = 4  # of one run
KEEPALIVE_S = 5.0

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CARRIED_ACROSS = frozenset({"accept", "accept-language", "user-agent"})

# Notes in the store that the call in hand is about to be carried out; a server that dies then leaves `unknown` behind.
Claim = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Network:
    """What the fetches of all runs of a process share.

    `private_hosts` are those whose loopback and private addresses the operator opened, in the spelling of `read_host`.
    """

    resolve: Resolve
    tls: ssl.SSLContext
    private_hosts: frozenset[str] = frozenset()
    fetch_s_max: float = FETCH_S_MAX

    async def addresses(self, origin: Origin, owner: str) -> Sequence[Address]:
        """Where a host leads now, every address of it checked. Raises EffectError."""
        literal = literal_address(origin.host)
        try:
            found = [literal] if literal is not None else await self.resolve(origin.host, owner)
        except ResolveError as exc:
            raise EffectError(
                GloveFault.CONNECTION, f"{origin.host} leads nowhere: {exc}", EffectStatus.FAILED
            ) from exc
        opened = origin.host in self.private_hosts
        for address in found:
            if (reason := closed_reason(address, private_allowed=opened)) is not None:
                raise EffectError(
                    GloveFault.PERMISSION, f"{origin.host} leads to {reason} address, which is not dialled"
                )
        if not found:
            raise EffectError(GloveFault.CONNECTION, f"{origin.host} leads nowhere", EffectStatus.FAILED)
        return found


class RunFetch:
    """The fetches of one run: one at a time, over connections of its own."""

    def __init__(
        self,
        network: Network,
        *,
        owner: str,
        allowed: Sequence[HostPattern],
        budget: Budget,
        secrets: RunSecrets,
        claim: Claim,
        mocks: Mocks | None,
    ) -> None:
        """`mocks` are those of a dry run, None in a live one."""
        self._network = network
        self._owner = owner
        self._allowed = allowed
        self._budget = budget
        self._secrets = secrets
        self._claim = claim
        self._mocks = mocks
        self._dialler = Dialler()
        self._pool: httpcore.AsyncConnectionPool | None = None

    async def close(self) -> None:
        """Close the run's connections. Idempotent."""
        if self._pool is not None:
            await self._pool.aclose()

    async def __call__(self, arguments: Arguments) -> Answered:
        """Carry out one fetch, or answer it as a dry run does. Raises EffectError, RunStoppedError."""
        small = is_small(arguments)
        request = read_request(arguments) if small else await offload(lambda: read_request(arguments))
        self._require_allowed(request.url.origin)
        self._budget.spend(Bound.FETCHES)
        if self._mocks is not None:
            if (mocked := self._mocks.fetch(arguments)) is not None:
                return mocked
            if not request.reads:
                raise RunStoppedError
        elif not request.reads:
            await self._claim()
        return await self.send(request)

    async def send(self, request: FetchRequest) -> Answered:
        """Send a request and follow it to its answer, whatever kind of run this is. Raises EffectError."""
        self._require_allowed(request.url.origin)
        journey = _Journey()
        seconds = min(self._network.fetch_s_max, SHARE_OF_TIME * self._budget.seconds_left)
        try:
            async with asyncio.timeout(seconds):
                incoming = await self._follow(request, journey)
        except TimeoutError as exc:
            error = EffectError(GloveFault.TIMEOUT, f"the fetch took more than {seconds:.1f} s", EffectStatus.FAILED)
            raise self._ended(error, request, journey) from exc
        except ExchangeError as exc:
            raise self._ended(_error_of(exc, journey), request, journey) from exc
        except EffectError as exc:
            raise self._ended(exc, request, journey) from exc
        # Looking for secrets in a large body is left to a thread.
        return Answered(await compute(lambda: self._shown(incoming, journey), len(incoming.body)))

    async def _follow(self, request: FetchRequest, journey: "_Journey") -> Incoming:
        """The answer at the end of all redirects, each of them checked as the first request was."""
        for _ in range(REDIRECTS_MAX + 1):
            journey.urls.append(self._secrets.scrub(str(request.url)))
            origin = request.url.origin
            self._dialler.pin(origin.host, await self._network.addresses(origin, self._owner))
            outgoing = self._outgoing(request)
            bytes_max = min(RESPONSE_BYTES_MAX, self._budget.left(Bound.EFFECTS_BYTES))
            journey.sent = True
            try:
                incoming = await exchange(self._connections(), self._dialler, outgoing, bytes_max)
            except ExchangeError as exc:
                journey.sent = exc.sent or journey.status is not None
                raise
            journey.status = incoming.status
            location = incoming.headers.get("location")
            if incoming.status not in _REDIRECTS or location is None:
                return incoming
            request = self._redirected(request, incoming.status, location)
        raise EffectError(GloveFault.RUNTIME, f"there are more than {REDIRECTS_MAX} redirects")

    def _redirected(self, request: FetchRequest, status: int, location: str) -> FetchRequest:
        """The request that a redirect asks for (RFC 9110 section 15.4). Raises EffectError."""
        try:
            url = join_url(request.url, location)
        except UrlError as exc:
            raise EffectError(GloveFault.PERMISSION, f"the redirect is not followed: {exc}") from exc
        self._require_allowed(url.origin, "the redirect is not followed: ")
        if status == 303 or (status in (301, 302) and request.method == "POST"):
            method = "HEAD" if request.method == "HEAD" else "GET"
            headers = [(name, value) for name, value in request.headers if name.lower() != "content-type"]
            request = replace(request, method=method, headers=headers, body=b"")
        if url.origin == request.url.origin:
            return replace(request, url=url)
        if not request.reads or request.body:
            raise EffectError(
                GloveFault.PERMISSION, f"the redirect is not followed: it would carry the body on to {url.origin}"
            )
        carried = [(name, value) for name, value in request.headers if name.lower() in _CARRIED_ACROSS]
        return replace(request, url=url, headers=carried)

    def _outgoing(self, request: FetchRequest) -> Outgoing:
        """The request with the values of secrets in it. Raises EffectError."""
        fill, origin = self._secrets, request.url.origin
        path = fill.fill(request.url.path, origin, in_url)
        query = None if request.url.query is None else fill.fill(request.url.query, origin, in_url)
        headers: Headers = [(name, fill.fill_header(name, value, origin)) for name, value in request.headers]
        check_headers(headers)
        body = fill.fill_bytes(request.body, origin, request.encode)
        outgoing = Outgoing(request.method, Url(origin, path, query), headers, body)
        filled = (outgoing.url, outgoing.headers, outgoing.body) != (request.url, list(request.headers), request.body)
        if filled and any(name.lower() == "range" for name, _ in headers):
            # A value that came back in parts, an answer each, would be found in none of them.
            raise EffectError(GloveFault.PERMISSION, "a request that carries a secret takes no Range header")
        return outgoing

    def _require_allowed(self, origin: Origin, before: str = "") -> None:
        if not any(pattern.matches(origin) for pattern in self._allowed):
            allowed = ", ".join(map(str, self._allowed)) or "nothing"
            raise EffectError(
                GloveFault.PERMISSION, f"{before}{origin} is not in this agent's allowed_hosts, which has {allowed}"
            )

    def _connections(self) -> httpcore.AsyncConnectionPool:
        if self._pool is None:
            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=self._network.tls,
                max_connections=CONNECTIONS_MAX,
                keepalive_expiry=KEEPALIVE_S,
                http2=False,
                network_backend=self._dialler,
            )
        return self._pool

    def _ended(self, error: EffectError, request: FetchRequest, journey: "_Journey") -> EffectError:
        """The error, with what became of the request: what may have changed something is not known to have failed."""
        response: JsonValue = {"status": journey.status} if journey.status is not None else None
        status = error.status
        if not request.reads and journey.status is not None:
            status = EffectStatus.PERFORMED
        elif not request.reads and journey.sent:
            status = EffectStatus.UNKNOWN
        return EffectError(error.fault, self._secrets.scrub(error.message), status, response)

    def _shown(self, incoming: Incoming, journey: "_Journey") -> dict[str, JsonValue]:
        """An answer as programs get it and effects show it, without any value of a secret."""
        shown: dict[str, JsonValue] = {
            "status": incoming.status,
            "url": journey.urls[-1],
            "headers": {
                self._secrets.scrub(name): self._secrets.scrub(value) for name, value in incoming.headers.items()
            },
            **content_of(self._secrets.scrub_bytes(incoming.body), incoming.headers.get("content-type", "")),
        }
        if "text" in shown:
            shown["text"] = self._secrets.scrub(str(shown["text"]))
        if len(journey.urls) > 1:
            shown["redirects"] = journey.urls[1:]
        return shown


class _Journey:
    """How far a fetch came."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self.sent = False
        self.status: int | None = None


def content_of(body: bytes, content_type: str) -> dict[str, JsonValue]:
    """A body as text where it is text that can be stored, else in base64.

    Args:
        body: without its encoding.
        content_type: the header's value, empty where there is none.
    """
    for charset in ("utf-8", _charset(content_type)):
        if charset is None:
            continue
        try:
            text = body.decode(charset)
        except (UnicodeDecodeError, LookupError):
            continue
        if "\0" in text:
            break
        return {"text": text.removeprefix("\ufeff")}
    return {"base64": base64.b64encode(body).decode()}


_CHARSETS = frozenset({"iso-8859-1", "latin1", "windows-1252", "cp1252", "iso-8859-15", "utf-16", "shift_jis", "gb2312",
                       "gbk", "gb18030", "big5", "euc-jp", "euc-kr", "koi8-r", "windows-1251", "us-ascii"})  # fmt: skip


def _charset(content_type: str) -> str | None:
    """The charset that a content type names, where it is one of the web's."""
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip('"').lower()
            return charset if charset in _CHARSETS else None
    return None


def _error_of(error: ExchangeError, journey: _Journey) -> EffectError:
    if isinstance(error, AnswerRefusedError):
        if error.status is not None:
            journey.status = error.status
        return EffectError(GloveFault.RUNTIME, str(error), EffectStatus.FAILED)
    return EffectError(GloveFault.CONNECTION, f"{journey.urls[-1]}: {error}", EffectStatus.FAILED)
