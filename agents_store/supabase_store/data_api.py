"""The ways to use a project's Data API: read with the user's own token, call our functions with the secret key."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from httpx import AsyncClient, HTTPError, Limits, Timeout
from postgrest import APIError, AsyncPostgrestClient, AsyncRequestBuilder, AsyncSelectRequestBuilder

from agents_store.errors import SchemaMismatchError, StoreUnavailableError, TokenNeededError
from agents_store.postgres.database import OPERATION_S_MAX, PING_S_MAX, bounded, to_json
from agents_store.postgres.migrate import compare
from agents_store.postgres.rows import Row
from agents_store.supabase_store.credentials import Project
from agents_store.supabase_store.translate import (
    MIGRATE,
    RefusedValueError,
    UnauthorizedError,
    failure_of,
    refuse_unauthorized,
)
from agents_store.types import Principal

T = TypeVar("T")
Arguments = Mapping[str, Any]
Select = AsyncSelectRequestBuilder

CONNECTIONS_MAX = 64
ATTEMPTS_MAX = 3
RETRY_S = 0.15  # before the first repeat, up to twice as much; doubled before the second


class DataApi:
    """What every part of the store stands on. Open it before use and close it after; it is bound to one event loop."""

    def __init__(self, project: Project) -> None:
        """Nothing is opened yet."""
        self._project = project
        self._http: AsyncClient | None = None

    async def open(self) -> None:
        """Open the one pool of connections, and verify key and schema.

        Raises:
            StoreMisconfiguredError: the project refuses the key, or its schema is of another release; with what to do.
            StoreUnavailableError: the project does not answer.
        """
        self._http = AsyncClient(
            timeout=Timeout(OPERATION_S_MAX, connect=5.0, pool=5.0),
            limits=Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX),
            event_hooks={"response": [refuse_unauthorized]},
            trust_env=False,
        )
        await self._verify_schema()

    async def close(self) -> None:
        """Close every connection. Idempotent."""
        if self._http is not None:
            await self._http.aclose()

    async def ping(self) -> None:
        """Prove within 2 s that the project's database answers. Raises StoreUnavailableError."""
        try:
            async with asyncio.timeout(PING_S_MAX):
                await self.call_as_server("ping", {})
        except TimeoutError as exc:
            raise StoreUnavailableError("the project did not answer in time") from exc

    async def call(self, principal: Principal, name: str, arguments: Arguments) -> Any:
        """What one of our functions answers, carried out as the user, under RLS. None where it gave no row."""
        return await self._call("gbx_as_user", name, arguments, {"p_user_id": str(principal.user_id)})

    async def call_dry(self, principal: Principal, name: str, arguments: Arguments) -> Any:
        """The same, as a role that cannot write."""
        return await self._call("gbx_as_dry", name, arguments, {"p_user_id": str(principal.user_id)})

    async def call_as_server(self, name: str, arguments: Arguments) -> Any:
        """What one of our functions answers that acts for nobody."""
        return await self._call("gbx_as_server", name, arguments, {})

    async def erase(self, principal: Principal, seconds: float) -> None:
        """Remove every row of the user, in at most so many seconds."""
        client = self._client(self._project.server_headers())
        parameters = {"p_user_id": str(principal.user_id)}
        answer = await self._sent(
            lambda: client.rpc("gbx_erase_account", parameters).execute(), as_user=False, seconds=seconds
        )
        _value(answer.data)

    def require_tokens(self) -> None:
        """Refuse what needs tokens that the caller did not bring. Raises TokenNeededError."""
        if self._project.jwt_secret is None:
            raise TokenNeededError

    def table(self, principal: Principal, name: str) -> AsyncRequestBuilder:
        """A table or view, read with the user's own token. Raises TokenNeededError."""
        # A client for this request alone: one that is shared would pass one user's token on to another.
        return self._client(self._project.user_headers(principal)).from_(name)

    async def rows(self, select: Select) -> list[Row]:
        """The rows of a request that `table` began; sent again where it failed on the way, because it only reads.

        Raises:
            TokenRefusedError: the project does not take the user's token (any more).
        """
        return [typed(row) for row in await self.raw_rows(select)]

    async def raw_rows(self, select: Select) -> list[Row]:
        """The same as they came, moments and UUIDs as text."""
        found = await self._sent(select.execute, as_user=True, reads=True)
        rows: list[Any] = list(found.data)
        return rows

    async def page(self, select: Select, limit: int, *, before: object = None) -> list[Row]:
        """At most one row more than the page has, newest first; with `before` of ids below it."""
        if before is not None:
            select = select.lt("id", before)
        return await self.rows(select.order("id", desc=True).limit(bounded(limit) + 1))

    async def _call(self, function: str, name: str, arguments: Arguments, more: dict[str, str]) -> Any:
        client = self._client(self._project.server_headers())
        parameters = {**more, "p_call": name, "p_arguments": to_json(arguments)}
        answer = await self._sent(lambda: client.rpc(function, parameters).execute(), as_user=False)
        return _value(answer.data)

    def _client(self, headers: dict[str, str]) -> AsyncPostgrestClient:
        if self._http is None:
            raise StoreUnavailableError("the store is not open")
        return AsyncPostgrestClient(
            self._project.data_api_url, headers=headers, http_client=self._http, retry_enabled=False
        )

    async def _sent(
        self,
        send: Callable[[], Awaitable[T]],
        *,
        as_user: bool,
        reads: bool = False,
        seconds: float = OPERATION_S_MAX,
    ) -> T:
        """Send a request; again, at most twice, where it changed nothing and may go better."""
        attempt = 1
        while True:
            try:
                async with asyncio.timeout(seconds):
                    return await send()
            except TimeoutError as exc:
                raise StoreUnavailableError("the project did not answer in time") from exc
            except (APIError, HTTPError, UnauthorizedError, ValueError) as exc:
                failure = failure_of(exc, as_user=as_user)
                lost = isinstance(failure.error, StoreUnavailableError)
                if attempt == ATTEMPTS_MAX or not (lost and (reads or failure.changed_nothing)):
                    raise failure.error from exc
            await asyncio.sleep(random.uniform(1, 2) * RETRY_S * 2 ** (attempt - 1))  # noqa: S311 - spreads repeats
            attempt += 1

    async def _verify_schema(self) -> None:
        """Refuse a schema of another release, and one that was never applied."""
        try:
            found = compare(await self.call_as_server("schema_versions", {}))
        except SchemaMismatchError as exc:
            raise SchemaMismatchError(f"the project has no Glovebox schema, or an old one: {MIGRATE}") from exc
        if found.pending:
            raise SchemaMismatchError(f"the project's schema is {len(found.pending)} migrations behind: {MIGRATE}")
        if found.unknown:
            raise SchemaMismatchError(
                f"the project's schema is ahead of this release ({found.unknown[-1]}): run the release that migrated it"
            )


def _value(answer: Any) -> Any:
    """What a call gave. Raises RefusedValueError."""
    given = json.loads(answer)
    if (refused := given.get("refused")) is not None:
        raise RefusedValueError(refused["sqlstate"], refused["constraint"])
    return given["value"]


def typed(row: Mapping[str, Any]) -> Row:
    """A row with moments and UUIDs in place of their text, told by the columns' names."""
    return {name: _typed(name, value) for name, value in row.items()}


def _typed(name: str, value: Any) -> Any:
    if isinstance(value, str):
        if name.endswith("_at"):
            return datetime.fromisoformat(value)
        if name == "id" or name.endswith("_id"):
            return UUID(value)
    return value
