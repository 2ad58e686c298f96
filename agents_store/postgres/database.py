"""The pool of connections and the ways to use one: as a user under RLS, or as the login role through its functions."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

from psycopg import AsyncCursor
from psycopg.rows import dict_row
from psycopg.types.numeric import Int4

from agents_store.errors import StoreError
from agents_store.postgres.connection import Connection, Role, acting_as, build_pool, claims_of, connect, parse_dsn
from agents_store.postgres.cursors import encode_cursor
from agents_store.postgres.queries import query
from agents_store.postgres.rows import Row
from agents_store.postgres.translate import translated
from agents_store.postgres.verify import verify_login, verify_schema
from agents_store.types import Page, Principal

T = TypeVar("T")
Params = Mapping[str, object]
Rows = AsyncCursor[Row]

OPERATION_S_MAX = 20.0  # backstop beyond the login role's statement_timeout, for a network that drops everything
PING_S_MAX = 2.0
PAGE_ITEMS_MAX = 1_000
AFTER_EVERY_UUID = 2**128 - 1


class Database:
    """What every part of the store stands on. Open it before use and close it after; it is bound to one event loop."""

    def __init__(self, dsn: str, *, pool_max: int, listen_dsn: str | None = None) -> None:
        """Nothing is connected yet.

        Args:
            dsn: connection string of `glovebox_login`; port 6543 or `pgbouncer=true` tell of a pooler in
                transaction mode.
            pool_max: connections at most, from 1.
            listen_dsn: the same without such a pooler, for notices; None for `dsn`.

        Raises:
            StoreMisconfiguredError: one of them is no connection string.
        """
        self._dsn = parse_dsn(dsn)
        self._listen_dsn = self._dsn if listen_dsn is None else parse_dsn(listen_dsn)
        self._pool = build_pool(self._dsn, pool_max)

    async def open(self) -> None:
        """Connect and verify role and schema.

        Raises:
            StoreMisconfiguredError: role or schema must not be served on; the message says what to do.
            StoreUnavailableError: the database cannot be reached.
        """
        with translated():
            # A connection of its own: the pool would retry a refusal until its time is up, and hide why.
            async with asyncio.timeout(OPERATION_S_MAX), await connect(self._dsn) as conn:
                await verify_login(conn)
                await verify_schema(conn)
            await self._pool.open()

    async def close(self) -> None:
        """Close every connection. Idempotent."""
        with translated():
            await self._pool.close()

    @property
    def connections(self) -> Mapping[str, int]:
        """Connections by state, `idle` and `used`, and as `waiting` the callers that have none yet."""
        found = self._pool.get_stats()
        size, idle = found.get("pool_size", 0), found.get("pool_available", 0)
        return {"idle": idle, "used": max(0, size - idle), "waiting": found.get("requests_waiting", 0)}

    async def ping(self) -> None:
        """Prove within 2 s that the database answers. Raises StoreUnavailableError."""
        with translated():
            async with asyncio.timeout(PING_S_MAX), self._pool.connection(PING_S_MAX) as conn:
                await conn.execute(query("ping"))

    @asynccontextmanager
    async def connection(self, operation_s_max: float = OPERATION_S_MAX) -> AsyncIterator[Connection]:
        """One pooled connection for one operation, every wait bounded, errors translated."""
        with translated():
            async with asyncio.timeout(operation_s_max), self._pool.connection() as conn:
                yield conn

    async def as_user(self, principal: Principal, name: str, params: Params) -> list[Row]:
        """The rows of one named query, in a transaction of its own as the user, under RLS."""
        async with self.connection() as conn:
            async with acting_as(conn, Role.USER, claims_of(principal.user_id)):
                found = await execute(conn, name, params)
            return await found.fetchall()

    async def page(self, principal: Principal, name: str, limit: int, params: Params) -> list[Row]:
        """At most one row more than the page has, which tells whether there is a next one."""
        return await self.as_user(principal, name, {**params, "rows_max": Int4(bounded(limit) + 1)})

    async def as_login(self, name: str, params: Params) -> Any:
        """The one value of a named query that calls a privileged function as the login role."""
        async with self.connection() as conn:
            (value,) = the(await (await conn.execute(query(name), params)).fetchone())
            return value


async def execute(conn: Connection, name: str, params: Params) -> Rows:
    """Send a named query; its rows come as dicts."""
    cursor = conn.cursor(row_factory=dict_row)
    return await cursor.execute(query(name), params)


def to_json(value: object) -> str:
    """Compact, strict JSON text."""
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def the(row: T | None) -> T:
    """A row that the statement always gives."""
    if row is None:
        raise StoreError("the database gave no row")
    return row


def bounded(limit: int) -> int:
    """A page size. Raises ValueError unless 1 to `PAGE_ITEMS_MAX`."""
    if not 1 <= limit <= PAGE_ITEMS_MAX:
        raise ValueError(f"a page has 1 to {PAGE_ITEMS_MAX} items")
    return limit


def to_page(listing: str, rows: Sequence[Row], limit: int, to_item: Callable[[Row], T]) -> Page[T]:
    """A page of rows read with one more than `limit`, which tells whether there is a next one."""
    shown = rows[:limit]
    last_id = shown[-1]["id"] if len(rows) > limit else None
    number = last_id.int if isinstance(last_id, UUID) else last_id
    return Page([to_item(row) for row in shown], None if number is None else encode_cursor(listing, number))
