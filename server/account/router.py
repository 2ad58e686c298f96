"""Routes of the caller's account as a whole."""

from contextlib import AbstractContextManager
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response

from server.account.export import MEDIA_TYPE, ExportResponse
from server.account.files import with_files
from server.account.schemas import AccountShown
from server.errors import InvalidRequestError
from server.openapi import problems
from server.routing import Caller, ProtectedRoute, TokenCaller, Wired

router = APIRouter(route_class=ProtectedRoute, tags=["account"])

_EXPORTED: dict[str, Any] = {
    "description": "JSON Lines. The `type` of each object tells what it is, in this order: `account`, `agent`, "
    "`version`, `run`, `log`, `effect`, `file` (its bytes in base64), `memory`, `secret` (without its value), "
    "`generation`, `entry`, and at last one `end`, without which the export is not whole.",
    "headers": {"Content-Disposition": {"description": "a file name", "schema": {"type": "string"}}},
    "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
}


@router.get("/account", operation_id="show_account", response_model=AccountShown, responses=problems())
async def show_account(caller: Caller) -> AccountShown:
    """Who you are: what your agents' URLs name."""
    return AccountShown(user_id=caller.user_id)


@router.get(
    "/account/export",
    operation_id="export_account",
    status_code=200,
    response_class=ExportResponse,
    responses={200: _EXPORTED, **problems("shutting_down", "too_many_runs")},
)
async def export_account(caller: Caller, services: Wired) -> Response:
    """Everything that is stored of you: agents, code, runs with logs, effects and files, memory, ledger and balance.

    It counts as a dry run while it goes on; a reader that takes nothing for 30 s is dropped.
    """
    slot: AbstractContextManager[None] = services.admission.call(caller.user_id, dry=True)
    slot.__enter__()
    return ExportResponse(caller.user_id, with_files(services.store.export_account(caller), services, caller), slot)


@router.delete(
    "/account",
    operation_id="erase_account",
    status_code=204,
    responses=problems("invalid_request", "runs_live", "token_required"),
)
async def erase_account(
    caller: TokenCaller,
    services: Wired,
    confirm: Annotated[
        str, Header(alias="Glovebox-Confirm", description="your user id, so that nobody erases by accident")
    ] = "",
) -> Response:
    """Erase your account for good: agents, runs, memory, secrets, files, API keys, ledger and what is left of credits.

    Refused while runs are live. Only that you had your first grant is remembered: there is no second one.
    """
    if confirm != str(caller.user_id):
        place = {"path": "header/Glovebox-Confirm", "message": "must be your user id"}
        raise InvalidRequestError("Erasing wants your user id in the header Glovebox-Confirm.", [place])
    await services.live.carry(services.store.erase_account(caller))
    services.live.start(services.fitting.files.sweep_soon())
    return Response(status_code=204)
