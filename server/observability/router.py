"""`GET /metrics` for Prometheus: with the operator's token or, where none is set, from this machine alone."""

import hmac
from ipaddress import IPv6Address, ip_address

from fastapi import APIRouter
from prometheus_client.exposition import choose_encoder
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response

from server.auth.errors import Reason, UnauthenticatedError
from server.errors import NoSuchRouteError
from server.routing import PlainRoute, authorization_of, services_of

# What says that somebody passed the request on: the peer is then not who asks, whoever it is.
FORWARDING_HEADERS = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")

# Not in the OpenAPI document: it is the operator's, no client's.
router = APIRouter(route_class=PlainRoute, include_in_schema=False)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """The metrics of this process, in the format that the Accept header asks for."""
    services = services_of(request)
    admit(request, services.settings.metrics_token)
    encode, media_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(services.metrics.registry), media_type=media_type)


def admit(request: Request, token: SecretStr | None) -> None:
    """Let a scrape pass.

    Raises:
        UnauthenticatedError: a token is set, and this is not it.
        NoSuchRouteError: none is set, and the request may come from elsewhere.
    """
    if token is not None:
        given = (authorization_of(request) or "").encode()
        if not hmac.compare_digest(given, f"Bearer {token.get_secret_value()}".encode()):
            raise UnauthenticatedError(Reason.MISSING if not given else Reason.SIGNATURE)
    elif not _is_local(request):
        raise NoSuchRouteError


def _is_local(request: Request) -> bool:
    if request.client is None or any(name in request.headers for name in FORWARDING_HEADERS):
        return False
    try:
        address = ip_address(request.client.host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
