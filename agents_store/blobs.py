"""Where bytes are stored that are no rows: the contract, and a directory that fulfils it."""

import asyncio
import os
import re
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from agents_store.errors import StoreMisconfiguredError, StoreUnavailableError, UnknownFileError

T = TypeVar("T")

KEY_CHARS_MAX = 200
_KEY = re.compile(r"[0-9a-f-]{1,64}(?:/[0-9a-f-]{1,64}){0,3}", re.ASCII)


class Blobs(Protocol):
    """Bytes by key. A key is parts of hexadecimal digits and hyphens, joined by slashes; it is written once."""

    async def open(self) -> None:
        """Make ready. Raises StoreMisconfiguredError with what to do."""

    async def close(self) -> None:
        """Let go of what is open. Idempotent."""

    async def put(self, key: str, content: bytes) -> None:
        """Store bytes, whole or not at all. Raises StoreUnavailableError."""

    async def get(self, key: str) -> bytes:
        """The bytes. Raises UnknownFileError, StoreUnavailableError."""

    async def remove(self, keys: Sequence[str]) -> None:
        """Remove bytes, where they are there. Raises StoreUnavailableError: some may be left."""


def require_key(key: str) -> str:
    """The key, which is one. Raises ValueError."""
    if len(key) > KEY_CHARS_MAX or not _KEY.fullmatch(key):
        raise ValueError("this is no key of stored bytes")
    return key


class DirectoryBlobs:
    """A directory that belongs to this process alone, or to the servers of one machine together.

    Args:
        directory: made with mode 0700 when something is stored first.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def open(self) -> None:
        """See `Blobs`."""
        await asyncio.to_thread(self._look)

    async def close(self) -> None:
        """See `Blobs`."""

    async def put(self, key: str, content: bytes) -> None:
        """See `Blobs`."""
        await self._do(lambda: self._write(self._path(key), content))

    async def get(self, key: str) -> bytes:
        """See `Blobs`."""
        try:
            return await self._do(self._path(key).read_bytes)
        except FileNotFoundError as exc:
            raise UnknownFileError(f"nothing is stored under {key}") from exc

    async def remove(self, keys: Sequence[str]) -> None:
        """See `Blobs`."""
        paths = [self._path(key) for key in keys]
        await self._do(lambda: self._unlink(paths))

    async def _do(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except FileNotFoundError:
            raise
        except OSError as exc:
            raise StoreUnavailableError("the directory of files cannot be used now") from exc

    def _look(self) -> None:
        try:
            mode = self._directory.stat().st_mode
        except FileNotFoundError:
            return
        except OSError as exc:
            raise StoreMisconfiguredError(f"{self._directory} cannot be used: {exc.strerror}") from exc
        if mode & 0o077:
            raise StoreMisconfiguredError(f"others may read {self._directory}: run `chmod 700` on it")
        if not os.access(self._directory, os.R_OK | os.W_OK | os.X_OK):
            raise StoreMisconfiguredError(f"this process may not write to {self._directory}")

    def _path(self, key: str) -> Path:
        return self._directory / require_key(key)

    def _write(self, path: Path, content: bytes) -> None:
        draft = path.with_name(f".{secrets.token_hex(8)}")
        for _ in range(3):  # `_unlink` may take an empty directory away meanwhile
            try:
                self._make_parents(path)
                descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            except FileNotFoundError:
                continue
            break
        else:
            raise OSError(f"{path.parent} goes away again and again")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.rename(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise

    def _make_parents(self, path: Path) -> None:
        inner = [parent for parent in path.parents if parent.is_relative_to(self._directory)]
        for parent in reversed(inner):  # one by one: `parents=True` gives the mode to the last one only
            parent.mkdir(mode=0o700, parents=parent == self._directory, exist_ok=True)

    def _unlink(self, paths: Sequence[Path]) -> None:
        """Remove files, and the directories above them that are empty then."""
        for path in paths:
            path.unlink(missing_ok=True)
            for parent in path.parents:
                if parent == self._directory:
                    break
                try:
                    parent.rmdir()
                except OSError:  # not empty, or gone
                    break
