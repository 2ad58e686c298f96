"""Prepares a PostgreSQL cluster for Glovebox: its roles, its database, and the shim for what Supabase would bring."""

from importlib.resources import files

from psycopg import AsyncConnection, OperationalError, sql

from agents_store.errors import StoreUnavailableError
from agents_store.postgres.connection import connect_as_operator

LOGIN_ROLE = "glovebox_login"
OWNER_ROLE = "glovebox_owner"


def bootstrap_sql(name: str) -> bytes:
    """The text of one file of `bootstrap/`, to be run as a whole."""
    return files("agents_store.postgres").joinpath("bootstrap", name).read_bytes()


async def prepare_cluster(superuser_url: str, *, database: str, owner_password: str, login_password: str) -> None:
    """Make the roles, the database and the shim where they are missing, and set both passwords. Idempotent.

    Args:
        superuser_url: connection string of a superuser, to any database of the cluster.
        database: name of Glovebox's database; made, owned by `glovebox_owner`, unless it exists.
        owner_password: what `glovebox_owner` logs in with from now on.
        login_password: what `glovebox_login` logs in with from now on.

    Raises:
        StoreUnavailableError: the cluster cannot be reached, or something held a lock for too long.
    """
    try:
        async with await connect_as_operator(superuser_url) as conn:
            await conn.execute(bootstrap_sql("10_login.sql"))
            await conn.execute(bootstrap_sql("20_owner.sql"))
            await _set_password(conn, OWNER_ROLE, owner_password)
            await _set_password(conn, LOGIN_ROLE, login_password)
            await _make_database(conn, database)
        async with await connect_as_operator(superuser_url, database=database) as conn:
            await conn.execute(bootstrap_sql("30_auth_shim.sql"))
    except OperationalError as exc:
        raise StoreUnavailableError("the database cluster cannot be prepared") from exc


async def _make_database(conn: AsyncConnection, database: str) -> None:
    found = await conn.execute("select 1 from pg_database where datname = %s", [database])
    if await found.fetchone() is None:
        create = sql.SQL("create database {} owner {}")
        await conn.execute(create.format(sql.Identifier(database), sql.Identifier(OWNER_ROLE)))


async def _set_password(conn: AsyncConnection, role: str, password: str) -> None:
    # Hashed here: the server may log the statement, and only ever sees the verifier.
    verifier = conn.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    await conn.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(verifier)))
