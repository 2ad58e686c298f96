"""Routes of an agent's versions, and of the check of its examples."""

from fastapi import APIRouter, Request, Response

from agents_store.errors import UnknownVersionError
from agents_store.types import Version
from server.agents.example_runs import check_examples
from server.agents.preconditions import etag_of, read_if_match
from server.agents.router import IF_MATCH
from server.agents.schemas import AgentShown, CheckReport, VersionPage, VersionShown, VersionSummary
from server.agents.shown import show_detail
from server.openapi import problems
from server.paging import cursor_of
from server.routing import Caller, Cursor, Limit, ProtectedRoute, Wired

router = APIRouter(route_class=ProtectedRoute, tags=["agents"])

VERSION_DIGITS_MAX = 10


@router.get(
    "/agents/{agent_name}/versions",
    operation_id="list_versions",
    response_model=VersionPage,
    responses=problems("invalid_cursor", "invalid_request", "unknown_agent"),
)
async def list_versions(
    agent_name: str, caller: Caller, services: Wired, limit: Limit = 50, cursor: Cursor = None
) -> VersionPage:
    """The versions of one of your agents, newest first, without code and contract."""
    with cursor_of(cursor):
        page = await services.agents.versions(caller, agent_name, limit=limit, cursor=cursor)
    items = [VersionSummary.model_validate(_fields(version)) for version in page.items]
    return VersionPage(items=items, next_cursor=page.next_cursor)


@router.get(
    "/agents/{agent_name}/versions/{version}",
    operation_id="show_version",
    response_model=VersionShown,
    responses=problems("unknown_agent", "unknown_version"),
)
async def show_version(agent_name: str, version: str, caller: Caller, services: Wired) -> VersionShown:
    """One version of one of your agents, with its code and contract. It never changes."""
    detail = await services.agents.version(caller, agent_name, _number(version))
    contents = detail.version
    return VersionShown.model_validate(
        {
            **_fields(detail.summary),
            "code": contents.code,
            "inputs_schema": contents.inputs_schema,
            "examples": contents.examples,
            "limits": contents.limits,
            "allowed_hosts": contents.allowed_hosts,
            "tier_reasons": contents.reasons or {},
        }
    )


@router.post(
    "/agents/{agent_name}/versions/{version}/activate",
    operation_id="activate_version",
    response_model=AgentShown,
    openapi_extra=IF_MATCH,
    responses=problems(
        "invalid_request", "precondition_failed", "precondition_required", "unknown_agent", "unknown_version"
    ),
)
async def activate_version(
    request: Request, response: Response, agent_name: str, version: str, caller: Caller, services: Wired
) -> AgentShown:
    """Make a version the one that the agent's URL runs: roll back, or forth again. Runs that began go on as begun."""
    detail = await services.agents.activate(caller, agent_name, _number(version), read_if_match(request))
    response.headers["ETag"] = etag_of(detail.agent)
    return show_detail(request, services, detail)


@router.post(
    "/agents/{agent_name}/check",
    operation_id="check_agent",
    response_model=CheckReport,
    responses=problems(
        "server_busy", "shutting_down", "too_many_dry_runs", "too_many_runs", "unknown_agent", "version_moved"
    ),
)
async def check_agent(request: Request, agent_name: str, caller: Caller, services: Wired) -> CheckReport:
    """Run the current version's examples as dry runs, one after another, and compare. Nothing is charged."""
    return await check_examples(services, caller, agent_name, request)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > VERSION_DIGITS_MAX:
        raise UnknownVersionError(f"{text!r} is no version")
    return int(text)


def _fields(version: Version) -> dict[str, object]:
    return {
        "version": version.version,
        "created_at": version.created_at,
        "asked_tier": version.asked_tier,
        "tier": version.tier,
        "code_sha256": version.code_sha256,
        "current": version.current,
    }
