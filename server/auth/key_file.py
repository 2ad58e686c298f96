"""A private key in a file that nobody else can read: made once, even by two processes, and checked at every use."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from server.auth.errors import AuthMisconfiguredError

KEY_FILE_BYTES_MAX = 4096


def create_once(path: Path, content: bytes) -> None:
    """Make the file with this content unless it exists.

    It appears whole or not at all, with mode 0600; made by root, it belongs to its directory's owner.

    Args:
        path: in a directory that exists.
        content: at most `KEY_FILE_BYTES_MAX` bytes.

    Raises:
        AuthMisconfiguredError: the directory does not exist, or this process may not write there.

    Source: link(2): an existing name is never replaced, and only one of two processes succeeds.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with _new_private_file(draft) as descriptor:
            _give_to_owner_of(path.parent, descriptor)
            os.write(descriptor, content)
            os.fsync(descriptor)
            with suppress(FileExistsError):
                os.link(draft, path)
        _sync_directory(path.parent)
    except OSError as exc:
        raise AuthMisconfiguredError(
            f"cannot create {path}: {exc.strerror}; its directory must exist, and this process must be its owner"
        ) from exc


def read_private(path: Path) -> bytes | None:
    """Read the file, if it is private.

    Args:
        path: the file; a symbolic link is not followed.

    Returns:
        At most `KEY_FILE_BYTES_MAX` bytes; None when there is no such file.

    Raises:
        AuthMisconfiguredError: not a regular file, readable by others, somebody else's, too long, or not readable.
    """
    try:
        # O_NONBLOCK: opening a fifo would otherwise wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise AuthMisconfiguredError(f"cannot read {path}: {exc.strerror}") from exc
    try:
        _require_private(path, os.fstat(descriptor))
        return os.read(descriptor, KEY_FILE_BYTES_MAX)
    finally:
        os.close(descriptor)


def _require_private(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode) or status.st_size > KEY_FILE_BYTES_MAX:
        raise AuthMisconfiguredError(f"{path} is not a key file; move it away")
    if status.st_mode & 0o077:
        raise AuthMisconfiguredError(
            f"others may have read {path}; delete it to get a new key, which ends every token minted so far"
        )
    owners = {os.geteuid()}
    if os.geteuid() == 0:
        owners.add(path.parent.stat().st_uid)
    if status.st_uid not in owners:
        raise AuthMisconfiguredError(f"{path} belongs to uid {status.st_uid}; run as that user, or move it away")


@contextmanager
def _new_private_file(path: Path) -> Iterator[int]:
    """Open a file that did not exist, and remove its name afterwards."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
        path.unlink(missing_ok=True)


def _give_to_owner_of(directory: Path, descriptor: int) -> None:
    if os.geteuid() == 0:
        owner = directory.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
