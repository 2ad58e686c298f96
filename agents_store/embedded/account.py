"""The operating system's account that owns the data directory and runs PostgreSQL."""

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from agents_store.embedded.locks import lock_within
from agents_store.errors import StoreMisconfiguredError

SERVICE_USER = "glovebox"
_USERADD_TIMEOUT_S = 20.0
_ADMIN_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"


class SpawnIdentity(TypedDict, total=False):
    """What `subprocess.Popen` needs to start a child under another account; empty for the own one."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """Whose the data directory is. The caller's own account, unless the caller is root."""

    uid: int
    gid: int

    @property
    def is_own(self) -> bool:
        """Whether this process runs under it already."""
        return self.uid == os.geteuid()

    def spawn_identity(self) -> SpawnIdentity:
        """How to start a child under this account, without root's supplementary groups."""
        return {} if self.is_own else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def may_enter(self, directory: Path) -> bool:
        """Whether the permission bits let this account pass through the directory (or execute the file)."""
        status = directory.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        if status.st_gid == self.gid:
            return bool(status.st_mode & stat.S_IXGRP)
        return bool(status.st_mode & stat.S_IXOTH)

    def first_closed_parent(self, path: Path) -> Path | None:
        """The topmost existing directory above an absolute path that this account cannot enter, or None."""
        if self.is_own:
            return None  # the system itself will say so, access lists and groups considered
        existing = (parent for parent in reversed(path.parents) if parent.exists())
        return next((parent for parent in existing if not self.may_enter(parent)), None)


def service_account() -> ServiceAccount:
    """The account to use: the own one, or as root the system user `glovebox`, which is made if it is missing.

    PostgreSQL refuses to run as root, and initdb wants an account with an entry in the user database, so that a bare
    number does not do. The user is made with `useradd --system`, without home directory, password or shell.

    Raises:
        StoreMisconfiguredError: the user cannot be made, or is root under another name.
        StoreUnavailableError: another process has been making it for too long.

    Source: PostgreSQL 18, initdb.c and main.c (`get_user_name_or_exit`, `check_root`).
    """
    if os.geteuid() != 0:
        return ServiceAccount(os.geteuid(), os.getegid())
    entry = _find_user() or _make_user()
    if entry.pw_uid == 0:
        raise StoreMisconfiguredError(f"the user {SERVICE_USER!r} is root, and PostgreSQL does not run as root")
    return ServiceAccount(entry.pw_uid, entry.pw_gid)


def require_user_entry(account: ServiceAccount) -> None:
    """Refuse an account that has no name, before initdb does so in words that help nobody.

    Raises:
        StoreMisconfiguredError: the uid has no entry in the user database.
    """
    try:
        pwd.getpwuid(account.uid)
    except KeyError as exc:
        raise StoreMisconfiguredError(
            f"uid {account.uid} has no entry in the user database, without which PostgreSQL does not start: "
            "run as a user that has one, or set DATABASE_URL"
        ) from exc


def _find_user() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(SERVICE_USER)
    except KeyError:
        return None


def _make_user() -> pwd.struct_passwd:
    useradd = shutil.which("useradd", path=_ADMIN_PATH)
    if useradd is None:
        raise StoreMisconfiguredError(f"make a system user named {SERVICE_USER!r}: there is no useradd here")
    # Of two useradd at once, the later replaces the entry of the earlier by one with another uid: it looks for the
    # name before it locks. Its own lock is of another kind (fcntl), so that this one does not disturb it.
    try:
        lock = os.open("/etc/.pwd.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as exc:
        raise StoreMisconfiguredError(f"make a system user named {SERVICE_USER!r}: /etc: {exc.strerror}") from exc
    try:
        lock_within(lock, _USERADD_TIMEOUT_S, f"making the user {SERVICE_USER!r}")
        return _find_user() or _run_useradd(useradd)
    finally:
        os.close(lock)


def _run_useradd(useradd: str) -> pwd.struct_passwd:
    command = [useradd, "--system", "--no-create-home", "--home-dir", "/nonexistent"]
    command += ["--shell", "/usr/sbin/nologin", SERVICE_USER]
    try:
        made = subprocess.run(  # noqa: S603 - a fixed command
            command, env={"PATH": _ADMIN_PATH}, capture_output=True, text=True, timeout=_USERADD_TIMEOUT_S
        )
    except subprocess.TimeoutExpired as exc:
        raise StoreMisconfiguredError(f"useradd does not end; make a system user named {SERVICE_USER!r}") from exc
    entry = _find_user()
    if entry is None:
        raise StoreMisconfiguredError(
            f"make a system user named {SERVICE_USER!r}: useradd says {made.stderr.strip()[-500:]!r}"
        )
    return entry
