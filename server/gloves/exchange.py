"""One HTTP request and its answer, every part of the answer bounded."""

import ssl
import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import httpcore

from server.gloves.dialling import Dialler, TooManyBytesError
from server.gloves.urls import Url

HEAD_BYTES_MAX = 64 * 1024
HEADER_FIELDS_MAX = 100
PIECES_MAX = 8_192  # of a body: each costs more than its bytes do
CONNECT_S_MAX = 5.0
ACCEPTED_ENCODINGS = "gzip"

_UNPROVED = "the other side cannot prove by TLS that it is this host"

Headers = Sequence[tuple[str, str]]


class ExchangeError(Exception):
    """The exchange did not end as it should. The message says why, for people, and holds nothing of the request.

    Attributes:
        sent: whether anything of the request may have been sent.
    """

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class UnreachableError(ExchangeError):
    """No connection came about, or it broke off."""


class AnswerRefusedError(ExchangeError):
    """There is an answer, and it is beyond a bound or cannot be read.

    Attributes:
        status: of the answer; None where its head was the trouble.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request as it goes out, secrets and all."""

    method: str
    url: Url
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Incoming:
    """An answer: header names in lower case, the body without its encoding."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def exchange(
    pool: httpcore.AsyncConnectionPool, dialler: Dialler, outgoing: Outgoing, bytes_max: int
) -> Incoming:
    """Send one request to where the dialler leads, and read its answer. Follows nothing.

    Args:
        pool: of the run; its connections are the dialler's.
        dialler: with the checked addresses of the request's host pinned.
        outgoing: what to send.
        bytes_max: most bytes of the body, with and without its encoding.

    Raises:
        UnreachableError, AnswerRefusedError: and whether anything was sent.
    """
    dialler.meter.left = HEAD_BYTES_MAX
    status: int | None = None
    try:
        async with pool.stream(
            outgoing.method,
            httpcore.URL(
                scheme=outgoing.url.origin.scheme.encode(),
                host=outgoing.url.origin.host.encode(),
                port=outgoing.url.origin.port,
                target=outgoing.url.target.encode(),
            ),
            headers=_raw_headers(outgoing),
            content=outgoing.body or None,
            extensions={"timeout": {"connect": CONNECT_S_MAX}},
        ) as response:
            status = response.status
            headers = _read_headers(response.headers)
            dialler.meter.left = bytes_max + bytes_max // 4 + HEAD_BYTES_MAX
            body, encoded = await _read_body(response.aiter_stream(), headers, bytes_max)
    except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout) as exc:
        raise UnreachableError(_UNPROVED if _is_about_tls(exc) else "no connection came about", sent=False) from exc
    except httpcore.LocalProtocolError as exc:
        raise UnreachableError("the request has what HTTP cannot carry", sent=False) from exc
    except httpcore.RemoteProtocolError as exc:
        raise AnswerRefusedError("what came back is no HTTP, or its head is too large", status) from exc
    except (httpcore.NetworkError, httpcore.TimeoutException, OSError) as exc:  # OSError: what TLS cannot decrypt, too
        raise UnreachableError("the connection broke off") from exc
    except TooManyBytesError as exc:
        where = "head" if status is None else "body"
        bound = HEAD_BYTES_MAX if status is None else bytes_max
        raise AnswerRefusedError(f"the answer's {where} has more than {bound} bytes", status) from exc
    except _BodyError as exc:
        raise AnswerRefusedError(str(exc), status) from exc
    if not encoded:
        headers = {name: value for name, value in headers.items() if name != "content-encoding"}
    return Incoming(status, headers, body)


def _is_about_tls(error: Exception) -> bool:
    """Whether a handshake failed. The pool takes the cause away; what was mapped is the error's first argument."""
    cause: BaseException | None = error.args[0] if error.args and isinstance(error.args[0], Exception) else None
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    return cause is not None


class _BodyError(Exception):
    """A body or head that is beyond a bound or cannot be read."""


class _Decoder(Protocol):
    def feed(self, data: bytes, bytes_max: int) -> bytes:
        """What some more bytes come to. Raises _BodyError above the bound."""

    def end(self) -> None:
        """Raises _BodyError where something is missing."""


class _Plain:
    def feed(self, data: bytes, bytes_max: int) -> bytes:
        return data

    def end(self) -> None:
        """Nothing is missing."""


class _Inflate:
    """gzip and zlib, never unfolding more than is asked for."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(zlib.MAX_WBITS | 32)  # either header

    def feed(self, data: bytes, bytes_max: int) -> bytes:
        try:
            plain = self._zlib.decompress(data, bytes_max + 1)
        except zlib.error as exc:
            raise _BodyError("the answer's body is not encoded as it says") from exc
        if self._zlib.unused_data:
            raise _BodyError("the answer's body goes on after its encoding ended")
        return plain

    def end(self) -> None:
        if not self._zlib.eof:
            raise _BodyError("the answer's body ends before its encoding does")


def _raw_headers(outgoing: Outgoing) -> list[tuple[bytes, bytes]]:
    own = [("Host", outgoing.url.host_header), ("Accept-Encoding", ACCEPTED_ENCODINGS)]
    if outgoing.body or outgoing.method not in ("GET", "HEAD"):
        own.append(("Content-Length", str(len(outgoing.body))))
    return [(name.encode(), value.encode("latin-1")) for name, value in (*own, *outgoing.headers)]


def _read_headers(raw: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    if len(raw) > HEADER_FIELDS_MAX:
        raise _BodyError(f"the answer has more than {HEADER_FIELDS_MAX} header fields")
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


async def _read_body(pieces: AsyncIterator[bytes], headers: Mapping[str, str], bytes_max: int) -> tuple[bytes, bool]:
    """The body, and whether it still has an encoding that was not asked for."""
    encoding = headers.get("content-encoding", "identity").strip().lower()
    known = encoding in ("gzip", "x-gzip", "deflate")
    decoder: _Decoder = _Inflate() if known else _Plain()
    body = bytearray()
    count = 0
    async for piece in pieces:
        count += 1
        body += decoder.feed(piece, bytes_max - len(body))
        if len(body) > bytes_max:
            raise _BodyError(f"the answer's body has more than {bytes_max} bytes")
        if count > PIECES_MAX:
            raise _BodyError(f"the answer's body comes in more than {PIECES_MAX} pieces")
    if count:  # an answer to HEAD has none
        decoder.end()
    return bytes(body), not known and encoding != "identity"
