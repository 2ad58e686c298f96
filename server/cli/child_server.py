"""A server in a child process on a free loopback port, which ends with the process that wanted it."""

import os
import signal
import tempfile
import threading
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import Self

from agents_store.errors import StoreError, StoreMisconfiguredError
from sandbox.errors import SandboxError
from server.auth.errors import AuthError
from server.cli.errors import CliError
from server.cli.serve import run_server
from server.settings import Settings

START_TIMEOUT_S = 150.0  # the first start makes a database
STOP_TIMEOUT_S = 60.0
LOG_TAIL_BYTES = 2000


class ChildServer:
    """Runs as long as its context. Its log is kept for the message when it does not start.

    Attributes:
        url: where it listens.
    """

    def __init__(self, settings: Settings) -> None:
        self.url = ""
        self._settings = settings

    def __enter__(self) -> Self:
        """Start it and wait until it answers.

        Raises:
            StoreMisconfiguredError: the database cannot be kept in this data directory.
            CliError: it did not start in time, or ended; the message has the reason.
        """
        # Spawned, not forked: nothing of this process gets into it but the arguments.
        context = get_context("spawn")
        self._log = tempfile.NamedTemporaryFile(prefix="glovebox-demo-", delete=False)
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(self._settings, theirs, self._log.name))
        self._process.start()
        theirs.close()
        try:
            self.url = self._await_url()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def _await_url(self) -> str:
        if not wait([self._ours], START_TIMEOUT_S):
            raise CliError(f"the server did not start within {START_TIMEOUT_S:.0f} s", hint=self._log_tail())
        try:
            kind, text = self._ours.recv()
        except EOFError as exc:
            raise CliError("the server ended while it started", hint=self._log_tail()) from exc
        if kind == "misconfigured":
            raise StoreMisconfiguredError(text)
        if kind != "listening":
            raise CliError(f"the server did not start: {text}")
        return str(text)

    def _stop(self) -> None:
        self._ours.close()
        self._process.join(STOP_TIMEOUT_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._log.close()
        Path(self._log.name).unlink(missing_ok=True)

    def _log_tail(self) -> str:
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
        return self._log.read().decode(errors="replace")


def _run(settings: Settings, parent: Connection, log_path: str) -> None:
    """Be the child: serve until told to stop, or until the parent is gone."""
    with Path(log_path).open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    Path(log_path).unlink()  # from now on it ends with the processes that hold it open, even if they are killed
    # Ctrl-C reaches the whole foreground group; the parent decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_stop_with, args=(parent,), daemon=True).start()
    try:
        run_server(settings, "127.0.0.1", 0, lambda url: parent.send(("listening", url)))
    except StoreMisconfiguredError as exc:
        parent.send(("misconfigured", str(exc)))
    except (CliError, StoreError, AuthError, SandboxError) as exc:
        parent.send(("failed", str(exc)))


def _stop_with(parent: Connection) -> None:
    """End this process in good order when the other end of the pipe is closed, however that came about."""
    wait([parent])
    os.kill(os.getpid(), signal.SIGTERM)
