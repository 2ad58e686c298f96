"""The single-use child of a container's guest: forked, fed, listened to, and killed with everything that it started.

Sources: fork(2), kill(2) "pid equals -1", proc_pid_oom_score_adj(5).
"""

import _signal  # type: ignore[import-not-found] # which the stubs do not know
import _socket
import ctypes
import os
import signal

from sandbox.guest.container_child import Stage
from sandbox.guest.container_frames import CHUNK_BYTES_MAX

# The plain numbers, and what the modules for people wrap: every object that is used for the first time behind a fork
# is a page to copy, and an enumeration is some tens of them.
_SIGCHLD, _SIGKILL, _SIG_DFL = int(signal.SIGCHLD), int(signal.SIGKILL), int(signal.SIG_DFL)
# Not `os.fork`: what modules have registered with it for the child is of use to processes with threads, and touches
# two hundred pages. `PyDLL` keeps the interpreter's lock, which the child then has as its parent had it.
_libc = ctypes.PyDLL(None, use_errno=True)
_FIRST_TO_GO = b"1000"


class Child:
    """A forked child: its channel and what it prints, as the guest holds them. What is closed is None."""

    def __init__(self, pid: int, channel: int, printed: int) -> None:
        self.pid = pid
        self.channel: int | None = channel
        self.printed: int | None = printed
        self.unfed = bytearray()

    def feed(self, data: bytes = b"") -> None:
        """Pass bytes on to its channel, as far as it takes them now."""
        self.unfed += data
        if self.channel is None:
            self.unfed.clear()
            return
        try:
            del self.unfed[: os.write(self.channel, self.unfed)]
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
            data = os.read(self.channel, CHUNK_BYTES_MAX)
        except BlockingIOError:
            return b""
        except OSError:  # it left unread what it was fed
            data = b""
        if not data:
            os.close(self.channel)
            self.channel = None
        return data

    def close(self) -> None:
        """Let go of every descriptor. Idempotent."""
        if self.printed is not None:
            os.close(self.printed)
        if self.channel is not None:
            os.close(self.channel)
        self.printed = self.channel = None


def fork(stage: Stage, score: int, usual_score: bytes) -> Child:
    """Fork a child that does one job on the stage.

    Args:
        stage: what the child does it on.
        score: the guest's own `/proc/self/oom_score_adj`, open.
        usual_score: what that had when the guest began.
    """
    ours, theirs = (end.detach() for end in _socket.socketpair())
    printed, printing = os.pipe()
    # When the container runs out of memory, the kernel shall end the program and not its guest.
    os.write(score, _FIRST_TO_GO)
    pid = _libc.fork()
    if pid != 0:
        os.write(score, usual_score)
    if pid < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    if pid == 0:
        try:
            signal.set_wakeup_fd(-1)
            _signal.signal(_SIGCHLD, _SIG_DFL)
            stage.serve_one_job(theirs, printing)
        finally:
            os._exit(1)
    os.close(theirs)
    os.close(printing)
    os.set_blocking(ours, False)
    os.set_blocking(printed, False)
    return Child(pid, ours, printed)


def kill_everything() -> None:
    """Kill every process but this one and wait until they are gone."""
    try:
        while True:
            os.kill(-1, _SIGKILL)  # again in each round: what forks may have been ahead of it
            os.waitpid(-1, 0)
    except (ProcessLookupError, ChildProcessError):  # the first of which counts those who wait to be taken leave of
        return
