"""Refuses to open a store on a role that could pass row-level security, or on a schema of another release."""

from psycopg.errors import InsufficientPrivilege, InvalidSchemaName, UndefinedFunction
from psycopg.rows import dict_row

from agents_store.errors import SchemaMismatchError, StoreMisconfiguredError
from agents_store.postgres.connection import Connection
from agents_store.postgres.migrate import compare
from agents_store.postgres.queries import query
from agents_store.postgres.translate import MIGRATE

SERVER_VERSION_MIN = 150_000
_MAKE_LOGIN = (
    "make the role glovebox_login with agents_store/postgres/bootstrap/10_login.sql,"
    f" {MIGRATE} and let DATABASE_URL log in as it"
)


async def verify_login(conn: Connection) -> None:
    """Check that the session's role owns nothing, bypasses nothing and inherits nothing.

    Raises:
        StoreMisconfiguredError: it may too much, or the server is too old; the message says what to do.
        SchemaMismatchError: the roles that the migrations make are not there.
    """
    cursor = conn.cursor(row_factory=dict_row)
    found = await (await cursor.execute(query("describe_login"))).fetchone()
    if found is None:
        raise StoreMisconfiguredError("the database does not know the role that is logged in")
    role = found["role"]
    if found["server_version"] < SERVER_VERSION_MIN:
        raise StoreMisconfiguredError("PostgreSQL 15 or newer is needed")
    for flaw, words in (
        (found["superuser"], "is a superuser"),
        (found["bypasses_rls"], "bypasses row-level security"),
        (found["owner"], "owns the database or its tables"),
        (found["inherits"], "has the rights of the roles that it may only become"),
        (not found["bounded"], "has no statement_timeout or no lock_timeout"),
    ):
        if flaw:
            raise StoreMisconfiguredError(f"refusing to serve as role {role!r}: it {words}; {_MAKE_LOGIN}")


async def verify_schema(conn: Connection) -> None:
    """Check that the schema is exactly this release's.

    Raises:
        SchemaMismatchError: it is behind or ahead; the message says what to run.
        StoreMisconfiguredError: the role was not let in.
    """
    try:
        rows = await (await conn.execute(query("schema_versions"))).fetchall()
    except (InvalidSchemaName, UndefinedFunction) as exc:
        raise SchemaMismatchError(f"the database has no Glovebox schema: {MIGRATE}") from exc
    except InsufficientPrivilege as exc:
        raise StoreMisconfiguredError(f"the role was not let into this database: {MIGRATE}") from exc
    found = compare([version for (version,) in rows])
    if found.pending:
        raise SchemaMismatchError(f"the database's schema is {len(found.pending)} migrations behind: {MIGRATE}")
    if found.unknown:
        raise SchemaMismatchError(
            f"the database's schema is ahead of this release ({found.unknown[-1]}): run the release that migrated it;"
            " a schema never goes back, so `glovebox db migrate` cannot help here"
        )
