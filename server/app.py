"""The HTTP application: everything wired together, opened and closed by its lifespan."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from agents_store.errors import StoreError
from sandbox.errors import SandboxError
from server.account.router import router as account_router
from server.agents.router import router as agents_router
from server.agents.versions_router import router as versions_router
from server.api_keys.router import router as api_keys_router
from server.auth.errors import AuthError, UnauthenticatedError
from server.auth.factory import build_verifier
from server.codegen.router import router as codegen_router
from server.credits.router import router as credits_router
from server.edge import Edge, problem_response
from server.errors import (
    CodeRejectedError,
    InvalidRequestError,
    MethodNotAllowedError,
    NoSuchRouteError,
    ServerError,
)
from server.gloves.fitting import open_fitting
from server.health.router import router as health_router
from server.invocations.router import router as invocations_router
from server.memory.router import router as memory_router
from server.observability.requests import RequestCounter
from server.observability.router import router as metrics_router
from server.observability.startup import tell_start
from server.observability.telemetry import build_tracing
from server.openapi import document_api
from server.routing import request_id_of, services_of
from server.runs.effects_router import router as effects_router
from server.runs.router import router as runs_router
from server.sandboxes import build_tiers
from server.secrets.router import router as secrets_router
from server.services import Services, wire
from server.settings import Settings
from server.stores import open_store
from server.validation import findings

VERSION = "0.1.0"
# The invocation route first: nothing may shadow it.
ROUTERS = (
    invocations_router,
    agents_router,
    versions_router,
    codegen_router,
    runs_router,
    effects_router,
    memory_router,
    secrets_router,
    credits_router,
    account_router,
    api_keys_router,
    health_router,
    metrics_router,
)
EXPOSED_HEADERS = (
    "Glovebox-Run-Id",
    "Glovebox-Tier",
    "Glovebox-Charge",
    "Server-Timing",
    "Location",
    "ETag",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "Idempotency-Replayed",
    "Preference-Applied",
)

ALLOWED_HEADERS = (
    "Authorization",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "Idempotency-Key",
    "Last-Event-ID",
    "Prefer",
    "Glovebox-Confirm",
)

OpenServices = Callable[[], AbstractAsyncContextManager[Services]]


def create_app(settings: Settings) -> FastAPI:
    """The application on everything real that the settings name. Nothing is opened before its lifespan begins."""
    return build_app(settings, lambda: open_services(settings))


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """Open what one server process works with, and close it in reverse.

    Raises:
        StoreMisconfiguredError, AuthMisconfiguredError: the settings cannot work, and what to do.
        StoreUnavailableError: the database does not answer.
        TierUnavailableError: this machine can build the wall of no tier.
    """
    async with AsyncExitStack() as stack:
        verifier = build_verifier(settings)
        store = await stack.enter_async_context(open_store(settings))
        stack.push_async_callback(verifier.close)
        await verifier.open()
        tiers = build_tiers(settings, lease=lambda: services.lease.name)
        stack.push_async_callback(tiers.close)
        fitting = await stack.enter_async_context(open_fitting(settings, store))
        services = wire(settings, store, tiers, verifier, fitting)
        stack.push_async_callback(services.close)
        await services.open()
        await tiers.open()  # after the lease is taken: containers carry its name
        tell_start(settings, tiers, VERSION)
        yield services


def build_app(settings: Settings, open_services: OpenServices) -> FastAPI:
    """The application on whatever services are given to it."""
    tracing = build_tracing(settings, VERSION)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with tracing.exporting, open_services() as services:
            app.state.services = services
            yield

    app = FastAPI(
        title="Glovebox",
        version=VERSION,
        description="Agents behind a URL: code that a model wrote, checked, metered and run in a real sandbox.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=tracing.config,
    )
    for router in ROUTERS:
        app.include_router(router)
    app.add_middleware(Edge)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=("GET", "POST", "PATCH", "PUT", "DELETE"),
            allow_headers=ALLOWED_HEADERS,
            expose_headers=EXPOSED_HEADERS,
        )
    app.add_middleware(RequestCounter)
    for family in (ServerError, StoreError, SandboxError, AuthError):
        app.add_exception_handler(family, _answer_error)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)
    app.add_exception_handler(HTTPException, _answer_http_exception)
    app.openapi = lambda: document_api(app)  # type: ignore[method-assign] # FastAPI's documented way to extend it
    return app


async def _answer_error(request: Request, error: Exception) -> Response:
    if isinstance(error, UnauthenticatedError):
        services_of(request).metrics.refused_caller(error.reason.value)
    elif isinstance(error, CodeRejectedError):
        services_of(request).metrics.rejected_program()
    return problem_response(error, request_id_of(request))


async def _answer_validation_error(request: Request, error: Exception) -> Response:
    errors = findings(error.errors()) if isinstance(error, RequestValidationError) else []
    return problem_response(
        InvalidRequestError("A parameter is not what this route takes.", errors), request_id_of(request)
    )


async def _answer_http_exception(request: Request, error: Exception) -> Response:
    """What the framework itself refuses: a path or a method that nothing serves."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        return problem_response(NoSuchRouteError(), request_id_of(request))
    if status == 405:
        return problem_response(MethodNotAllowedError(_allowed(request.url.path)), request_id_of(request))
    return problem_response(error, request_id_of(request))


def _allowed(path: str) -> str:
    methods = {method for regex, methods in _METHODS if regex.match(path) for method in methods}
    return ", ".join(sorted(methods)) or "GET"


_METHODS: list[tuple[re.Pattern[str], set[str]]] = [
    (route.path_regex, route.methods or set())
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute)
]
