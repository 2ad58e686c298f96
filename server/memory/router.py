"""Routes of an agent's memory."""

import base64
import binascii
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from agents_store.errors import UnknownAgentError
from agents_store.types import MEMORY_KEY_CHARS_MAX, MemoryEntry, Principal
from server.agents.names import is_agent_name
from server.bodies import read_object
from server.errors import InvalidCursorError, InvalidRequestError, UnknownMemoryError
from server.gloves.effect import EffectError
from server.gloves.memory import RunMemory
from server.memory.schemas import KeyShown, MemoryPage, MemoryShown, PutMemory
from server.openapi import body_of, problems
from server.routing import Caller, Cursor, Limit, ProtectedRoute, Wired
from server.services import Services
from server.validation import parse

BODY_BYTES_MAX = 128 * 1024

router = APIRouter(route_class=ProtectedRoute, tags=["memory"])


@router.get(
    "/agents/{agent_name}/memory",
    operation_id="list_memory",
    response_model=MemoryPage,
    responses=problems("invalid_cursor", "invalid_request", "unknown_agent"),
)
async def list_memory(
    agent_name: str,
    caller: Caller,
    services: Wired,
    prefix: Annotated[str, Query(max_length=MEMORY_KEY_CHARS_MAX, description="only keys that begin so")] = "",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> MemoryPage:
    """The keys under which one of your agents remembers something."""
    agent_id = await agent_id_of(services, caller, agent_name)
    after = "" if cursor is None else _key_in(cursor)
    if "\0" in prefix:
        return MemoryPage(items=[], next_cursor=None)
    found = await services.store.list_memory(caller, agent_id, prefix=prefix, after=after, limit=limit + 1)
    keys = found.keys[:limit]
    return MemoryPage(
        items=[KeyShown(key=key) for key in keys],
        next_cursor=_cursor_after(keys[-1]) if len(found.keys) > limit else None,
    )


@router.get(
    "/agents/{agent_name}/memory/{key:path}",
    operation_id="show_memory",
    response_model=MemoryShown,
    responses=problems("unknown_agent", "unknown_memory"),
)
async def show_memory(agent_name: str, key: str, caller: Caller, services: Wired) -> MemoryShown:
    """What one of your agents remembers under a key, which may have slashes."""
    agent_id = await agent_id_of(services, caller, agent_name)
    found = await services.store.get_memory(caller, agent_id, _known(key))
    if found is None:
        raise UnknownMemoryError
    return _shown(found)


@router.put(
    "/agents/{agent_name}/memory/{key:path}",
    operation_id="put_memory",
    response_model=MemoryShown,
    openapi_extra=body_of(PutMemory),
    responses=problems(
        "body_too_large", "body_too_slow", "invalid_request", "memory_full", "server_busy", "too_many_bytes",
        "unknown_agent", "unsupported_encoding",
    ),
)  # fmt: skip
async def put_memory(request: Request, agent_name: str, key: str, caller: Caller, services: Wired) -> MemoryShown:
    """Let one of your agents remember a value under a key, in place of what it had."""
    agent_id = await agent_id_of(services, caller, agent_name)
    asked = await parse(PutMemory, await read_object(request, BODY_BYTES_MAX))
    try:
        entry = await RunMemory(services.store, caller, agent_id, services.fitting.embedder).entry(
            {"key": key, **asked.model_dump()}
        )
    except EffectError as exc:
        raise InvalidRequestError(exc.message) from exc
    return _shown(await services.store.put_memory(caller, agent_id, entry))


@router.delete(
    "/agents/{agent_name}/memory/{key:path}",
    operation_id="delete_memory",
    status_code=204,
    responses=problems("unknown_agent", "unknown_memory"),
)
async def delete_memory(agent_name: str, key: str, caller: Caller, services: Wired) -> Response:
    """Let one of your agents forget a key."""
    agent_id = await agent_id_of(services, caller, agent_name)
    if not await services.store.delete_memory(caller, agent_id, _known(key)):
        raise UnknownMemoryError
    return Response(status_code=204)


async def agent_id_of(services: Services, caller: Principal, agent_name: str) -> UUID:
    """The id of one of the caller's agents. Raises UnknownAgentError."""
    if not is_agent_name(agent_name):
        raise UnknownAgentError(agent_name)
    return (await services.agents.show(caller, agent_name)).agent.id


def _known(key: str) -> str:
    """A key that may be there. Raises UnknownMemoryError."""
    if not 1 <= len(key) <= MEMORY_KEY_CHARS_MAX or "\0" in key:
        raise UnknownMemoryError
    return key


def _shown(entry: MemoryEntry) -> MemoryShown:
    return MemoryShown(
        key=entry.key,
        value=entry.value,
        tags=entry.tags,
        importance=entry.importance,
        revision=entry.revision,
        updated_at=entry.updated_at,
    )


def _cursor_after(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _key_in(cursor: str) -> str:
    try:
        key = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as exc:
        raise InvalidCursorError from exc
    if not key or len(key) > MEMORY_KEY_CHARS_MAX or "\0" in key or _cursor_after(key) != cursor:
        raise InvalidCursorError
    return key
