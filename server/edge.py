"""The outermost layer of the application: request ids, header bounds, security headers, access log, last-resort 500."""

import time
from typing import Any
from uuid import UUID

import structlog
import uuid_utils.compat
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.errors import HeadersTooLargeError, PathTooLongError, describe

HEADER_BYTES_MAX = 32 * 1024
HEADER_FIELDS_MAX = 100
PATH_BYTES_MAX = 2 * 1024
PATH_CHARS_LOGGED = 256
REQUEST_ID_KEY = "glovebox.request_id"
LOG_FIELDS_KEY = "glovebox.log_fields"

_SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
_NO_STORE = (b"cache-control", b"no-store")

log = structlog.get_logger("server.edge")


class ProblemResponse(JSONResponse):
    """A problem document."""

    media_type = "application/problem+json"


def problem_response(error: Exception, request_id: UUID) -> ProblemResponse:
    """The answer to an error of any package."""
    status, document, headers = describe(error, request_id)
    return ProblemResponse(document, status, headers)


class Edge:
    """ASGI middleware around everything else. Pure ASGI: the warm path pays about 30 microseconds for it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection scope; only HTTP is touched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = uuid_utils.compat.uuid7()
        scope[REQUEST_ID_KEY] = request_id
        fields: dict[str, Any] = {}
        scope[LOG_FIELDS_KEY] = fields
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=str(request_id))
        answer = _Answer(send, request_id)
        started = time.perf_counter()
        try:
            _refuse_oversized(scope)
            await self._app(scope, receive, answer.send)
        except ClientDisconnect:
            fields["disconnected"] = True
        # The last boundary: whatever escaped is logged whole, and the caller learns the request's id alone.
        except Exception as exc:
            if not isinstance(exc, (HeadersTooLargeError, PathTooLongError)):
                log.exception("request failed")
            if not answer.started:
                await problem_response(exc, request_id)(scope, receive, answer.send)
        finally:
            duration_ms = round((time.perf_counter() - started) * 1000, 2)
            log.info(
                "request",
                method=scope["method"],
                path=scope["path"][:PATH_CHARS_LOGGED],  # without the query: inputs may be in it
                status=answer.status,
                duration_ms=duration_ms,
                **fields,
            )


class _Answer:
    """Passes an answer on, adding what every answer carries."""

    def __init__(self, send: Send, request_id: UUID) -> None:
        self._send = send
        self._request_id = str(request_id).encode()
        self.status: int | None = None

    @property
    def started(self) -> bool:
        return self.status is not None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers: list[tuple[bytes, bytes]] = message["headers"]
            if not any(name == b"cache-control" for name, _ in headers):
                headers.append(_NO_STORE)
            headers.extend((*_SECURITY_HEADERS, (b"x-request-id", self._request_id)))
        await self._send(message)


def _refuse_oversized(scope: Scope) -> None:
    headers = scope["headers"]
    if len(headers) > HEADER_FIELDS_MAX or sum(len(n) + len(v) for n, v in headers) > HEADER_BYTES_MAX:
        raise HeadersTooLargeError(HEADER_BYTES_MAX, HEADER_FIELDS_MAX)
    if len(scope["path"]) > PATH_BYTES_MAX:  # in characters: no fewer bytes came
        raise PathTooLongError(PATH_BYTES_MAX)
