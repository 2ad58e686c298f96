"""Sessions that `glovebox login` keeps: one for each server, in a private file, refreshed when they end soon."""

import fcntl
import json
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from server.cli.errors import CliError, Exit, NotAuthenticatedError
from server.cli.sign_in import Session, SignIn

REFRESH_S = 60  # before its token ends, a session is refreshed
FILE_BYTES_MAX = 1024**2
LOCK_S_MAX = 30.0


class Sessions:
    """The file of sessions, keyed by the server that they are for: a token is never sent to another one."""

    def __init__(self, path: Path) -> None:
        """Nothing is read yet."""
        self._path = path

    def find(self, server: str) -> Session | None:
        """The session for a server, as it is. Raises CliError where the file is not private or not readable."""
        return self._read().get(server)

    def current(self, server: str) -> Session | None:
        """The session for a server, refreshed where its token ends soon. None: nobody is signed in there.

        Raises:
            NotAuthenticatedError: it has ended.
            CliError: the file cannot be used, or the project does not answer.
        """
        session = self.find(server)
        if session is None or session.expires_at_s - REFRESH_S > time.time():
            return session
        with self._locked():
            # Another command may have refreshed it meanwhile; a refresh token is good for one time.
            session = self.find(server)
            if session is None or session.expires_at_s - REFRESH_S > time.time():
                return session
            try:
                with SignIn(session.supabase_url, session.publishable_key) as project:
                    session = project.refreshed(session)
            except CliError as exc:
                if exc.exit_code is Exit.AUTH:
                    raise NotAuthenticatedError("the session has ended: sign in again with `glovebox login`") from exc
                raise
            self._write({**self._read(), server: session})
            return session

    def keep(self, server: str, session: Session) -> None:
        """Keep a session for a server, in place of the one before. Raises CliError."""
        with self._locked():
            self._write({**self._read(), server: session})

    def forget(self, server: str) -> None:
        """Keep no session for a server. Raises CliError."""
        with self._locked():
            self._write({known: session for known, session in self._read().items() if known != server})

    def _read(self) -> dict[str, Session]:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return {}
        except OSError as exc:
            raise CliError(f"cannot read {self._path}: {exc.strerror}") from exc
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077 or status.st_uid != os.geteuid():
                raise CliError(f"others may have read {self._path}", hint="delete it and sign in again")
            content = file.read(FILE_BYTES_MAX)
        try:
            known: Any = json.loads(content)
            return {server: Session(**session) for server, session in known.items()}
        except (ValueError, TypeError, AttributeError) as exc:
            raise CliError(f"{self._path} holds no sessions", hint="delete it and sign in again") from exc

    def _write(self, sessions: dict[str, Session]) -> None:
        """Put a whole new file in place of the old one, mode 0600 from the start."""
        draft = self._path.with_name(f".{self._path.name}.{secrets.token_hex(8)}")
        text = json.dumps({server: session.as_object() for server, session in sessions.items()}, indent=1)
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(text)
            draft.replace(self._path)
        except OSError as exc:
            with suppress(OSError):
                draft.unlink()
            raise CliError(f"cannot write {self._path}: {exc.strerror}") from exc

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Alone among the commands of this user."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = self._path.with_name(f"{self._path.name}.lock")
            descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            raise CliError(f"cannot write beside {self._path}: {exc.strerror}") from exc
        try:
            _lock(descriptor)
            yield
        finally:
            os.close(descriptor)


def _lock(descriptor: int) -> None:
    """Take the lock, which whoever dies gives up. Raises CliError after `LOCK_S_MAX`."""
    deadline = time.monotonic() + LOCK_S_MAX
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise CliError("another command holds the sessions for too long") from None
            time.sleep(0.05)
        else:
            return
