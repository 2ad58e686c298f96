"""Routes of an agent's secrets."""

import re
from dataclasses import asdict

from fastapi import APIRouter, Request, Response

from agents_store.errors import UnknownSecretError
from server.bodies import read_object
from server.errors import InvalidRequestError
from server.gloves.hosts import HostError
from server.gloves.secret_box import SECRET_BYTES_MAX
from server.memory.router import agent_id_of
from server.openapi import body_of, problems
from server.routing import Caller, ProtectedRoute, Wired
from server.secrets.schemas import PutSecret, SecretPage, SecretShown
from server.validation import parse

BODY_BYTES_MAX = 64 * 1024

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", re.ASCII)

router = APIRouter(route_class=ProtectedRoute, tags=["secrets"])


@router.get(
    "/agents/{agent_name}/secrets",
    operation_id="list_secrets",
    response_model=SecretPage,
    responses=problems("unknown_agent"),
)
async def list_secrets(agent_name: str, caller: Caller, services: Wired) -> SecretPage:
    """The names of an agent's secrets, and where each may be sent to."""
    agent_id = await agent_id_of(services, caller, agent_name)
    found = await services.store.list_secrets(caller, agent_id)
    return SecretPage(items=[SecretShown(**asdict(secret)) for secret in found])


@router.put(
    "/agents/{agent_name}/secrets/{name}",
    operation_id="put_secret",
    response_model=SecretShown,
    openapi_extra=body_of(PutSecret),
    responses=problems(
        "body_too_large", "body_too_slow", "invalid_request", "secrets_unavailable", "server_busy", "too_many_bytes",
        "too_many_secrets", "unknown_agent", "unsupported_encoding",
    ),
)  # fmt: skip
async def put_secret(request: Request, agent_name: str, name: str, caller: Caller, services: Wired) -> SecretShown:
    """Give an agent a secret, in place of one of the same name. It is sent to its hosts, and shown to nobody."""
    agent_id = await agent_id_of(services, caller, agent_name)
    if not _NAME.fullmatch(name):
        raise InvalidRequestError("A secret's name has 1 to 64 letters, digits, _ and -, and begins with no digit.")
    asked = await parse(PutSecret, await read_object(request, BODY_BYTES_MAX))
    value = asked.value.get_secret_value()
    if not _is_storable(value):
        place = {"path": "/value", "message": f"must be text of at most {SECRET_BYTES_MAX} bytes"}
        raise InvalidRequestError("The value cannot be kept.", [place])
    try:
        stored = await services.fitting.vault.put(caller, agent_id, name, value, asked.hosts)
    except HostError as exc:
        raise InvalidRequestError("A host is none.", [{"path": "/hosts", "message": str(exc)}]) from exc
    return SecretShown(**asdict(stored))


@router.delete(
    "/agents/{agent_name}/secrets/{name}",
    operation_id="delete_secret",
    status_code=204,
    responses=problems("unknown_agent", "unknown_secret"),
)
async def delete_secret(agent_name: str, name: str, caller: Caller, services: Wired) -> Response:
    """Take a secret from an agent."""
    agent_id = await agent_id_of(services, caller, agent_name)
    if not _NAME.fullmatch(name):
        raise UnknownSecretError(name)
    await services.store.delete_secret(caller, agent_id, name)
    return Response(status_code=204)


def _is_storable(value: str) -> bool:
    try:
        return len(value.encode()) <= SECRET_BYTES_MAX
    except UnicodeEncodeError:
        return False
