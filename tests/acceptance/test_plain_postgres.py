"""A plain PostgreSQL, from nothing to a server on it: prepare, migrate, serve, each as the role that it needs."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from server.auth.testing import ISSUER, SECRET
from tests.acceptance.processes import Caller, server_process
from tests.acceptance.shell import Shell
from tests.support.database import Cluster, Database


@pytest.fixture
def empty(cluster: Cluster) -> Iterator[Database]:
    """A database that does not exist yet, and its roles' URLs."""
    made = Database(cluster, f"plain_{uuid4().hex}")
    yield made
    cluster.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(made.name)))


@pytest.fixture
def shell(empty: Database, tmp_path: Path) -> Shell:
    return Shell(
        tmp_path,
        {
            "GLOVEBOX_SUPERUSER_DATABASE_URL": empty.cluster.superuser_url(),
            "GLOVEBOX_MIGRATE_DATABASE_URL": empty.owner_url,
            "DATABASE_URL": empty.login_url,
            "SUPABASE_JWT_SECRET": SECRET,
            "GLOVEBOX_JWT_ISSUER": ISSUER,
        },
    )


async def test_three_commands_lead_from_an_empty_cluster_to_a_run(
    shell: Shell, empty: Database, tmp_path: Path
) -> None:
    prepared = [shell("db", "prepare") for _ in range(2)]
    migrated = shell("db", "migrate", "--json")
    status = shell("db", "status")

    assert [outcome.exit_code for outcome in (*prepared, migrated, status)] == [0] * 4
    assert migrated.object["applied"]
    with server_process(empty, tmp_path) as process:
        user = Caller.new()
        async with user.at(process) as client:
            created = await client.post("/agents", json={"agent_name": "hello", "code": "def run():\n    return 1"})
            answer = await client.get(user.path("hello"))
    assert (created.status_code, answer.status_code, answer.json()) == (201, 200, 1)


def test_the_owner_owns_and_the_login_does_not(shell: Shell, empty: Database) -> None:
    shell("db", "prepare")

    with psycopg.connect(empty.superuser_url) as conn:
        owner = conn.execute(
            "select pg_get_userbyid(datdba) from pg_database where datname = current_database()"
        ).fetchone()
        flags = conn.execute(
            "select rolname, rolsuper, rolbypassrls, rolcreatedb from pg_roles"
            " where rolname in ('glovebox_owner', 'glovebox_login') order by rolname"
        ).fetchall()
    assert owner == ("glovebox_owner",)
    assert flags == [("glovebox_login", False, False, False), ("glovebox_owner", False, False, False)]


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("GLOVEBOX_SUPERUSER_DATABASE_URL", lambda _: "", "GLOVEBOX_SUPERUSER_DATABASE_URL"),
        ("DATABASE_URL", lambda url: url.replace("glovebox_login", "postgres"), "glovebox_login must have that user"),
        ("GLOVEBOX_MIGRATE_DATABASE_URL", lambda url: url.replace(password_of(url), ""), "a password"),
        ("DATABASE_URL", lambda url: url.replace("/plain_", "/other_"), "same database"),
        ("DATABASE_URL", lambda _: "no url", "not a PostgreSQL connection string"),
    ],
)
def test_urls_that_do_not_fit_prepare_nothing(
    shell: Shell,
    empty: Database,
    name: str,
    change: Callable[[str], str],
    said: str,
) -> None:
    refused = shell.with_(**{name: change(shell.variables[name])})("db", "prepare")

    assert refused.exit_code == 1
    assert said in refused.err
    assert password_of(empty.login_url) not in refused.out + refused.err
    with psycopg.connect(empty.cluster.superuser_url()) as conn:
        assert conn.execute("select 1 from pg_database where datname = %s", [empty.name]).fetchone() is None


def test_preparing_needs_the_superuser(shell: Shell, empty: Database) -> None:
    refused = shell.with_(GLOVEBOX_SUPERUSER_DATABASE_URL=empty.cluster.url("postgres", "wrong", "postgres"))(
        "db", "prepare"
    )

    assert refused.exit_code == 1
    assert "cannot be prepared" in refused.err


def password_of(url: str) -> str:
    password = urlsplit(url).password
    assert password is not None
    return password
