"""Routes of generations: what a model was asked for, and changing an agent by instruction."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from agents_store.errors import UnknownGenerationError
from agents_store.generations import Generation
from server.bodies import read_object
from server.codegen.answering import PROBLEMS, STREAM, answer_generation, refuse_kept_stream, tokens_shown
from server.codegen.schemas import (
    GeneratedAgentShown,
    GenerationPage,
    GenerationShown,
    GenerationSummary,
    ReviseAgent,
)
from server.openapi import body_of, problems
from server.paging import cursor_of
from server.routing import Caller, Cursor, Limit, ProtectedRoute, Wired
from server.validation import parse

router = APIRouter(route_class=ProtectedRoute, tags=["generations"])


@router.post(
    "/agents/{agent_name}/revise",
    operation_id="revise_agent",
    response_model=GeneratedAgentShown,
    openapi_extra=body_of(ReviseAgent),
    responses={200: {"content": STREAM}, **problems(*PROBLEMS, "precondition_failed", "unknown_agent")},
)
async def revise_agent(request: Request, agent_name: str, caller: Caller, services: Wired) -> Response:
    """Have a model change one of your agents as you say. Its examples must still hold, but for those that may change.

    What passes becomes the current version; else nothing changes and the attempts are kept. By
    `Accept: text/event-stream` it tells how far it is.
    """
    refuse_kept_stream(request)
    asked = await parse(ReviseAgent, await read_object(request))
    going = await services.generations.revise(caller, agent_name, asked)
    return await answer_generation(request, services, going, 200)


@router.get(
    "/generations",
    operation_id="list_generations",
    response_model=GenerationPage,
    responses=problems("invalid_cursor", "invalid_request"),
)
async def list_generations(caller: Caller, services: Wired, limit: Limit = 50, cursor: Cursor = None) -> GenerationPage:
    """What you asked a model for, newest first."""
    with cursor_of(cursor):
        page = await services.store.list_generations(caller, limit=limit, cursor=cursor)
    items = [GenerationSummary.model_validate(_fields(generation)) for generation in page.items]
    return GenerationPage(items=items, next_cursor=page.next_cursor)


@router.get(
    "/generations/{generation_id}",
    operation_id="show_generation",
    response_model=GenerationShown,
    responses=problems("unknown_generation"),
)
async def show_generation(generation_id: str, caller: Caller, services: Wired) -> GenerationShown:
    """One generation with all its attempts: the drafts of one that failed are here, each with what was wrong."""
    try:
        known = UUID(generation_id)
    except ValueError as exc:
        raise UnknownGenerationError from exc
    generation = await services.store.get_generation(caller, known)
    return GenerationShown.model_validate({**_fields(generation), "attempts": generation.attempts or ()})


def _fields(generation: Generation) -> dict[str, object]:
    return {
        "id": generation.id,
        "kind": generation.kind.value,
        "agent_name": generation.agent_name,
        "request": generation.request,
        "state": generation.state.value,
        "reason": generation.reason,
        "model": generation.model,
        "prompt_version": generation.prompt_version,
        "hold_microcredits": generation.hold_microcredits,
        "charge_microcredits": generation.charge_microcredits,
        "usage": tokens_shown(generation.usage),
        "version": generation.version,
        "created_at": generation.created_at,
        "finished_at": generation.finished_at,
    }
