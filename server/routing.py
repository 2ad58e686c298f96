"""Routes that authenticate before they read anything else, and what handlers take from a request."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import Depends, Query, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from agents_store.types import Principal
from sandbox.offload import working_for
from server.auth.callers import require_token
from server.bodies import BODY_HOLD_KEY, query_pairs
from server.edge import LOG_FIELDS_KEY, REQUEST_ID_KEY
from server.idempotency import Perform, has_key, refuse_unkept
from server.services import Services

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

LIST_LIMIT_MAX = 100
CURSOR_CHARS_MAX = 512

Limit = Annotated[int, Query(ge=1, le=LIST_LIMIT_MAX, description="most items on the page")]
Cursor = Annotated[
    str | None, Query(max_length=CURSOR_CHARS_MAX, description="`next_cursor` of the page before; absent: the first")
]


def services_of(request: Request) -> Services:
    """What the application was wired with."""
    return cast("Services", request.app.state.services)


def request_id_of(request: Request) -> UUID:
    """The id that the edge gave this request."""
    return cast("UUID", request.scope[REQUEST_ID_KEY])


def authorization_of(request: Request) -> str | None:
    """The Authorization header. Several become one value, which is no token: nobody guesses which one counts."""
    values = request.headers.getlist("authorization")
    return ", ".join(values) if values else None


def note(request: Request, **fields: str) -> None:
    """Add fields to the request's access log line."""
    request.scope[LOG_FIELDS_KEY].update(fields)


async def once(request: Request, principal: Principal, perform: Perform) -> Response:
    """Carry out a request that has an idempotency key, or answer it as before, whatever becomes of the caller."""
    services = services_of(request)
    return await services.live.carry(services.idempotency.once(principal, request, perform))


class ProtectedRoute(APIRoute):
    """A route whose caller is verified before its query or body is looked at."""

    def get_route_handler(self) -> Handler:
        """The route's own handler behind authentication and the bounds of the query."""
        handler = super().get_route_handler()

        async def authenticated(request: Request) -> Response:
            principal = await services_of(request).callers.authenticate(authorization_of(request))
            note(request, user_id=str(principal.user_id))
            request.state.principal = principal
            query_pairs(request)
            working_for.set(principal.user_id)
            with services_of(request).bodies.hold(principal.user_id) as hold:
                request.scope[BODY_HOLD_KEY] = hold
                if request.method == "POST" and has_key(request):
                    refuse_unkept(self.operation_id)
                    return await once(request, principal, lambda again, _attempt: handler(again))
                return await handler(request)

        return authenticated


class PlainRoute(APIRoute):
    """A documented route whose endpoint takes the request and gives the response, with nothing in between."""

    def get_route_handler(self) -> Handler:
        """The endpoint itself."""
        return cast("Handler", self.endpoint)


def _caller(request: Request) -> Principal:
    return cast("Principal", request.state.principal)


def _token_caller(request: Request) -> Principal:
    return require_token(_caller(request))


Caller = Annotated[Principal, Depends(_caller)]
# For what an API key must not do, stolen or not.
TokenCaller = Annotated[Principal, Depends(_token_caller)]
Wired = Annotated[Services, Depends(services_of)]
