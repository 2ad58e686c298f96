"""Routes of what runs asked of their gloves: effects and files, dry runs carried out, runs repeated from the record."""

from dataclasses import asdict
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Response

from agents_store.errors import UnknownFileError
from server.gloves.files import is_file_name
from server.gloves.replay import Divergence
from server.gloves.shown import shown_effect
from server.invocations.live_log import records_of
from server.openapi import problems
from server.routing import Caller, Cursor, Limit, ProtectedRoute, Wired
from server.runs.router import SEQ_MAX, after_seq_of, run_id_of
from server.runs.schemas import (
    AppliedShown,
    DivergenceShown,
    EffectPage,
    EffectShown,
    FilePage,
    FileShown,
    LogLineShown,
    ReplayedShown,
    UsageShown,
)

router = APIRouter(route_class=ProtectedRoute, tags=["runs"])

_FILE: dict[int | str, dict[str, object]] = {
    200: {
        "description": "The file's bytes, always as an attachment.",
        "headers": {"Content-Disposition": {"description": "its name", "schema": {"type": "string"}}},
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get(
    "/runs/{run_id}/effects",
    operation_id="show_run_effects",
    response_model=EffectPage,
    responses=problems("invalid_cursor", "invalid_request", "unknown_run"),
)
async def show_run_effects(
    run_id: str,
    caller: Caller,
    services: Wired,
    limit: Limit = 50,
    cursor: Cursor = None,
    after_seq: Annotated[int | None, Query(ge=0, le=SEQ_MAX, description="only effects after this one")] = None,
) -> EffectPage:
    """What one of your runs asked of its gloves, in order; while it lives, only what was noted before it was tried."""
    found = await services.store.list_effects(
        caller, run_id_of(run_id), after_seq=after_seq_of(cursor, after_seq), limit=limit + 1
    )
    items = [EffectShown.model_validate(shown_effect(effect)) for effect in found[:limit]]
    return EffectPage(items=items, next_cursor=str(items[-1].seq) if len(found) > limit else None)


@router.get(
    "/runs/{run_id}/files",
    operation_id="list_run_files",
    response_model=FilePage,
    responses=problems("unknown_run"),
)
async def list_run_files(run_id: str, caller: Caller, services: Wired) -> FilePage:
    """The files that one of your runs left."""
    found = await services.store.list_files(caller, run_id_of(run_id))
    return FilePage(
        items=[
            FileShown(
                name=file.name,
                media_type=file.media_type,
                size_bytes=file.size_bytes,
                sha256=file.sha256,
                url=f"/runs/{run_id}/files/{quote(file.name)}",
                created_at=file.created_at,
            )
            for file in found
        ]
    )


@router.get(
    "/runs/{run_id}/files/{name}",
    operation_id="get_run_file",
    response_class=Response,
    responses={**_FILE, **problems("unknown_file", "unknown_run")},
)
async def get_run_file(run_id: str, name: str, caller: Caller, services: Wired) -> Response:
    """A file that one of your runs left. Its media type is the agent's word: browsers are told to save it."""
    known = run_id_of(run_id)
    if not is_file_name(name):
        await services.store.get_run(caller, known)
        raise UnknownFileError
    file = await services.store.get_file(caller, known, name)
    content = await services.fitting.files.read(file)
    return Response(
        content,
        headers={
            "Content-Type": file.media_type,
            "Content-Disposition": f"attachment; filename=\"{file.name}\"; filename*=UTF-8''{quote(file.name)}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "private, no-store",
        },
    )


@router.post(
    "/runs/{run_id}/apply",
    operation_id="apply_run",
    response_model=AppliedShown,
    responses=problems(
        "apply_live", "insufficient_credits", "lost", "not_applicable", "server_busy", "shutting_down", "too_many_runs",
        "unknown_run",
    ),
)  # fmt: skip
async def apply_run(response: Response, run_id: str, caller: Caller, services: Wired) -> AppliedShown:
    """Carry out what one of your dry runs listed, in order, each effect at most once; held and charged like a run.

    Each request carries `Idempotency-Key: <run>:<seq>`. An effect that may have been carried out or not is `unknown`,
    and never tried again; applying again goes on behind it.
    """
    known = run_id_of(run_id)
    applied = await services.live.carry(services.applying.apply(caller, known))
    if applied.run_id is not None:
        response.headers["Glovebox-Run-Id"] = str(applied.run_id)
    response.headers["Glovebox-Charge"] = str(applied.charge_microcredits)
    return AppliedShown(
        run_id=applied.run_id,
        applied_run_id=known,
        complete=not applied.left,
        left=applied.left,
        effects=[EffectShown.model_validate(shown_effect(effect)) for effect in applied.effects],
        charge_microcredits=applied.charge_microcredits,
    )


@router.post(
    "/runs/{run_id}/replay",
    operation_id="replay_run",
    response_model=ReplayedShown,
    responses=problems(
        "lost", "not_replayable", "sandbox_busy", "server_busy", "shutting_down", "tier_unavailable",
        "too_many_dry_runs", "too_many_runs", "unknown_run",
    ),
)  # fmt: skip
async def replay_run(run_id: str, caller: Caller, services: Wired) -> ReplayedShown:
    """Run one of your runs again from its record: seed, clock and what its gloves answered. Nothing is performed.

    It costs nothing and counts as a dry run. A run that used the kernel's randomness cannot be repeated.
    """
    replayed = await services.live.carry(services.replaying.replay(caller, run_id_of(run_id)))
    result, divergence = replayed.result, replayed.divergence
    return ReplayedShown(
        run_id=replayed.run.id,
        same=replayed.same,
        outcome=result.outcome.value,
        complete=result.complete,
        result=result.value,
        error=None if result.error is None else asdict(result.error),
        divergence=None if divergence is None else _shown_divergence(divergence),
        logs=[LogLineShown(**asdict(record)) for record in records_of(result.logs)],
        usage=UsageShown(**asdict(result.usage)),
    )


def _shown_divergence(divergence: Divergence) -> DivergenceShown:
    recorded = divergence.recorded
    return DivergenceShown(
        seq=divergence.seq,
        glove=divergence.glove,
        request=divergence.request,
        recorded=None if recorded is None else EffectShown.model_validate(shown_effect(recorded)),
    )
