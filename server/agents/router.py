"""Routes of the caller's agents."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from agents_store.types import Agent, AgentDetail
from server.agents.preconditions import etag_of, is_known_to_caller, read_if_match
from server.agents.schemas import AgentPage, AgentShown, AgentSummary, CreateAgent, EditAgent
from server.bodies import read_object
from server.openapi import body_of, problems
from server.paging import cursor_of
from server.routing import Caller, Cursor, Limit, ProtectedRoute, Wired
from server.services import Services
from server.validation import parse

router = APIRouter(route_class=ProtectedRoute, tags=["agents"])

IF_MATCH: dict[str, Any] = {
    "parameters": [
        {
            "name": "If-Match",
            "in": "header",
            "required": True,
            "description": "the ETag of the agent as you saw it, or `*` for whatever it is now",
            "schema": {"type": "string"},
        }
    ]
}
IF_NONE_MATCH: dict[str, Any] = {
    "parameters": [
        {
            "name": "If-None-Match",
            "in": "header",
            "required": False,
            "description": "the ETag of the agent that you have",
            "schema": {"type": "string"},
        }
    ]
}


@router.post(
    "/agents",
    operation_id="create_agent",
    status_code=201,
    response_model=AgentShown,
    openapi_extra=body_of(CreateAgent),
    responses=problems(
        "agent_exists", "body_too_large", "body_too_slow", "code_rejected", "invalid_request", "lost", "sandbox_busy",
        "server_busy", "shutting_down", "tier_unavailable", "too_many_bytes", "too_many_runs", "unsupported_encoding",
    ),
)  # fmt: skip
async def create_agent(request: Request, response: Response, caller: Caller, services: Wired) -> AgentShown:
    """Create an agent from code. The code is checked in a sandbox, not run; its URL is in the answer."""

    async def read() -> CreateAgent:
        return await parse(CreateAgent, await read_object(request))

    detail = await services.agents.create(caller, read)
    response.headers["Location"] = f"/agents/{detail.agent.agent_name}"
    response.headers["ETag"] = etag_of(detail.agent)
    return show_detail(request, services, detail)


@router.get(
    "/agents",
    operation_id="list_agents",
    response_model=AgentPage,
    responses=problems("invalid_cursor", "invalid_request"),
)
async def list_agents(
    request: Request,
    caller: Caller,
    services: Wired,
    name: Annotated[str | None, Query(description="only the agent of this name")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AgentPage:
    """Your agents, newest first."""
    with cursor_of(cursor):
        page = await services.agents.list(caller, agent_name=name, limit=limit, cursor=cursor)
    base = _base(request, services)
    return AgentPage(items=[_summary(base, agent) for agent in page.items], next_cursor=page.next_cursor)


@router.get(
    "/agents/{agent_name}",
    operation_id="show_agent",
    response_model=AgentShown,
    openapi_extra=IF_NONE_MATCH,
    responses={304: {"description": "As `If-None-Match` names it."}, **problems("invalid_request", "unknown_agent")},
)
async def show_agent(
    request: Request, response: Response, agent_name: str, caller: Caller, services: Wired
) -> AgentShown | Response:
    """One of your agents, with its current version's code and contract. Its ETag is for `If-Match`."""
    detail = await services.agents.show(caller, agent_name)
    headers = {"ETag": etag_of(detail.agent), "Cache-Control": "private, no-cache"}
    if is_known_to_caller(request, detail.agent):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return show_detail(request, services, detail)


@router.patch(
    "/agents/{agent_name}",
    operation_id="edit_agent",
    response_model=AgentShown,
    openapi_extra={**body_of(EditAgent), **IF_MATCH},
    responses=problems(
        "body_too_large", "body_too_slow", "code_rejected", "invalid_request", "lost", "precondition_failed",
        "precondition_required", "sandbox_busy", "server_busy", "shutting_down", "tier_unavailable", "too_many_bytes",
        "too_many_runs", "unknown_agent", "unsupported_encoding",
    ),
)  # fmt: skip
async def edit_agent(
    request: Request, response: Response, agent_name: str, caller: Caller, services: Wired
) -> AgentShown:
    """Change one of your agents. What is not named stays; code and contract make a new version, checked, not run."""

    async def read() -> EditAgent:
        return await parse(EditAgent, await read_object(request))

    detail = await services.agents.edit(caller, agent_name, read_if_match(request), read)
    response.headers["ETag"] = etag_of(detail.agent)
    return show_detail(request, services, detail)


@router.delete(
    "/agents/{agent_name}", operation_id="delete_agent", status_code=204, responses=problems("unknown_agent")
)
async def delete_agent(agent_name: str, caller: Caller, services: Wired) -> Response:
    """Delete an agent: its name becomes free; its runs and what they cost stay."""
    await services.agents.delete(caller, agent_name)
    return Response(status_code=204)


def _base(request: Request, services: Services) -> str:
    return str(services.settings.public_url or request.base_url).rstrip("/")


def _fields(base: str, agent: Agent) -> dict[str, object]:
    return {
        "id": agent.id,
        "user_id": agent.user_id,
        "agent_name": agent.agent_name,
        "description": agent.description,
        "url": f"{base}/agents/{agent.user_id}/{agent.agent_name}",
        "tier": agent.tier,
        "version": agent.version,
        "revision": agent.revision,
        "status": agent.status.value,
        "created_at": agent.created_at,
        "updated_at": agent.updated_at,
    }


def _summary(base: str, agent: Agent) -> AgentSummary:
    return AgentSummary.model_validate(_fields(base, agent))


def show_detail(request: Request, services: Services, detail: AgentDetail) -> AgentShown:
    """An agent with its current version, as answers show it."""
    version = detail.version
    return AgentShown.model_validate(
        {
            **_fields(_base(request, services), detail.agent),
            "code": version.code,
            "inputs_schema": version.inputs_schema,
            "examples": version.examples,
            "limits": version.limits,
            "tier_reasons": version.reasons or {},
        }
    )
