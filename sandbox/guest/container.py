"""The first process of a container: forks one single-use child per run, passes bytes on, and leaves nothing of it.

It never reads what a program wrote: it only carries it. Programs run under the same uid, because a container without
capabilities has no other; what keeps them from the guest is that
- the first process of a pid namespace gets only signals that it handles from inside it, and SIGCHLD is but a hint;
- it is not dumpable, so that its memory and descriptors in /proc belong to root;
- the seccomp profile refuses ptrace, and resource limits, priorities and affinities of any process but the caller;
- its way to the host, the container's standard input and output, is closed in every child.

Sources: pid_namespaces(7), ptrace(2) "ptrace access mode checking", prctl(2) PR_SET_DUMPABLE.
"""

import gc
import importlib
import json
import os
import select
import signal
import socket
import traceback
from collections.abc import Mapping
from contextlib import suppress
from typing import NoReturn

from sandbox.guest import kernel
from sandbox.guest.container_child import serve_one_job
from sandbox.guest.container_frames import CHUNK_BYTES_MAX, Order, Word
from sandbox.guest.container_memory import use_huge_pages
from sandbox.guest.container_scratch import is_full, wipe
from sandbox.guest.frames import HEADER

HOST_IN, HOST_OUT, WOKEN = 10, 11, 12
# What a program may need soonest, and what the child itself works with.
STANDARD_MODULES = (
    "asyncio", "base64", "collections", "concurrent.futures", "csv", "dataclasses", "datetime", "decimal", "email",
    "enum", "fractions", "functools", "hashlib", "heapq", "html", "http.client", "inspect", "io", "itertools", "json",
    "logging", "math", "multiprocessing", "operator", "pathlib", "pickle", "random", "re", "secrets", "socket",
    "sqlite3", "statistics", "string", "subprocess", "tempfile", "textwrap", "threading", "time", "traceback", "typing",
    "unicodedata", "urllib.parse", "urllib.request", "uuid", "xml.etree.ElementTree", "zipfile", "zoneinfo",
)  # fmt: skip
# A job that is already on its way goes before importing ahead.
QUIET_MS = 50
_UNSENT_BYTES_MAX = 256 * 1024
_OOM_FIRST = 1000


class Child:
    """A forked child: its channel and what it prints, as the guest holds them. What is closed is None."""

    def __init__(self, pid: int, channel: socket.socket, printed: int) -> None:
        self.pid = pid
        self.channel: socket.socket | None = channel
        self.printed: int | None = printed
        self.unfed = bytearray()
        self.fed = False
        channel.setblocking(False)
        os.set_blocking(printed, False)

    def feed(self, data: bytes = b"") -> None:
        """Pass bytes on to its channel, as far as it takes them now."""
        self.fed = True
        self.unfed += data
        if self.channel is None:
            self.unfed.clear()
            return
        try:
            del self.unfed[: self.channel.send(self.unfed)]
        except BlockingIOError:
            pass
        except OSError:  # it closed its end
            self.unfed.clear()

    def read_printed(self) -> bytes:
        """What went to its standard output since, empty when nothing did."""
        if self.printed is None:
            return b""
        try:
            data = os.read(self.printed, CHUNK_BYTES_MAX)
        except BlockingIOError:
            return b""
        if not data:
            os.close(self.printed)
            self.printed = None
        return data

    def read_channel(self) -> bytes:
        """What it said since, empty when it said nothing."""
        if self.channel is None:
            return b""
        try:
            data = self.channel.recv(CHUNK_BYTES_MAX)
        except BlockingIOError:
            return b""
        except OSError:  # it left unread what it was fed
            data = b""
        if not data:
            self.channel.close()
            self.channel = None
        return data

    def close(self) -> None:
        """Let go of every descriptor. Idempotent."""
        if self.printed is not None:
            os.close(self.printed)
        if self.channel is not None:
            self.channel.close()
        self.printed = self.channel = None


def main(preload_file: str, *, packages: bool) -> NoReturn:
    """Serve runs until the host closes the container's standard input.

    Args:
        preload_file: JSON that names, under "modules", the image's packages; it may be missing.
        packages: whether to import them ahead of need.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # with Python's handler a program could interrupt its guest
    kernel.set_dumpable(False)
    _put_host_aside()
    try:
        _wake_when_children_end()
        wipe()
        Guest([*STANDARD_MODULES, *(_packages(preload_file) if packages else ())]).serve()
    except BaseException:  # noqa: BLE001 - whatever it was: the container is of no use, and says why
        traceback.print_exc()
    os._exit(1)


class Guest:
    """Carries bytes between the host and the one child."""

    def __init__(self, to_import: list[str]) -> None:
        self._to_import = to_import
        self._child: Child | None = None
        self._is_new = True
        self._unread = bytearray()
        self._unsent = bytearray()

    def serve(self) -> None:
        """Work until the host hangs up. Raises OSError for what makes the container useless: it ends then."""
        self._tell(Word.READY)
        while True:
            child = self._child
            events = dict(self._poll(child).poll(self._patience()))
            if not events:
                self._use_the_quiet()
            if HOST_OUT in events:
                self._send()
            if HOST_IN in events:
                received = os.read(HOST_IN, CHUNK_BYTES_MAX)
                if not received:
                    return
                self._unread += received
                self._obey()
            if WOKEN in events:
                self._reap()
            if child is not None and child is self._child:
                self._serve_child(child, events)

    def _poll(self, child: Child | None) -> select.poll:
        poll = select.poll()
        poll.register(HOST_IN, select.POLLIN)
        poll.register(WOKEN, select.POLLIN)
        if self._unsent:
            poll.register(HOST_OUT, select.POLLOUT)
        if child is None:
            return poll
        held_up = len(self._unsent) >= _UNSENT_BYTES_MAX
        if child.printed is not None and not held_up:
            poll.register(child.printed, select.POLLIN)
        if child.channel is not None and (child.unfed or not held_up):
            wanted = (select.POLLOUT if child.unfed else 0) | (0 if held_up else select.POLLIN)
            poll.register(child.channel, wanted)
        return poll

    def _patience(self) -> int | None:
        if self._child is not None:
            return None
        return QUIET_MS if self._to_import and self._is_new else 0

    def _use_the_quiet(self) -> None:
        """Import one module ahead of need; when all are there, fork the next child ahead."""
        self._is_new = False
        if not self._to_import:
            self._child = _fork()
            return
        # A package may fail in any way; the run that wants it then meets that itself.
        with suppress(BaseException):
            importlib.import_module(self._to_import.pop(0))
        wipe()  # some keep a cache in the home directory
        if not self._to_import:
            gc.collect()
            gc.freeze()  # no collection in a child writes to the pages it shares with the guest
            use_huge_pages()
            self._tell(Word.WARM)

    def _obey(self) -> None:
        while len(self._unread) >= HEADER.size:
            order, length = HEADER.unpack_from(self._unread)
            end = HEADER.size + length
            if len(self._unread) < end:
                return
            payload = bytes(self._unread[HEADER.size : end])
            del self._unread[:end]
            if order == Order.FEED:
                self._have_child().feed(payload)
            elif order == Order.PREPARE:
                self._have_child()
                self._tell(Word.STARTED)
            else:
                self._end_run()

    def _have_child(self) -> Child:
        self._is_new = False
        if self._child is None:
            self._child = _fork()
        return self._child

    def _serve_child(self, child: Child, events: Mapping[int, int]) -> None:
        state = 0 if child.channel is None else events.get(child.channel.fileno(), 0)
        if state & select.POLLOUT:
            child.feed()
        # The child says nothing before what it printed is read, so that what is printed by now came later.
        if state & ~select.POLLOUT:
            self._pass_on(Word.SAID, child.read_channel())
        if child.printed in events:
            self._pass_on(Word.PRINTED, child.read_printed())

    def _reap(self) -> None:
        """Take leave of processes that ended; the child's end is the end of everything."""
        os.read(WOKEN, CHUNK_BYTES_MAX)
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if self._child is not None and ended[0] == self._child.pid:
                    self._report_end(self._child, ended[1])

    def _report_end(self, child: Child, status: int) -> None:
        _kill_everything()
        while data := child.read_channel():
            self._pass_on(Word.SAID, data)
        while data := child.read_printed():
            self._pass_on(Word.PRINTED, data)
        child.close()
        self._tell(Word.ENDED, json.dumps({"status": status, "full": is_full()}).encode())

    def _end_run(self) -> None:
        if self._child is not None:
            _kill_everything()
            self._child.close()
            self._child = None
        wipe()
        self._tell(Word.READY)

    def _pass_on(self, word: Word, data: bytes) -> None:
        if data:
            self._tell(word, data)

    def _tell(self, word: Word, payload: bytes = b"") -> None:
        self._unsent += HEADER.pack(word, len(payload)) + payload
        self._send()

    def _send(self) -> None:
        with suppress(BlockingIOError):
            while self._unsent:
                del self._unsent[: os.write(HOST_OUT, self._unsent)]


def _put_host_aside() -> None:
    """Keep the way to the host from what packages print while they are imported; that goes to standard error."""
    for ours, theirs in ((HOST_IN, 0), (HOST_OUT, 1)):
        os.dup2(theirs, ours, inheritable=False)
        os.set_blocking(ours, False)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)


def _packages(preload_file: str) -> list[str]:
    try:
        with open(preload_file, encoding="utf-8") as file:
            return list(json.load(file)["modules"])
    except FileNotFoundError:
        return []


def _fork() -> Child:
    ours, theirs = socket.socketpair()
    printed, printing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _offer_to_oom_killer()
            serve_one_job(theirs.fileno(), printing)
        finally:
            os._exit(1)
    theirs.close()
    os.close(printing)
    return Child(pid, ours, printed)


def _offer_to_oom_killer() -> None:
    """When the container runs out of memory, the kernel shall end the program and not its guest."""
    kernel.set_dumpable(True)  # else the file belongs to root
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write(str(_OOM_FIRST))
    kernel.set_dumpable(False)


def _kill_everything() -> None:
    """Kill every process but this one and wait until they are gone."""
    with suppress(ChildProcessError):
        while True:
            with suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)  # again in each round: what forks may have been ahead of it
            os.waitpid(-1, 0)


def _wake_when_children_end() -> None:
    woken, waker = os.pipe()
    os.dup2(woken, WOKEN, inheritable=False)
    os.close(woken)
    os.set_blocking(WOKEN, False)
    os.set_blocking(waker, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
