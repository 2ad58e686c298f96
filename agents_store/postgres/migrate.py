"""Brings a database's schema to this release: forward only, one transaction for each migration.

Files and history table are those of the Supabase CLI, so that either tool can go on where the other stopped.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from psycopg import AsyncConnection, OperationalError
from psycopg import Error as DriverError

from agents_store.errors import SchemaMismatchError, StoreMisconfiguredError, StoreUnavailableError
from agents_store.postgres.bootstrap import LOGIN_ROLE, bootstrap_sql
from agents_store.postgres.connection import connect_as_operator

_FILE_NAME = re.compile(r"(?P<version>\d{14})_(?P<name>[a-z0-9_]+)\.sql")
_LOCK_KEY = 7_305_807_302_161_221_735  # any constant: whoever migrates Glovebox takes this advisory lock


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of `supabase/migrations/`. `version` is its moment, `YYYYMMDDHHMMSS`."""

    version: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """Versions, oldest first. `pending` are not applied yet, `unknown` are applied but not of this release."""

    applied: Sequence[str]
    pending: Sequence[str]
    unknown: Sequence[str]


@cache
def migrations() -> tuple[Migration, ...]:
    """Every migration of this release, oldest first."""
    found = [
        Migration(match["version"], match["name"], path.read_text("utf-8"))
        for path in files("agents_store").joinpath("supabase", "migrations").iterdir()
        if (match := _FILE_NAME.fullmatch(path.name))
    ]
    return tuple(sorted(found, key=lambda migration: migration.version))


def expected_versions() -> tuple[str, ...]:
    """The versions that a database of this release has applied, oldest first."""
    return tuple(migration.version for migration in migrations())


def compare(applied: Sequence[str]) -> SchemaStatus:
    """Set the versions that a database has against those of this release."""
    expected = expected_versions()
    return SchemaStatus(
        applied=sorted(applied),
        pending=[version for version in expected if version not in applied],
        unknown=sorted(set(applied) - set(expected)),
    )


async def status(owner_url: str) -> SchemaStatus:
    """What the database has applied, read as its owner; nothing is changed.

    Raises:
        SchemaMismatchError: an applied migration's text is not the one of this release.
        StoreUnavailableError: the database cannot be reached.
    """
    try:
        async with await connect_as_operator(owner_url) as conn:
            return compare(await _applied(conn))
    except OperationalError as exc:
        raise StoreUnavailableError("the database cannot be reached") from exc


async def migrate(owner_url: str) -> list[str]:
    """Apply what is pending, as the database's plain owner, and let `glovebox_login` in. Idempotent.

    Several may run at once: each migration is applied by one of them, under an advisory lock.

    Args:
        owner_url: connection string of the owner; a superuser is neither needed nor wanted.

    Returns:
        The versions that this call applied, oldest first.

    Raises:
        SchemaMismatchError: the database is ahead of this release, or an applied migration's text differs.
        StoreMisconfiguredError: a migration was refused, for instance because the role may not create roles.
        StoreUnavailableError: the database cannot be reached or something held a lock; what was applied stays applied.
    """
    try:
        async with await connect_as_operator(owner_url) as conn:
            await _refuse_newer_schema(conn)
            done = [migration.version for migration in migrations() if await _apply(conn, migration)]
            await _let_login_in(conn)
            return done
    except OperationalError as exc:
        raise StoreUnavailableError("the database cannot be migrated now") from exc
    except DriverError as exc:
        raise StoreMisconfiguredError(f"the migration was refused: {exc.diag.message_primary or exc}") from exc


async def _refuse_newer_schema(conn: AsyncConnection) -> None:
    if unknown := compare(await _applied(conn)).unknown:
        raise SchemaMismatchError(f"the database is ahead of this release ({unknown[-1]}): install a newer one")


async def _apply(conn: AsyncConnection, migration: Migration) -> bool:
    """Apply one migration unless it is; whether it was applied now."""
    async with conn.transaction():
        # Ends with the transaction, so it also holds through a pooler, and a dead migrator leaves none.
        await conn.execute("select pg_advisory_xact_lock(%s)", [_LOCK_KEY])
        await _make_history(conn)
        if migration.version in await _applied(conn):
            return False
        await conn.execute(migration.text.encode())
        await conn.execute(
            "insert into supabase_migrations.schema_migrations (version, name, statements) values (%s, %s, %s)",
            [migration.version, migration.name, [migration.text]],
        )
    return True


async def _make_history(conn: AsyncConnection) -> None:
    """The history table as the Supabase CLI makes it."""
    if await _has_history(conn):
        return
    await conn.execute("create schema if not exists supabase_migrations")
    await conn.execute(
        "create table supabase_migrations.schema_migrations"
        " (version text not null primary key, statements text[], name text)"
    )


async def _has_history(conn: AsyncConnection) -> bool:
    # Not by to_regclass(): it asks a cache, which may not know yet what another migrator has just committed.
    found = await conn.execute(
        "select 1 from pg_tables where schemaname = 'supabase_migrations' and tablename = 'schema_migrations'"
    )
    return await found.fetchone() is not None


async def _applied(conn: AsyncConnection) -> list[str]:
    """The applied versions. Raises SchemaMismatchError where one was applied with another text."""
    if not await _has_history(conn):
        return []
    rows = await conn.execute("select version, statements from supabase_migrations.schema_migrations order by version")
    texts = {migration.version: migration.text for migration in migrations()}
    versions = []
    for version, statements in await rows.fetchall():
        # Others store statement by statement as they parsed them: what is one, or stored by `_apply`, is compared.
        if statements and len(statements) == 1 and version in texts and _gist(statements[0]) != _gist(texts[version]):
            raise SchemaMismatchError(f"migration {version} was applied with another text than this release has")
        versions.append(version)
    return versions


def _gist(text: str) -> str:
    """A statement without what such tools leave out: comment lines, the layout, the last semicolon."""
    lines = (line.strip() for line in text.splitlines())
    return " ".join(" ".join(line for line in lines if not line.startswith("--")).split()).rstrip("; ")


async def _let_login_in(conn: AsyncConnection) -> None:
    """Grant `glovebox_login` what it needs, where that role was made already."""
    async with conn.transaction():
        await conn.execute("select pg_advisory_xact_lock(%s)", [_LOCK_KEY])
        found = await conn.execute("select to_regrole(%s) is not null", [LOGIN_ROLE])
        if await found.fetchone() == (True,):
            await conn.execute(bootstrap_sql("90_grant_login.sql"))
