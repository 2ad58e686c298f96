"""Routes of stored and live runs."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import AwareDatetime

from agents_store.errors import UnknownRunError
from agents_store.types import RunFilter, RunState
from sandbox.types import Outcome
from server.agents.names import is_agent_name
from server.errors import InvalidCursorError
from server.openapi import problems
from server.paging import cursor_of
from server.routing import Caller, Cursor, Limit, ProtectedRoute, Wired
from server.runs.schemas import LogLineShown, LogPage, RunPage, RunShown
from server.runs.shown import shown, shown_whole
from server.runs.stream import EventStream, wants_stream

router = APIRouter(route_class=ProtectedRoute, tags=["runs"])

SEQ_MAX = 2**31 - 1
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A page of lines. As text/event-stream: an event `log` for each line, its seq as id, and at "
        "last `done` (state, outcome, reason, charge_microcredits), or `interrupted` (reason): go on by Last-Event-ID.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


@router.get(
    "/runs", operation_id="list_runs", response_model=RunPage, responses=problems("invalid_cursor", "invalid_request")
)
async def list_runs(
    caller: Caller,
    services: Wired,
    agent_name: Annotated[str | None, Query(description="only runs of agents of this name")] = None,
    state: Annotated[RunState | None, Query(description="only runs in this state")] = None,
    outcome: Annotated[Outcome | None, Query(description="only runs with this outcome")] = None,
    test: Annotated[bool | None, Query(description="true: only dry runs; false: only live ones")] = None,
    created_after: Annotated[AwareDatetime | None, Query(description="only runs created later")] = None,
    created_before: Annotated[AwareDatetime | None, Query(description="only runs created earlier")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> RunPage:
    """Your runs that are all of what you ask for, newest first, without inputs and results."""
    if agent_name is not None and not is_agent_name(agent_name):
        return RunPage(items=[], next_cursor=None)
    wanted = RunFilter(state, None if outcome is None else outcome.value, test, created_after, created_before)
    with cursor_of(cursor):
        page = await services.store.list_runs(caller, agent_name=agent_name, wanted=wanted, limit=limit, cursor=cursor)
    return RunPage(items=[shown(run) for run in page.items], next_cursor=page.next_cursor)


@router.get("/runs/{run_id}", operation_id="show_run", response_model=RunShown, responses=problems("unknown_run"))
async def show_run(run_id: str, caller: Caller, services: Wired) -> Response:
    """One of your runs."""
    run = await services.store.get_run(caller, run_id_of(run_id))
    return Response(shown_whole(run), media_type="application/json")


@router.post(
    "/runs/{run_id}/cancel",
    operation_id="cancel_run",
    status_code=202,
    response_model=RunShown,
    responses=problems("run_finished", "unknown_run"),
)
async def cancel_run(run_id: str, caller: Caller, services: Wired) -> Response:
    """Ask for the end of a live run, whichever server executes it; it ends `cancelled` within moments.

    What it used until then is charged. The run is shown as it is now.
    """
    known = run_id_of(run_id)
    await services.store.request_cancel(caller, known)
    services.live.cancel(known)
    return Response(shown_whole(await services.store.get_run(caller, known)), 202, media_type="application/json")


@router.get(
    "/runs/{run_id}/logs",
    operation_id="show_run_logs",
    response_model=LogPage,
    responses={**_STREAM, **problems("invalid_cursor", "invalid_request", "too_many_streams", "unknown_run")},
)
async def show_run_logs(
    request: Request,
    run_id: str,
    caller: Caller,
    services: Wired,
    limit: Limit = 50,
    cursor: Cursor = None,
    after_seq: Annotated[int | None, Query(ge=0, le=SEQ_MAX, description="only lines after this one")] = None,
    last_event_id: Annotated[str | None, Header(description="the last line that a stream told")] = None,
) -> Response | LogPage:
    """The log lines of one of your runs, oldest first, also while it lives; by `Accept: text/event-stream` followed."""
    known, after = run_id_of(run_id), after_seq_of(cursor, after_seq)
    if wants_stream(request):
        after = max(after, after_seq_of(last_event_id, None))
        tail = await services.store.read_tail(caller, known, after_seq=after)
        services.followers.open_stream(caller.user_id)
        return EventStream(
            services.following.events(caller, known, after, tail),
            stall_s=services.settings.stream_stall_ms_max / 1000,
            ended=lambda: services.followers.close_stream(caller.user_id),
        )
    records = await services.store.get_logs(caller, known, after_seq=after, limit=limit + 1)
    items = [
        LogLineShown(seq=record.seq, at_ms=record.at_ms, message=record.message, fields=record.fields)
        for record in records[:limit]
    ]
    return LogPage(items=items, next_cursor=str(items[-1].seq) if len(records) > limit else None)


def run_id_of(text: str) -> UUID:
    """A run's id. Raises UnknownRunError."""
    try:
        return UUID(text)
    except ValueError as exc:
        raise UnknownRunError from exc


def after_seq_of(cursor: str | None, after_seq: int | None) -> int:
    """After which number a page begins. Raises InvalidCursorError."""
    if cursor is None:
        return after_seq or 0
    if not (cursor.isascii() and cursor.isdigit()) or len(cursor) > len(str(SEQ_MAX)) or int(cursor) > SEQ_MAX:
        raise InvalidCursorError
    return max(int(cursor), after_seq or 0)
