"""ASGI middleware that counts what was answered. Outermost, so that it sees every answer as the caller does."""

from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from server.services import Services


class RequestCounter:
    """Counts each HTTP request once it is answered, or its client has left."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection scope; only HTTP is touched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status: int | None = None

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            services: Services = scope["app"].state.services
            services.metrics.request(scope["method"], getattr(scope.get("route"), "path_format", None), status)
