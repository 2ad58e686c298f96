"""Prepares a PostgreSQL cluster for Glovebox: its roles, its database, and the shim for what Supabase would bring."""

from importlib.resources import files

from psycopg import AsyncConnection, OperationalError, sql
from psycopg.conninfo import conninfo_to_dict

from agents_store.errors import StoreMisconfiguredError, StoreUnavailableError
from agents_store.postgres.connection import connect_as_operator, parse_dsn

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
            await conn.execute(bootstrap_sql("40_vector.sql"))
    except OperationalError as exc:
        raise StoreUnavailableError("the database cluster cannot be prepared") from exc


async def prepare_for(superuser_url: str, *, owner_url: str, login_url: str) -> str:
    """Prepare a cluster for the two connection strings that Glovebox will use. Idempotent.

    Args:
        superuser_url: connection string of a superuser, to any database of the cluster.
        owner_url: as `glovebox_owner`, with its password, to Glovebox's database.
        login_url: as `glovebox_login`, with its password, to the same database.

    Returns:
        The database's name.

    Raises:
        StoreMisconfiguredError: a string names another role or database, or has no password.
        StoreUnavailableError: the cluster cannot be reached, or something held a lock for too long.
    """
    databases, passwords = set(), []
    for url, role in ((owner_url, OWNER_ROLE), (login_url, LOGIN_ROLE)):
        given = conninfo_to_dict(parse_dsn(url).conninfo)
        if given.get("user") != role or not given.get("password") or not given.get("dbname"):
            raise StoreMisconfiguredError(f"the URL of {role} must have that user, a password and a database")
        databases.add(str(given["dbname"]))
        passwords.append(str(given["password"]))
    if len(databases) > 1:
        raise StoreMisconfiguredError("both URLs must name the same database")
    (database,) = databases
    await prepare_cluster(superuser_url, database=database, owner_password=passwords[0], login_password=passwords[1])
    return database


async def _make_database(conn: AsyncConnection, database: str) -> None:
    found = await conn.execute("select 1 from pg_database where datname = %s", [database])
    if await found.fetchone() is None:
        create = sql.SQL("create database {} owner {}")
        await conn.execute(create.format(sql.Identifier(database), sql.Identifier(OWNER_ROLE)))


async def _set_password(conn: AsyncConnection, role: str, password: str) -> None:
    # Hashed here: the server may log the statement, and only ever sees the verifier.
    verifier = conn.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    await conn.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(verifier)))
