"""Routes of the caller's API keys."""

from dataclasses import asdict
from uuid import UUID

from fastapi import APIRouter, Request, Response

from agents_store.errors import UnknownApiKeyError
from agents_store.types import NewApiKey
from server.api_keys.schemas import ApiKeyMade, ApiKeyPage, ApiKeyShown, CreateApiKey
from server.auth.api_key import mint_key
from server.bodies import read_object
from server.openapi import body_of, problems
from server.paging import cursor_of
from server.routing import Caller, Cursor, Limit, ProtectedRoute, TokenCaller, Wired
from server.validation import parse

BODY_BYTES_MAX = 4 * 1024

router = APIRouter(route_class=ProtectedRoute, tags=["api keys"])


@router.post(
    "/api-keys",
    operation_id="create_api_key",
    status_code=201,
    response_model=ApiKeyMade,
    openapi_extra=body_of(CreateApiKey),
    responses=problems(
        "body_too_large", "body_too_slow", "invalid_request", "server_busy", "token_required", "too_many_api_keys",
        "too_many_bytes", "unsupported_encoding",
    ),
)  # fmt: skip
async def create_api_key(request: Request, caller: TokenCaller, services: Wired) -> ApiKeyMade:
    """Make an API key for programs of yours. The answer is the only place that ever shows it."""
    asked = await parse(CreateApiKey, await read_object(request, BODY_BYTES_MAX))
    minted = mint_key()
    new = NewApiKey(asked.name, minted.key_hash, minted.prefix, minted.last4, asked.expires_in_days)
    return ApiKeyMade(key=minted.text, **asdict(await services.store.create_api_key(caller, new)))


@router.get(
    "/api-keys",
    operation_id="list_api_keys",
    response_model=ApiKeyPage,
    responses=problems("invalid_cursor", "invalid_request"),
)
async def list_api_keys(caller: Caller, services: Wired, limit: Limit = 50, cursor: Cursor = None) -> ApiKeyPage:
    """Your API keys, revoked ones too, newest first; what they are used by is not shown."""
    with cursor_of(cursor):
        page = await services.store.list_api_keys(caller, limit=limit, cursor=cursor)
    return ApiKeyPage(items=[ApiKeyShown(**asdict(key)) for key in page.items], next_cursor=page.next_cursor)


@router.delete(
    "/api-keys/{api_key_id}",
    operation_id="revoke_api_key",
    status_code=204,
    responses=problems("token_required", "unknown_api_key"),
)
async def revoke_api_key(api_key_id: str, caller: TokenCaller, services: Wired) -> Response:
    """Revoke a key: within 5 seconds no server takes it any more. It stays listed."""
    key_id = _api_key_id(api_key_id)
    await services.store.revoke_api_key(caller, key_id)
    services.callers.api_keys.forget(key_id)
    return Response(status_code=204)


def _api_key_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as exc:
        raise UnknownApiKeyError from exc
