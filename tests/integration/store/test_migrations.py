"""Migrations: by a plain owner, once each, under a lock, never edited, and the same on a database like Supabase's."""

import asyncio
import hashlib
from importlib.resources import files

import psycopg
import pytest

from agents_store.errors import SchemaMismatchError, StoreMisconfiguredError
from agents_store.postgres.bootstrap import prepare_cluster
from agents_store.postgres.migrate import expected_versions, migrate, migrations, status
from tests.support.database import LOGIN_PASSWORD, OWNER_PASSWORD, Cluster, Database

ACL = """
select c.relname, a.grantee::regrole::text, a.privilege_type
from pg_class c, lateral aclexplode(c.relacl) a
where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.grantee <> 'glovebox_owner'::regrole
order by 1, 2, 3
"""


async def _bare(cluster: Cluster, name: str) -> Database:
    """A database that was bootstrapped and not migrated. Its name is unique to the test."""
    await prepare_cluster(
        cluster.superuser_url(), database=name, owner_password=OWNER_PASSWORD, login_password=LOGIN_PASSWORD
    )
    return Database(cluster, name)


@pytest.mark.usefixtures("template")
async def test_plain_owner_applies_each_migration_once(cluster: Cluster) -> None:
    bare = await _bare(cluster, "migrated_twice")

    assert (await status(bare.owner_url)).pending == list(expected_versions())
    assert await migrate(bare.owner_url) == list(expected_versions())
    assert await migrate(bare.owner_url) == []
    found = await status(bare.owner_url)
    assert (found.applied, found.pending, found.unknown) == (list(expected_versions()), [], [])
    with psycopg.connect(bare.owner_url) as conn:
        assert conn.execute("select rolsuper from pg_roles where rolname = current_user").fetchone() == (False,)


@pytest.mark.usefixtures("template")
async def test_migrators_at_once_apply_each_migration_once(cluster: Cluster) -> None:
    bare = await _bare(cluster, "migrated_at_once")

    applied = await asyncio.gather(*(migrate(bare.owner_url) for _ in range(4)))

    assert sorted(version for versions in applied for version in versions) == list(expected_versions())


async def test_database_ahead_of_the_release_is_left_alone(database: Database, owner: psycopg.Connection) -> None:
    owner.execute("insert into supabase_migrations.schema_migrations (version) values ('29991231000000')")

    assert (await status(database.owner_url)).unknown == ["29991231000000"]
    with pytest.raises(SchemaMismatchError, match="ahead"):
        await migrate(database.owner_url)


async def test_applied_migration_with_another_text_is_noticed(database: Database, owner: psycopg.Connection) -> None:
    owner.execute(
        "update supabase_migrations.schema_migrations set statements = array['select 1'] where version = %s",
        [expected_versions()[0]],
    )

    with pytest.raises(SchemaMismatchError, match="another text"):
        await status(database.owner_url)


async def test_history_of_the_supabase_command_line_is_understood(
    database: Database, owner: psycopg.Connection
) -> None:
    """It stores the statements one by one, as it parsed them."""
    owner.execute("update supabase_migrations.schema_migrations set statements = array['create a', 'create b']")

    assert await migrate(database.owner_url) == []


async def test_role_that_may_not_migrate_is_told(database: Database) -> None:
    with pytest.raises(StoreMisconfiguredError, match="permission denied"):
        await migrate(database.login_url)


def test_merged_migrations_are_never_edited() -> None:
    """Their hashes are recorded; a new migration adds a line, no line ever changes."""
    root = files("agents_store").joinpath("supabase")
    recorded = {
        name: digest
        for digest, name in (line.split("  ") for line in root.joinpath("migrations.sha256").read_text().splitlines())
    }
    found = {
        f"migrations/{migration.version}_{migration.name}.sql": hashlib.sha256(migration.text.encode()).hexdigest()
        for migration in migrations()
    }

    assert found == recorded


@pytest.mark.usefixtures("template")
async def test_rights_are_the_same_where_supabase_grants_everything_by_default(
    cluster: Cluster, database: Database
) -> None:
    """A Supabase project's default privileges give every new table and function to its API roles."""
    like_supabase = await _bare(cluster, "like_supabase")
    with psycopg.connect(like_supabase.owner_url) as conn:
        for kind in ("tables", "functions", "sequences"):
            everything = f"alter default privileges in schema public grant all on {kind}"
            conn.execute(f"{everything} to anon, authenticated, service_role".encode())
    await migrate(like_supabase.owner_url)

    def rights(url: str) -> list[tuple[object, ...]]:
        with psycopg.connect(url) as conn:
            return conn.execute(ACL.encode()).fetchall()

    assert rights(like_supabase.owner_url) == rights(database.owner_url) != []


@pytest.mark.usefixtures("template")
async def test_bootstrap_may_be_repeated_and_leaves_what_exists(cluster: Cluster) -> None:
    bare = await _bare(cluster, "bootstrapped_twice")
    with psycopg.connect(bare.superuser_url) as conn:
        conn.execute("create or replace function auth.uid() returns uuid language sql stable as 'select null::uuid'")

    await _bare(cluster, "bootstrapped_twice")

    with psycopg.connect(bare.superuser_url) as conn:
        kept = conn.execute("select prosrc from pg_proc where oid = 'auth.uid()'::regprocedure").fetchone()
    assert kept == ("select null::uuid",)
    assert await migrate(bare.owner_url) == list(expected_versions())


def test_bootstrap_logs_no_password(cluster: Cluster, template: str) -> None:
    log = (cluster.socket_dir / "log").read_text()

    assert OWNER_PASSWORD not in log
    assert LOGIN_PASSWORD not in log
