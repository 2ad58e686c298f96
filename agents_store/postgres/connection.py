"""How the store reaches PostgreSQL: the pool's settings, poolers in between, and acting for one user."""

import json
import logging
import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from time import monotonic
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import UUID

from psycopg import AsyncConnection, ProgrammingError
from psycopg import Error as DriverError
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import PipelineStatus, TransactionStatus
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from agents_store.errors import StoreMisconfiguredError

_log = logging.getLogger(__name__)

CONNECT_S_MAX = 5
POOL_WAIT_S_MAX = 5.0
POOL_WAITING_MAX = 2_000
_TRANSACTION_POOLER_PORT = "6543"  # where Supabase's pooler listens in transaction mode

_OPERATOR_BOUNDS = "select set_config('lock_timeout', '30s', false), set_config('statement_timeout', '10min', false)"

Connection = AsyncConnection[TupleRow]


class Pool(AsyncConnectionPool[Connection]):
    """A pool that passes over sessions which the server ended meanwhile, all of them at once.

    The library's own `check` waits longer and longer between two of them: seconds, after the server restarted.
    """

    async def getconn(self, timeout: float | None = None) -> Connection:
        """A connection that was alive a moment ago. Raises psycopg_pool.PoolTimeout."""
        deadline = monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            conn = await super().getconn(deadline - monotonic())
            if not _is_dead(conn):
                return conn
            await conn.close()
            await self.putconn(conn)


class Role(StrEnum):
    """The roles that the server becomes for one transaction."""

    USER = "glovebox_user"  # acts for the user
    DRY = "glovebox_dry"  # the same, and only reads


@dataclass(frozen=True, slots=True)
class Dsn:
    """A connection string as libpq takes it, and whether a pooler in transaction mode is behind it."""

    conninfo: str
    behind_pooler: bool


def parse_dsn(dsn: str) -> Dsn:
    """Read a connection string, bound its waits, and take out what only poolers' documentation puts in.

    Raises:
        StoreMisconfiguredError: it is no connection string. The message does not repeat it: it holds a password.
    """
    try:
        dsn, marked = _take_pooler_mark(dsn)
        given = conninfo_to_dict(dsn)
    except (ProgrammingError, ValueError):
        # Without its cause: libpq quotes the string.
        raise StoreMisconfiguredError("the database URL is not a PostgreSQL connection string") from None
    bounds: dict[str, Any] = {
        "connect_timeout": CONNECT_S_MAX,
        "keepalives_idle": 30,
        "tcp_user_timeout": 10_000,
        "application_name": "glovebox",
    }
    conninfo = make_conninfo(**{**bounds, **given})
    return Dsn(conninfo, marked or str(given.get("port", "")) == _TRANSACTION_POOLER_PORT)


def _take_pooler_mark(dsn: str) -> tuple[str, bool]:
    """The string without `pgbouncer=...`, which libpq does not know, and whether that said true."""
    if not dsn.startswith(("postgres://", "postgresql://")) or "pgbouncer=" not in dsn:
        return dsn, False
    parts = urlsplit(dsn)
    options = parse_qsl(parts.query, keep_blank_values=True)
    known = [option for option in options if option[0] != "pgbouncer"]
    return urlunsplit(parts._replace(query=urlencode(known))), ("pgbouncer", "true") in options


def prepare_threshold(dsn: Dsn) -> int | None:
    """After how many executions a statement is prepared; None where a pooler would lose prepared statements."""
    if dsn.behind_pooler:
        _log.info("a pooler in transaction mode is in between: statements are not prepared")
        return None
    return 2


def build_pool(dsn: Dsn, pool_max: int) -> Pool:
    """A closed pool of autocommit connections; the caller opens it."""
    return Pool(
        dsn.conninfo,
        kwargs={"autocommit": True, "prepare_threshold": prepare_threshold(dsn)},
        min_size=min(4, pool_max),
        max_size=pool_max,
        timeout=POOL_WAIT_S_MAX,
        max_waiting=POOL_WAITING_MAX,
        reset=_refuse_unclean,
        open=False,
        name="glovebox",
    )


def _is_dead(conn: Connection) -> bool:
    """Whether the server said anything on an idle session: only its end comes unasked. Costs no round trip."""
    poll = select.poll()
    poll.register(conn.fileno(), select.POLLIN)
    return bool(poll.poll(0))


async def connect(dsn: Dsn) -> Connection:
    """One autocommit connection outside any pool, never preparing. Raises psycopg.OperationalError."""
    return await AsyncConnection.connect(dsn.conninfo, autocommit=True, prepare_threshold=None)


async def connect_as_operator(url: str, *, database: str | None = None) -> Connection:
    """One autocommit connection of an operator: the owner or, for bootstrap, a superuser.

    Raises:
        psycopg.OperationalError: it cannot be made.
        StoreMisconfiguredError: `url` is no connection string.
    """
    dsn = parse_dsn(url)
    if database is not None:
        dsn = replace(dsn, conninfo=make_conninfo(dsn.conninfo, dbname=database))
    conn = await connect(dsn)
    await conn.execute(_OPERATOR_BOUNDS)
    return conn


def claims_of(user_id: UUID) -> str:
    """What row-level security knows of the caller, in the form in which Supabase passes a token's claims."""
    return json.dumps({"sub": str(user_id), "role": "authenticated"})


@asynccontextmanager
async def acting_as(conn: Connection, role: Role, claims: str) -> AsyncIterator[None]:
    """Open the only kind of transaction that may touch a user's rows; `conn` is in autocommit.

    Results are there to fetch once the block has ended: fetching earlier costs another round trip.
    """
    try:
        async with conn.pipeline():
            await conn.execute("begin")
            # `true` = this transaction only: the pool gives the connection to others. A claim in a setting of its own
            # would overrule the claims, so it must be empty.
            await conn.execute(
                "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true),"
                " set_config('request.jwt.claim.sub', '', true)",
                [role.value, claims],
            )
            yield
            await conn.execute("commit")
    except Exception:
        # Outside the pipeline: inside, an error refuses every statement until the next sync.
        with suppress(DriverError):
            await conn.rollback()
        await _refuse_unclean(conn)
        raise
    except BaseException:
        # Cancelled. The driver can then leave the pipeline half open, with a transaction that it takes for none, and
        # the next to use the connection would act as this user. The pool replaces it.
        await conn.close()
        raise


def _is_clean(conn: Connection) -> bool:
    return (
        conn.pgconn.pipeline_status == PipelineStatus.OFF and conn.pgconn.transaction_status == TransactionStatus.IDLE
    )


async def _refuse_unclean(conn: Connection) -> None:
    """Keep a connection that anybody left inside a pipeline or transaction from being given out again."""
    if not _is_clean(conn):
        await conn.close()
