"""API keys: stored as hashes, listed without them, found by them, revoked."""

from collections.abc import Sequence
from uuid import UUID

from psycopg.errors import CheckViolation
from psycopg.types.numeric import Int4
from uuid_utils.compat import uuid7

from agents_store.errors import TooManyApiKeysError, UnknownApiKeyError
from agents_store.postgres.connection import Role, acting_as, claims_of
from agents_store.postgres.cursors import decode_cursor
from agents_store.postgres.database import AFTER_EVERY_UUID, Database, execute, the, to_page
from agents_store.postgres.queries import query
from agents_store.postgres.rows import to_api_key
from agents_store.types import API_KEYS_LIVE_MAX, ApiKey, ApiKeyOwner, NewApiKey, Page, Principal


class ApiKeyRoom(Database):
    """The part of the store that keeps API keys."""

    async def create_api_key(self, principal: Principal, key: NewApiKey) -> ApiKey:
        """Store a new key.

        Raises:
            TooManyApiKeysError: the caller has `API_KEYS_LIVE_MAX` live keys; nothing was stored.
            ValueError: a name or a hash that the schema refuses, or a hash that is stored already.
        """
        params = {
            "id": uuid7(),
            "user_id": principal.user_id,
            "name": key.name,
            "key_hash": key.key_hash,
            "prefix": key.prefix,
            "last4": key.last4,
            "expires_in_days": None if key.expires_in_days is None else Int4(key.expires_in_days),
        }
        async with self.connection() as conn:
            try:
                async with acting_as(conn, Role.USER, claims_of(principal.user_id)):
                    stored = await execute(conn, "insert_api_key", params)
            except CheckViolation as exc:
                if exc.diag.constraint_name == "api_keys_live_bounded":
                    raise TooManyApiKeysError(API_KEYS_LIVE_MAX) from exc
                raise
            return to_api_key(the(await stored.fetchone()))

    async def list_api_keys(self, principal: Principal, *, limit: int, cursor: str | None) -> Page[ApiKey]:
        """The caller's keys, revoked ones too, newest first.

        Raises:
            ValueError: `cursor` is none of this method, or `limit` is not 1 to 1,000.
        """
        before = UUID(int=AFTER_EVERY_UUID if cursor is None else decode_cursor("api_keys", cursor))
        rows = await self.page(principal, "list_api_keys", limit, {"before": before})
        return to_page("api_keys", rows, limit, to_api_key)

    async def revoke_api_key(self, principal: Principal, api_key_id: UUID) -> None:
        """End a key for good; revoking it again changes nothing. Raises UnknownApiKeyError."""
        if not await self.as_user(principal, "revoke_api_key", {"id": api_key_id}):
            raise UnknownApiKeyError(f"no API key {api_key_id}")

    async def find_api_key(self, key_hash: bytes) -> ApiKeyOwner | None:
        """Whom the live key of this SHA-256 stands for, None when there is none. Acts for nobody."""
        async with self.connection() as conn:
            found = await (await conn.execute(query("find_api_key"), {"key_hash": key_hash})).fetchone()
        return None if found is None else ApiKeyOwner(*found)

    async def touch_api_keys(self, api_key_ids: Sequence[UUID]) -> None:
        """Note that these keys were used just now; a key that was noted within a minute is left alone."""
        await self.as_login("touch_api_keys", {"ids": list(api_key_ids)})
