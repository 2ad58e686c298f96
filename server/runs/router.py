"""Routes of stored runs."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from agents_store.errors import UnknownRunError
from agents_store.types import Run
from server.agents.names import is_agent_name
from server.errors import InvalidCursorError
from server.openapi import problems
from server.paging import cursor_of
from server.routing import Caller, Cursor, Limit, ProtectedRoute, Wired
from server.runs.schemas import LogLineShown, LogPage, RunPage, RunShown, UsageShown

router = APIRouter(route_class=ProtectedRoute, tags=["runs"])

SEQ_MAX = 2**31 - 1


@router.get(
    "/runs", operation_id="list_runs", response_model=RunPage, responses=problems("invalid_cursor", "invalid_request")
)
async def list_runs(
    caller: Caller,
    services: Wired,
    agent_name: Annotated[str | None, Query(description="only runs of agents of this name")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> RunPage:
    """Your runs, newest first, without inputs and results."""
    if agent_name is not None and not is_agent_name(agent_name):
        return RunPage(items=[], next_cursor=None)
    with cursor_of(cursor):
        page = await services.store.list_runs(caller, agent_name=agent_name, limit=limit, cursor=cursor)
    return RunPage(items=[_shown(run) for run in page.items], next_cursor=page.next_cursor)


@router.get("/runs/{run_id}", operation_id="show_run", response_model=RunShown, responses=problems("unknown_run"))
async def show_run(run_id: str, caller: Caller, services: Wired) -> Response:
    """One of your runs."""
    run = await services.store.get_run(caller, _run_id(run_id))
    return Response(_with_result(_shown(run), run.result_json), media_type="application/json")


@router.get(
    "/runs/{run_id}/logs",
    operation_id="show_run_logs",
    response_model=LogPage,
    responses=problems("invalid_cursor", "invalid_request", "unknown_run"),
)
async def show_run_logs(
    run_id: str, caller: Caller, services: Wired, limit: Limit = 50, cursor: Cursor = None
) -> LogPage:
    """The log lines of one of your runs, oldest first."""
    records = await services.store.get_logs(caller, _run_id(run_id), after_seq=_after_seq(cursor), limit=limit + 1)
    items = [
        LogLineShown(seq=record.seq, at_ms=record.at_ms, message=record.message, fields=record.fields)
        for record in records[:limit]
    ]
    return LogPage(items=items, next_cursor=str(items[-1].seq) if len(records) > limit else None)


def _run_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as exc:
        raise UnknownRunError from exc


def _after_seq(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit()) or len(cursor) > len(str(SEQ_MAX)) or int(cursor) > SEQ_MAX:
        raise InvalidCursorError
    return int(cursor)


def _shown(run: Run) -> RunShown:
    return RunShown(
        id=run.id,
        kind=run.kind,
        agent_name=run.agent_name,
        version=run.version,
        tier=run.tier,
        wall=run.wall,
        wall_missing=run.wall_missing,
        test=run.test,
        state=run.state.value,
        outcome=run.outcome,
        reason=run.reason,
        inputs=run.inputs,
        result=None,
        error=run.error,
        usage=_usage(run),
        charge_microcredits=run.charge_microcredits,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
    )


def _usage(run: Run) -> UsageShown | None:
    if run.finished_at is None:
        return None
    return UsageShown(
        wall_ms=run.wall_ms or 0,
        cpu_ms=run.cpu_ms or 0,
        peak_memory_bytes=run.peak_memory_bytes or 0,
        output_bytes=run.output_bytes or 0,
    )


def _with_result(shown: RunShown, result_json: str | None) -> str:
    """The run as JSON text with the agent's own text as its result, never read and written again."""
    rest = shown.model_dump_json(exclude={"result"})
    return f'{{"result":{result_json or "null"},{rest[1:]}'
