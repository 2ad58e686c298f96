"""The socket of a sandbox host: in a directory that nobody else can change, for its own user alone, one host each."""

import fcntl
import os
import secrets
import socket
import stat
from contextlib import suppress
from pathlib import Path
from typing import Self

BACKLOG = 256
_OWNER_CHARS = 32


class AddressError(Exception):
    """A socket cannot be served at this path; the message says why and what to do."""


class Address:
    """The listening socket of one host, held against other hosts by a lock that ends with the process.

    Attributes:
        path: where it is.
        listener: bound, mode 0600, listening.
        owner: what all hosts of this path have been called since the first, and no other host is.
    """

    def __init__(self, path: Path, lock: int, listener: socket.socket, owner: str) -> None:
        self.path = path
        self.listener = listener
        self.owner = owner
        self._lock = lock

    @classmethod
    def take(cls, path: Path) -> Self:
        """Take the path over from a host that is gone. Raises AddressError."""
        directory = path.absolute().parent
        try:
            with suppress(FileExistsError):
                directory.mkdir(mode=0o700)
            _require_private(directory)
            lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise AddressError(
                f"{directory} cannot hold the socket: {error.strerror}; choose another --socket"
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return cls(path, lock, _listen(path), _owner(lock))
        except BlockingIOError as error:
            os.close(lock)
            raise AddressError(f"another sandbox host serves {path}: stop it, or choose another --socket") from error
        except OSError as error:
            os.close(lock)
            raise AddressError(f"{path} cannot be listened on: {error.strerror or error}") from error

    def release(self) -> None:
        """Stop listening and let another host have the path. Idempotent."""
        if self._lock < 0:
            return
        self.listener.close()
        self.path.unlink(missing_ok=True)
        os.close(self._lock)
        self._lock = -1


def _require_private(directory: Path) -> None:
    """Whoever can rename in the directory can put a socket of their own in our place."""
    seen = directory.stat()
    if seen.st_uid not in (0, os.geteuid()):
        raise AddressError(f"{directory} belongs to another user: choose another --socket")
    if seen.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise AddressError(f"{directory} may be changed by other users: chmod go-w, or choose another --socket")


def _owner(lock: int) -> str:
    """What the lock file says, which the first host wrote."""
    known = os.pread(lock, _OWNER_CHARS, 0).decode("ascii", "replace")
    if len(known) == _OWNER_CHARS:
        return known
    made = secrets.token_hex(_OWNER_CHARS // 2)
    os.pwrite(lock, made.encode(), 0)
    return made


def _listen(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # The mode is there from the first moment on: bind(2) makes the file with what the descriptor's own mode allows.
    os.fchmod(listener.fileno(), 0o600)
    try:
        listener.bind(str(path))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener
