"""Who uses the embedded database: it runs while at least one process has it open."""

import asyncio
import fcntl
import json
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote

from agents_store.embedded.account import ServiceAccount
from agents_store.embedded.cluster import PORT, SUPERUSER, Cluster
from agents_store.embedded.data_dir import explained, locate, open_private, prepare, read_or_create_private_file
from agents_store.embedded.locks import try_exclusively, unlock_and_close
from agents_store.errors import StoreMisconfiguredError, StoreUnavailableError
from agents_store.postgres import bootstrap, migrate

_T = TypeVar("_T")

_DATABASE = "glovebox"
_PASSWORDS_FILE = "passwords.json"
_LOCK_TIMEOUT_S = 180.0  # longer than making, starting, migrating and stopping take at most
_PREPARE_TIMEOUT_S = 60.0
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class _Passwords:
    superuser: str
    owner: str
    login: str


@dataclass(frozen=True, slots=True)
class _Opened:
    """What an open database consists of. `users_lock` is the descriptor that holds it open."""

    account: ServiceAccount
    cluster: Cluster
    users_lock: int
    passwords: _Passwords


class EmbeddedPostgres:
    """A real PostgreSQL over a data directory, shared by every process of this machine that opens it.

    The first to open it makes the cluster and starts the postmaster, the last to close it stops it. A process that is
    killed leaves it running, for the next to use and to stop. It listens on a socket inside the directory only, asks
    everybody for a password, and runs as the service's account: the caller's own or, as root, the system user
    `glovebox`, which is made where it is missing. Passwords are random, made once, and kept in `passwords.json`, 0600.

    In the directory, `users.lock` is held, shared, by each process that has it open; `start.lock`, exclusively, by
    the one that makes, starts, migrates or stops it.
    """

    def __init__(self, data_dir: Path) -> None:
        self._home = locate(data_dir)
        self._opened: _Opened | None = None

    @property
    def login_url(self) -> str:
        """How the server logs in, as `glovebox_login`. A secret. Raises RuntimeError unless it is open."""
        opened = self._require_open()
        return _url(opened.cluster, "glovebox_login", opened.passwords.login, _DATABASE)

    @property
    def owner_url(self) -> str:
        """How migrations and grants log in, as `glovebox_owner`. A secret. Raises RuntimeError unless it is open."""
        opened = self._require_open()
        return _url(opened.cluster, "glovebox_owner", opened.passwords.owner, _DATABASE)

    async def open(self) -> Self:
        """Make, start, prepare and migrate whatever is not yet, and keep it running until `close`.

        Takes about a second the first time, a fraction of it later; never more than the sum of its bounds (waiting
        for other processes 180 s, initdb 60 s, start 30 s, preparing and migrating 60 s).

        Raises:
            StoreMisconfiguredError: the directory cannot be used, with what to do.
            StoreUnavailableError: the database did not start in time, with the last lines that it logged.
        """
        if self._opened is not None:
            raise RuntimeError("this embedded database is open")
        account = await _in_thread(lambda: prepare(self._home))
        cluster = Cluster(self._home, account)
        async with self._start_lock(account):
            users_lock = self._open_lock("users.lock", account)
            try:
                # Whoever wants it exclusively holds the start lock, so this never waits.
                fcntl.flock(users_lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                passwords = await _in_thread(lambda: self._start(cluster))
                self._opened = _Opened(account, cluster, users_lock, passwords)
                await self._prepare_database(self._opened)
            except BaseException:
                self._opened = None
                try:
                    await _stop_if_last(cluster, users_lock)
                finally:
                    unlock_and_close(users_lock)
                raise
        return self

    async def close(self) -> None:
        """Stop the database if nobody else has it open. Idempotent; usually milliseconds, at most 4 minutes."""
        opened, self._opened = self._opened, None
        if opened is None:
            return
        try:
            async with self._start_lock(opened.account):
                await _stop_if_last(opened.cluster, opened.users_lock)
        finally:
            # Also without the start lock: whoever holds that uses the database too, and is the one to stop it.
            unlock_and_close(opened.users_lock)

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _require_open(self) -> _Opened:
        if self._opened is None:
            raise RuntimeError("this embedded database is not open")
        return self._opened

    def _start(self, cluster: Cluster) -> _Passwords:
        with explained(self._home):
            passwords = self._load_passwords(cluster)
            cluster.make(passwords.superuser)
            cluster.start()
        return passwords

    def _load_passwords(self, cluster: Cluster) -> _Passwords:
        path = self._home / _PASSWORDS_FILE
        if cluster.exists and not path.exists():
            raise StoreMisconfiguredError(f"{path} is missing, without which the database beside it stays closed")
        fresh = {name: secrets.token_urlsafe(32) for name in ("superuser", "owner", "login")}
        stored = read_or_create_private_file(self._home, _PASSWORDS_FILE, json.dumps(fresh).encode())
        try:
            return _Passwords(**json.loads(stored))
        except (ValueError, TypeError):
            # Without the cause: it would carry the file's content.
            raise StoreMisconfiguredError(f"{path} is damaged: restore it") from None

    async def _prepare_database(self, opened: _Opened) -> None:
        superuser_url = _url(opened.cluster, SUPERUSER, opened.passwords.superuser, "postgres")
        try:
            async with asyncio.timeout(_PREPARE_TIMEOUT_S):
                await bootstrap.prepare_cluster(
                    superuser_url,
                    database=_DATABASE,
                    owner_password=opened.passwords.owner,
                    login_password=opened.passwords.login,
                )
                await migrate.migrate(self.owner_url)
        except TimeoutError as exc:
            raise StoreUnavailableError(
                f"the embedded database was not migrated within {_PREPARE_TIMEOUT_S:.0f} s"
            ) from exc

    def _open_lock(self, name: str, account: ServiceAccount) -> int:
        with explained(self._home):
            return open_private(self._home / name, os.O_RDWR, account)

    @asynccontextmanager
    async def _start_lock(self, account: ServiceAccount) -> AsyncIterator[None]:
        """Be the only process that makes, starts, migrates or stops the database."""
        lock = self._open_lock("start.lock", account)
        try:
            deadline = asyncio.get_running_loop().time() + _LOCK_TIMEOUT_S
            while not try_exclusively(lock):
                if asyncio.get_running_loop().time() > deadline:
                    raise StoreUnavailableError(f"another process has been starting the database in {self._home}")
                await asyncio.sleep(_POLL_S)
            yield
        finally:
            unlock_and_close(lock)


def _url(cluster: Cluster, role: str, password: str, database: str) -> str:
    return f"postgresql://{role}:{password}@/{database}?host={quote(str(cluster.sockets), safe='')}&port={PORT}"


async def _stop_if_last(cluster: Cluster, users_lock: int) -> None:
    """Give up using the database, and stop it if nobody else uses it. Under the start lock, to its end."""
    try:
        if try_exclusively(users_lock):
            await _in_thread(cluster.stop)
    finally:
        # Before the start lock goes: whoever gets that next does not expect to wait for this one.
        fcntl.flock(users_lock, fcntl.LOCK_UN)


async def _in_thread(call: Callable[[], _T]) -> _T:
    """Run blocking work off the event loop, to its (bounded) end even when cancelled: it is under our lock."""
    work = asyncio.ensure_future(asyncio.to_thread(call))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        while not work.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([work])
        if not work.cancelled():
            work.exception()  # seen; the cancellation goes first
        raise
