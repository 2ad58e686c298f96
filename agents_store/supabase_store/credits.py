"""Balances and the ledger on a project."""

from agents_store.postgres.cursors import decode_cursor
from agents_store.postgres.database import to_page
from agents_store.postgres.rows import to_entry
from agents_store.supabase_store.data_api import DataApi
from agents_store.types import Balance, Entry, Page, Principal

_ENTRY = (
    "id,kind,amount_microcredits,available_delta_microcredits,held_delta_microcredits,run_id,created_at,"
    "generation_id,pricing"
)


class CreditRoom(DataApi):
    """The part of the store that keeps credits."""

    async def get_balance(self, principal: Principal) -> Balance:
        """The caller's account, made with its first grant when seen first."""
        return Balance(**await self.call(principal, "get_balance", {}))

    async def list_entries(self, principal: Principal, *, limit: int, cursor: str | None) -> Page[Entry]:
        """The caller's ledger, newest first.

        Raises:
            ValueError: `cursor` is none of this method, or `limit` is not 1 to 1,000.
        """
        before = None if cursor is None else decode_cursor("entries", cursor)
        rows = await self.page(self.table(principal, "credit_entries").select(_ENTRY), limit, before=before)
        return to_page("entries", rows, limit, to_entry)
