"""The first process of a container: forks one single-use child per run, passes bytes on, and leaves nothing of it.

It never reads what a program wrote: it only carries it. Programs run under the same uid, because a container without
capabilities has no other; what keeps them from the guest is that
- the first process of a pid namespace gets only signals that it handles from inside it, and SIGCHLD is but a hint;
- it is not dumpable, so that its memory and descriptors in /proc belong to root;
- the seccomp profile refuses ptrace, and resource limits, priorities and affinities of any process but the caller;
- its ways to the host, the container's standard input and output and the pipe `NEAR_OUT`, are closed in every child.

Sources: pid_namespaces(7), ptrace(2) "ptrace access mode checking", prctl(2) PR_SET_DUMPABLE.
"""

import gc
import importlib
import json
import os
import select
import signal
import traceback
from collections.abc import Mapping
from contextlib import suppress
from typing import NoReturn

from sandbox.guest import kernel
from sandbox.guest.container_child import Stage
from sandbox.guest.container_fork import Child, fork, kill_everything
from sandbox.guest.container_frames import CHUNK_BYTES_MAX, HOST_IN, NEAR_OUT, Order, Word
from sandbox.guest.container_memory import use_huge_pages
from sandbox.guest.container_modules import LARGE_MODULES, STANDARD_MODULES
from sandbox.guest.container_scratch import is_full, wipe
from sandbox.guest.frames import HEADER

HOST_OUT, WOKEN, OOM_SCORE = 11, 12, 13
# A job that is already on its way goes before importing ahead.
QUIET_MS = 50
_UNSENT_BYTES_MAX = 256 * 1024
# Plain numbers: an enumeration is some tens of pages to copy behind each fork.
_READY, _WARM, _SAID, _PRINTED, _STARTED, _ENDED = (int(word) for word in Word)
_FEED, _PREPARE, _NEAR = int(Order.FEED), int(Order.PREPARE), int(Order.NEAR)
_HOST: tuple[tuple[int, int], ...] = ((HOST_IN, select.POLLIN), (WOKEN, select.POLLIN))
_REHEARSALS = 32


def main(preload_file: str, *, packages: bool) -> NoReturn:
    """Serve runs until the host closes the container's standard input.

    Args:
        preload_file: JSON that names, under "modules", the image's packages; it may be missing.
        packages: whether to import them, and large modules of the standard library, ahead of need.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # with Python's handler a program could interrupt its guest
    _put_aside(os.open("/proc/self/oom_score_adj", os.O_RDWR), OOM_SCORE)  # root's as soon as it is not dumpable
    kernel.set_dumpable(False)
    _put_host_aside()
    try:
        _wake_when_children_end()
        wipe()
        Guest([*STANDARD_MODULES, *((*LARGE_MODULES, *_packages(preload_file)) if packages else ())]).serve()
    except BaseException:  # noqa: BLE001 - whatever it was: the container is of no use, and says why
        traceback.print_exc()
    os._exit(1)


class Guest:
    """Carries bytes between the host and the one child."""

    def __init__(self, to_import: list[str]) -> None:
        self._to_import = to_import
        self._stage = Stage()
        self._usual_score = os.pread(OOM_SCORE, 16, 0)
        self._child: Child | None = None
        self._is_new = True
        self._unread = bytearray()
        self._unsent = bytearray()
        self._out = HOST_OUT
        self._poll = select.poll()
        self._looking_for: tuple[tuple[int, int], ...] = ()

    def serve(self) -> None:
        """Work until the host hangs up. Raises OSError for what makes the container useless: it ends then."""
        self._tell(_READY)
        while True:
            child = self._child
            events = dict(self._look_out_for(self._wanted(child)).poll(self._patience()))
            if not events:
                self._use_the_quiet()
            if self._out in events:
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

    def _wanted(self, child: Child | None) -> tuple[tuple[int, int], ...]:
        wanted = (*_HOST, (self._out, select.POLLOUT)) if self._unsent else _HOST
        if child is None:
            return wanted
        held_up = len(self._unsent) >= _UNSENT_BYTES_MAX
        if child.printed is not None and not held_up:
            wanted += ((child.printed, select.POLLIN),)
        if child.channel is not None and (child.unfed or not held_up):
            wanted += ((child.channel, (select.POLLOUT if child.unfed else 0) | (0 if held_up else select.POLLIN)),)
        return wanted

    def _look_out_for(self, wanted: tuple[tuple[int, int], ...]) -> select.poll:
        if wanted != self._looking_for:
            self._poll = select.poll()
            for descriptor, events in wanted:
                self._poll.register(descriptor, events)
            self._looking_for = wanted
        return self._poll

    def _patience(self) -> int | None:
        if self._child is not None:
            return None
        return QUIET_MS if self._to_import and self._is_new else 0

    def _use_the_quiet(self) -> None:
        """Import one module ahead of need; when all are there, fork the next child ahead."""
        self._is_new = False
        if not self._to_import:
            self._child = fork(self._stage, OOM_SCORE, self._usual_score)
            return
        # A package may fail in any way; the run that wants it then meets that itself.
        with suppress(BaseException):
            importlib.import_module(self._to_import.pop(0))
        wipe()  # some keep a cache in the home directory
        if not self._to_import:
            for _ in range(_REHEARSALS):  # the interpreter adapts code that is run often, and writes to it until then
                self._stage.rehearse()
            gc.collect()
            gc.freeze()  # no collection in a child writes to the pages it shares with the guest
            use_huge_pages()
            self._tell(_WARM)

    def _obey(self) -> None:
        while len(self._unread) >= HEADER.size:
            order, length = HEADER.unpack_from(self._unread)
            end = HEADER.size + length
            if len(self._unread) < end:
                return
            payload = bytes(self._unread[HEADER.size : end])
            del self._unread[:end]
            if order == _FEED:
                self._have_child().feed(payload)
            elif order == _PREPARE:
                self._have_child()
                self._tell(_STARTED)
            elif order == _NEAR:
                self._come_near()
            else:
                self._end_run()

    def _come_near(self) -> None:
        os.set_blocking(self._out, True)  # what is on its way there goes first
        self._send()
        self._out = NEAR_OUT

    def _have_child(self) -> Child:
        self._is_new = False
        if self._child is None:
            self._child = fork(self._stage, OOM_SCORE, self._usual_score)
        return self._child

    def _serve_child(self, child: Child, events: Mapping[int, int]) -> None:
        state = 0 if child.channel is None else events.get(child.channel, 0)
        if state & select.POLLOUT:
            child.feed()
        # The child says nothing before what it printed is read, so that what is printed by now came later.
        if state & ~select.POLLOUT:
            self._pass_on(_SAID, child.read_channel())
        if child.printed in events:
            self._pass_on(_PRINTED, child.read_printed())

    def _reap(self) -> None:
        """Take leave of processes that ended; the child's end is the end of everything."""
        _forget_wakeups()  # which ending a run may have done already
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if self._child is not None and ended[0] == self._child.pid:
                    self._report_end(self._child, ended[1])

    def _report_end(self, child: Child, status: int) -> None:
        kill_everything()
        while data := child.read_channel():
            self._pass_on(_SAID, data)
        while data := child.read_printed():
            self._pass_on(_PRINTED, data)
        child.close()
        self._tell(_ENDED, json.dumps({"status": status, "full": is_full()}).encode())

    def _end_run(self) -> None:
        if self._child is not None:
            kill_everything()
            self._child.close()
            self._child = None
            _forget_wakeups()
        wipe()
        self._tell(_READY)

    def _pass_on(self, word: int, data: bytes) -> None:
        if data:
            self._tell(word, data)

    def _tell(self, word: int, payload: bytes = b"") -> None:
        self._unsent += HEADER.pack(word, len(payload)) + payload
        self._send()

    def _send(self) -> None:
        try:
            while self._unsent:
                del self._unsent[: os.write(self._out, self._unsent)]
        except BlockingIOError:
            return


def _put_host_aside() -> None:
    """Keep the ways to the host from what packages print while they are imported; that goes to standard error."""
    for ours, theirs in ((HOST_IN, 0), (HOST_OUT, 1)):
        os.dup2(theirs, ours, inheritable=False)
        os.set_blocking(ours, False)
    unused, near = os.pipe()
    _put_aside(near, NEAR_OUT)
    os.set_blocking(NEAR_OUT, False)
    os.close(unused)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)


def _put_aside(descriptor: int, number: int) -> None:
    os.dup2(descriptor, number, inheritable=False)
    os.close(descriptor)


def _packages(preload_file: str) -> list[str]:
    try:
        with open(preload_file, encoding="utf-8") as file:
            return list(json.load(file)["modules"])
    except FileNotFoundError:
        return []


def _forget_wakeups() -> None:
    try:
        os.read(WOKEN, CHUNK_BYTES_MAX)
    except BlockingIOError:
        return


def _wake_when_children_end() -> None:
    woken, waker = os.pipe()
    _put_aside(woken, WOKEN)
    os.set_blocking(WOKEN, False)
    os.set_blocking(waker, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
