"""The data directory: whose it is, who may reach it, and the private files in it."""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agents_store.embedded.account import SERVICE_USER, ServiceAccount, service_account
from agents_store.embedded.locks import lock_within
from agents_store.errors import StoreMisconfiguredError, StoreUnavailableError

MARKER = "glovebox-data"  # an empty file that tells a directory of ours from one that happens to be there
_ADOPT_TIMEOUT_S = 10.0
_FILE_BYTES_MAX = 64 * 1024


def locate(data_dir: Path) -> Path:
    """The absolute path of a data directory: links above it are followed, the last part is taken as it stands."""
    absolute = Path.cwd() / data_dir
    if absolute.name in ("", ".."):
        return absolute.resolve()
    return absolute.parent.resolve() / absolute.name


def prepare_data_dir(data_dir: Path) -> None:
    """Make the directory, or take over an empty one, so that it is 0700 and owned by the service's account.

    Starts nothing, may run in several processes at once, and changes no directory above. Missing directories above
    are made with the rights that the umask gives. Blocks for a few milliseconds, at most 10 s.

    Raises:
        StoreMisconfiguredError: it is a link, is open to others, is somebody else's, holds what is not ours, or lies
            where the service's account cannot reach it. Nothing in it was changed.
        StoreUnavailableError: another process holds it for too long.
    """
    prepare(locate(data_dir))


def data_dir_owner(data_dir: Path) -> tuple[int, int]:
    """Uid and gid of the account that everything in a prepared data directory belongs to."""
    status = locate(data_dir).stat()
    return status.st_uid, status.st_gid


def read_or_create_private_file(data_dir: Path, name: str, content: bytes) -> bytes:
    """What the file in a prepared data directory holds; where it is missing it is made, 0600, with `content`.

    It appears whole or not at all, and of several processes that make it at once all get the same.

    Args:
        data_dir: the prepared data directory.
        name: the file's name, without any directory.
        content: what to store when the file is missing, at most 64 KiB.

    Raises:
        StoreMisconfiguredError: the file is not a plain file of the service's account, or others may read it.
    """
    home = locate(data_dir)
    with explained(home):
        account = ServiceAccount(*data_dir_owner(home))
        existing = read_private_file(home / name, account)
        if existing is not None:
            return existing
        draft = _write_draft(home / name, content, account)
        try:
            # Unlike a rename, a link never replaces what another process put there first.
            (home / name).hardlink_to(draft)
            _sync_directory(home)
            return content
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        existing = read_private_file(home / name, account)
    if existing is None:
        raise StoreUnavailableError(f"{home / name} vanished while it was read")
    return existing


def prepare(home: Path) -> ServiceAccount:
    """Like `prepare_data_dir`, for a path from `locate`. Returns the account that everything belongs to."""
    account = service_account()
    with explained(home):
        _require_reachable(home, account)
        home.parent.mkdir(parents=True, exist_ok=True)
        _require_reachable(home, account)
        with suppress(FileExistsError):
            home.mkdir(mode=0o700)
        with _opened_directory(home) as fd:
            # The directory itself, since nothing in it is ours yet. Closing it unlocks it.
            lock_within(fd, _ADOPT_TIMEOUT_S, f"preparing data directory {home}")
            _adopt(fd, home, account)
    return account


def open_private(path: Path, flags: int, account: ServiceAccount) -> int:
    """Open a file of ours, made 0600 and owned by the account where it is missing. The caller closes the descriptor.

    Raises:
        StoreMisconfiguredError: it is not a plain file with a single name.
    """
    # No link is followed: as root we write in a directory that a lesser account owns.
    fd = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        os.close(fd)
        raise StoreMisconfiguredError(f"{path} is not a plain file")
    if status.st_uid != account.uid:
        os.fchown(fd, account.uid, account.gid)
    return fd


def read_private_file(path: Path, account: ServiceAccount) -> bytes | None:
    """What a private file holds, None where there is none.

    Raises:
        StoreMisconfiguredError: it is not a plain file of the account, or others may read it.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != account.uid:
            raise StoreMisconfiguredError(f"{path} is not a plain file of uid {account.uid}")
        if status.st_mode & 0o077:
            raise StoreMisconfiguredError(f"{path} is open to other users: chmod 600 {path}")
        return file.read(_FILE_BYTES_MAX)


def write_private_file(path: Path, content: bytes, account: ServiceAccount) -> None:
    """Replace a file as a whole: a reader, or a crash, sees the old content or the new."""
    _write_draft(path, content, account).rename(path)
    _sync_directory(path.parent)


def rename_durably(source: Path, target: Path) -> None:
    """Rename within one directory so that a crash of the machine afterwards does not undo it."""
    source.rename(target)
    _sync_directory(target.parent)


def _write_draft(path: Path, content: bytes, account: ServiceAccount) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    fd = open_private(draft, os.O_WRONLY | os.O_EXCL, account)
    with os.fdopen(fd, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(fd)
    return draft


def _sync_directory(directory: Path) -> None:
    with _opened_directory(directory) as fd:
        os.fsync(fd)


@contextmanager
def _opened_directory(directory: Path) -> Iterator[int]:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def explained(home: Path) -> Iterator[None]:
    """Turn the system's refusals within the block into store errors that name the directory and what to do."""
    try:
        yield
    except (PermissionError, NotADirectoryError) as exc:
        path = exc.filename or home
        raise StoreMisconfiguredError(
            f"data directory {home}: {path}: {exc.strerror}. It must be a directory, not a link, that this user "
            "may write: choose another with --data-dir"
        ) from exc
    except OSError as exc:
        misplaced = exc.errno in (errno.ELOOP, errno.EROFS, errno.ENAMETOOLONG)
        error = StoreMisconfiguredError if misplaced else StoreUnavailableError
        raise error(f"data directory {home}: {exc.filename or home}: {exc.strerror}") from exc


def _require_reachable(home: Path, account: ServiceAccount) -> None:
    closed = account.first_closed_parent(home)
    if closed is not None:
        raise StoreMisconfiguredError(
            f"data directory {home}: {closed} cannot be entered by the user {SERVICE_USER!r}, as which PostgreSQL "
            f"runs when Glovebox is root: choose another --data-dir, or chmod o+x {closed}"
        )


def _adopt(fd: int, home: Path, account: ServiceAccount) -> None:
    """Verify a directory of ours, or make an empty one ours."""
    status = os.fstat(fd)
    entries = os.listdir(fd)
    if status.st_mode & stat.S_IWOTH or (entries and status.st_mode & stat.S_IWGRP):
        raise StoreMisconfiguredError(f"data directory {home} can be written by other users: chmod 700 {home}")
    owners = {account.uid} if entries else {account.uid, os.geteuid()}
    if status.st_uid not in owners:
        raise StoreMisconfiguredError(
            f"data directory {home} belongs to uid {status.st_uid}, Glovebox keeps its data as uid {account.uid}: "
            "choose another --data-dir, or run as the user that it belongs to"
        )
    if not entries:
        os.fchmod(fd, 0o700)
        if status.st_uid != account.uid:
            os.fchown(fd, account.uid, account.gid)
        os.close(open_private(home / MARKER, os.O_WRONLY | os.O_EXCL, account))
    elif MARKER not in entries:
        raise StoreMisconfiguredError(f"data directory {home} holds what is not Glovebox's: choose another --data-dir")
