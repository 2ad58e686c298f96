"""Balances and the ledger."""

from psycopg.types.numeric import Int8

from agents_store.postgres.connection import Role, acting_as, claims_of
from agents_store.postgres.cursors import decode_cursor
from agents_store.postgres.database import Database, execute, the, to_page
from agents_store.postgres.rows import to_entry
from agents_store.types import Balance, Entry, Page, Principal

_AFTER_EVERY_ENTRY = 2**63 - 1


class CreditRoom(Database):
    """The part of the store that keeps credits."""

    async def get_balance(self, principal: Principal) -> Balance:
        """The caller's account, made with its first grant when seen first."""
        async with self.connection() as conn:
            async with acting_as(conn, Role.USER, claims_of(principal.user_id)):
                await execute(conn, "ensure_account", {})
                found = await execute(conn, "get_balance", {})
            return Balance(**the(await found.fetchone()))

    async def list_entries(self, principal: Principal, *, limit: int, cursor: str | None) -> Page[Entry]:
        """The caller's ledger, newest first.

        Raises:
            ValueError: `cursor` is none of this method, or `limit` is not 1 to 1,000.
        """
        before = _AFTER_EVERY_ENTRY if cursor is None else decode_cursor("entries", cursor)
        rows = await self.page(principal, "list_entries", limit, {"before": Int8(before)})
        return to_page("entries", rows, limit, to_entry)
