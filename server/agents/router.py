"""Routes of the caller's agents."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from server.agents.preconditions import etag_of, is_known_to_caller, read_if_match
from server.agents.schemas import AgentPage, AgentShown, CreateAgent, EditAgent
from server.agents.shown import base_of, show_detail, show_summary
from server.bodies import read_object
from server.codegen.answering import PROBLEMS, STREAM, answer_generation, refuse_kept_stream
from server.openapi import body_of, problems
from server.paging import cursor_of
from server.routing import Caller, Cursor, Limit, ProtectedRoute, Wired
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
    responses={201: {"content": STREAM}, **problems(*PROBLEMS, "agent_exists", "code_rejected")},
)
async def create_agent(request: Request, response: Response, caller: Caller, services: Wired) -> AgentShown | Response:
    """Create an agent; its URL is in the answer.

    From `code`, which is checked in a sandbox. Or from `description` alone: a model writes the code, which is checked
    and tried on examples, yours and its own, until all of them come out. By `Accept: text/event-stream` that tells how
    far it is.
    """
    body = await read_object(request)
    if body.get("code") is None:
        refuse_kept_stream(request)
        going = await services.generations.create(caller, await parse(CreateAgent, body))
        return await answer_generation(request, services, going, 201)

    async def read() -> CreateAgent:
        return await parse(CreateAgent, body)

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
    base = base_of(request, services)
    return AgentPage(items=[show_summary(base, agent) for agent in page.items], next_cursor=page.next_cursor)


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
