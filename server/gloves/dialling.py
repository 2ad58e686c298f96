"""Opening connections to addresses that were checked, and to nothing else."""

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Any

import httpcore

from server.gloves.hosts import Address

RESOLVE_S_MAX = 5.0
RESOLVER_THREADS = 16
OWNER_LOOKUPS_MAX = 4  # at once: one user's slow name servers must not keep the others waiting
READ_BYTES = 8 * 1024  # one piece of it is parsed without letting anything else run
ADDRESSES_TRIED_MAX = 4

# Every address of a host name, looked up for an owner. Raises ResolveError.
Resolve = Callable[[str, str], Awaitable[Sequence[Address]]]


class ResolveError(Exception):
    """A name that leads nowhere now. The message says why, for people."""


class TooManyBytesError(Exception):
    """The other side sent more than the meter had left."""


class SystemResolver:
    """Asks the system's resolver, in threads of its own: it cannot be interrupted, and others have work in theirs."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(RESOLVER_THREADS, thread_name_prefix="resolve")
        self._lookups: Counter[str] = Counter()

    def close(self) -> None:
        """Begin no look-up any more. Idempotent."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, host: str, owner: str) -> Sequence[Address]:
        """Every address of a name, each once, in the system's order. Raises ResolveError."""
        if self._lookups[owner] >= OWNER_LOOKUPS_MAX:
            raise ResolveError("too many names of yours are being looked up at once")
        self._lookups[owner] += 1
        lookup = asyncio.get_running_loop().run_in_executor(self._threads, _look_up, host)
        lookup.add_done_callback(lambda done: self._ended(owner, done))
        try:
            # It goes on behind the shield, and counts until its thread is free again.
            found = await asyncio.wait_for(asyncio.shield(lookup), RESOLVE_S_MAX)
        except TimeoutError as exc:
            raise ResolveError(f"looking it up took more than {RESOLVE_S_MAX:.0f} s") from exc
        except (OSError, UnicodeError) as exc:
            raise ResolveError("no address is known for it") from exc
        return found

    def _ended(self, owner: str, lookup: "asyncio.Future[list[Address]]") -> None:
        self._lookups[owner] -= 1
        if not self._lookups[owner]:
            del self._lookups[owner]
        if not lookup.cancelled():
            lookup.exception()  # perhaps nobody waits for it any more


def _look_up(host: str) -> list[Address]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(entry[4][0]) for entry in found))


class Meter:
    """How many bytes may still be read."""

    def __init__(self) -> None:
        self.left = 0


class Dialler(httpcore.AsyncNetworkBackend):
    """The network of one run's HTTP client: hosts lead to the addresses that were pinned for them, or nowhere.

    Attributes:
        meter: bounds what is read through every connection.
    """

    def __init__(self) -> None:
        self.meter = Meter()
        self._pinned: dict[str, Sequence[Address]] = {}
        self._network = httpcore.AnyIOBackend()

    def pin(self, host: str, addresses: Sequence[Address]) -> None:
        """Let connections to a host lead to these addresses, which were checked, from now on."""
        self._pinned[host] = addresses[:ADDRESSES_TRIED_MAX]

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first pinned address that answers. Raises ConnectError, ConnectTimeout."""
        failure: Exception = httpcore.ConnectError("nothing is pinned for this host")
        for address in self._pinned.get(host, ()):
            try:
                stream = await self._network.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                failure = exc
            else:
                return _MeteredStream(stream, self.meter)
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """No URL leads to a socket of this machine. Raises ConnectError."""
        raise httpcore.ConnectError("no sockets of this machine")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class _MeteredStream(httpcore.AsyncNetworkStream):
    """A connection that is read in small pieces, and no further than its meter says."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, meter: Meter) -> None:
        self._stream = stream
        self._meter = meter

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._meter.left <= 0:
            raise TooManyBytesError
        data = await self._stream.read(min(max_bytes, READ_BYTES), timeout)
        self._meter.left -= len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        return _MeteredStream(await self._stream.start_tls(ssl_context, server_hostname, timeout), self._meter)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
