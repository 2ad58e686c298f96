"""Routes of the caller's credits."""

from fastapi import APIRouter

from agents_store.types import Entry
from server.credits.schemas import BalanceShown, EntryPage, EntryShown
from server.openapi import problems
from server.paging import cursor_of
from server.routing import Caller, Cursor, Limit, ProtectedRoute, Wired

router = APIRouter(route_class=ProtectedRoute, tags=["credits"])


@router.get("/credits", operation_id="show_credits", response_model=BalanceShown, responses=problems())
async def show_credits(caller: Caller, services: Wired) -> BalanceShown:
    """Your balance."""
    balance = await services.store.get_balance(caller)
    return BalanceShown(
        available_microcredits=balance.available_microcredits, held_microcredits=balance.held_microcredits
    )


@router.get(
    "/credits/entries",
    operation_id="list_credit_entries",
    response_model=EntryPage,
    responses=problems("invalid_cursor", "invalid_request"),
)
async def list_credit_entries(caller: Caller, services: Wired, limit: Limit = 50, cursor: Cursor = None) -> EntryPage:
    """Your ledger, newest first."""
    with cursor_of(cursor):
        page = await services.store.list_entries(caller, limit=limit, cursor=cursor)
    return EntryPage(items=[_shown(entry) for entry in page.items], next_cursor=page.next_cursor)


def _shown(entry: Entry) -> EntryShown:
    return EntryShown(
        id=entry.id,
        kind=entry.kind.value,
        amount_microcredits=entry.amount_microcredits,
        available_delta_microcredits=entry.available_delta_microcredits,
        held_delta_microcredits=entry.held_delta_microcredits,
        run_id=entry.run_id,
        generation_id=entry.generation_id,
        pricing=entry.pricing,
        created_at=entry.created_at,
    )
