"""API keys on a project."""

from collections.abc import Sequence
from uuid import UUID

from uuid_utils.compat import uuid7

from agents_store.errors import TooManyApiKeysError, UnknownApiKeyError
from agents_store.postgres.cursors import decode_cursor
from agents_store.postgres.database import to_page
from agents_store.postgres.rows import to_api_key
from agents_store.supabase_store.data_api import DataApi, typed
from agents_store.supabase_store.translate import RefusedValueError
from agents_store.types import API_KEYS_LIVE_MAX, ApiKey, ApiKeyOwner, NewApiKey, Page, Principal

_API_KEY = "id,name,prefix,last4,created_at,expires_at,last_used_at,revoked_at"


class ApiKeyRoom(DataApi):
    """The part of the store that keeps API keys."""

    async def create_api_key(self, principal: Principal, key: NewApiKey) -> ApiKey:
        """Store a new key.

        Raises:
            TokenNeededError: a key could do nothing here.
            TooManyApiKeysError: the caller has `API_KEYS_LIVE_MAX` live keys; nothing was stored.
            ValueError: a name or a hash that the schema refuses, or a hash that is stored already.
        """
        self.require_tokens()
        arguments = {
            "id": str(uuid7()),
            "name": key.name,
            "key_hash": key.key_hash.hex(),
            "prefix": key.prefix,
            "last4": key.last4,
            "expires_in_days": key.expires_in_days,
        }
        try:
            stored = await self.call(principal, "create_api_key", arguments)
        except RefusedValueError as exc:
            if exc.constraint == "api_keys_live_bounded":
                raise TooManyApiKeysError(API_KEYS_LIVE_MAX) from exc
            raise
        return to_api_key(typed(stored))

    async def list_api_keys(self, principal: Principal, *, limit: int, cursor: str | None) -> Page[ApiKey]:
        """The caller's keys, revoked ones too, newest first.

        Raises:
            ValueError: `cursor` is none of this method, or `limit` is not 1 to 1,000.
        """
        before = None if cursor is None else UUID(int=decode_cursor("api_keys", cursor))
        rows = await self.page(self.table(principal, "api_keys").select(_API_KEY), limit, before=before)
        return to_page("api_keys", rows, limit, to_api_key)

    async def revoke_api_key(self, principal: Principal, api_key_id: UUID) -> None:
        """End a key for good; revoking it again changes nothing. Raises UnknownApiKeyError."""
        if await self.call(principal, "revoke_api_key", {"id": str(api_key_id)}) is None:
            raise UnknownApiKeyError(f"no API key {api_key_id}")

    async def find_api_key(self, key_hash: bytes) -> ApiKeyOwner | None:
        """Whom the live key of this SHA-256 stands for, None when there is none. Acts for nobody.

        Raises:
            TokenNeededError: no key can act here.
        """
        self.require_tokens()
        found = await self.call_as_server("find_api_key", {"key_hash": key_hash.hex()})
        if found is None:
            return None
        return ApiKeyOwner(UUID(found["id"]), UUID(found["user_id"]), found["expires_in_s"])

    async def touch_api_keys(self, api_key_ids: Sequence[UUID]) -> None:
        """Note that these keys were used just now; a key that was noted within a minute is left alone."""
        await self.call_as_server("touch_api_keys", {"ids": [str(api_key_id) for api_key_id in api_key_ids]})
