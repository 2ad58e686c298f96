"""The warmed process that restricted children are forked from.

Started as `python -m sandbox.guest.zygote CONTROL_FD UID LANGUAGE`.

LANGUAGE names the module that compiles programs. The zygote imports everything that agents may use, drops to its own
uid, leaves the host's namespaces, and then forks one sealed child for every request of the host. Control messages, one
datagram each over a SOCK_SEQPACKET socket:

    host -> zygote   b"f" + the child's channel (SCM_RIGHTS)
    zygote -> host   STATUS: JSON, once: what the wall lacks
    zygote -> host   FORKED: pid in the zygote's namespace + its pidfd (SCM_RIGHTS)
    zygote -> host   ENDED: pid, wait status

The zygote itself never reads a byte that an agent wrote.
"""

import gc
import importlib
import json
import os
import select
import signal
import socket
import struct
import sys
from contextlib import suppress
from typing import NoReturn, cast

from sandbox.guest import kernel, seccomp, wall
from sandbox.guest.child import REHEARSAL, Language, rehearse, serve_one_job
from sandbox.guest.frames import Kind, write_frame

STATUS, FORKED, ENDED, NOT_FORKED = b"s", b"p", b"e", b"n"
FORKED_BODY = struct.Struct("!I")
ENDED_BODY = struct.Struct("!Ii")


def main() -> None:
    """Run as launcher and zygote; ends when the host closes its end of the control socket."""
    control = socket.socket(fileno=int(sys.argv[1]))
    language = cast("Language", importlib.import_module(sys.argv[3]))
    language.preload()
    if os.geteuid() == 0:
        wall.drop_to(int(sys.argv[2]))
    missing = wall.leave_host_namespaces()
    kernel.die_with_parent()
    zygote = os.fork()  # the first process inside the new process namespace
    if zygote:
        control.close()
        os._exit(os.waitstatus_to_exitcode(os.waitpid(zygote, 0)[1]) & 0xFF)
    kernel.die_with_parent()
    control.send(STATUS + json.dumps(missing).encode())
    gc.collect()
    gc.freeze()  # no collection in a child writes to the pages it shares with the zygote
    fresh_pid_namespaces = not any(piece.startswith("pid namespace") for piece in missing)
    Zygote(control, language, fresh_pid_namespaces=fresh_pid_namespaces).serve()
    os._exit(0)  # ends its whole process namespace


class Zygote:
    """Forks children on request and reports their ends."""

    def __init__(self, control: socket.socket, language: Language, *, fresh_pid_namespaces: bool) -> None:
        self._control = control
        self._language = language
        self._own_namespace = os.pidfd_open(os.getpid()) if fresh_pid_namespaces else None
        self._filter = seccomp.build_filter()
        self._rehearsal = language.compile_program(REHEARSAL).code

    def serve(self) -> None:
        """Answer the host until it hangs up."""
        woken, waker = socket.socketpair()
        waker.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(woken, select.POLLIN)
        with suppress(ConnectionError):  # the host hung up
            while True:
                for fd, _ in poll.poll():
                    if fd == woken.fileno():
                        woken.recv(4096)
                        self._report_ended()
                    else:
                        self._answer_one_request()

    def _answer_one_request(self) -> None:
        message, fds, _, _ = socket.recv_fds(self._control, 16, 1)
        if not message:
            raise ConnectionResetError
        channel = fds[0]
        try:
            pid = self._fork()
        except OSError as error:
            self._control.send(NOT_FORKED + str(error.strerror).encode())
        else:
            if pid == 0:
                self._become_child(channel)
            pidfd = os.pidfd_open(pid)
            socket.send_fds(self._control, [FORKED + FORKED_BODY.pack(pid)], [pidfd])
            os.close(pidfd)
        finally:
            os.close(channel)

    def _fork(self) -> int:
        if self._own_namespace is None:
            return os.fork()
        kernel.unshare(kernel.CLONE_NEWPID)  # for the next child only
        pid = -1
        try:
            pid = os.fork()
        finally:
            if pid:
                kernel.setns(self._own_namespace, kernel.CLONE_NEWPID)
        return pid

    def _become_child(self, channel: int) -> NoReturn:
        try:
            signal.set_wakeup_fd(-1)
            kernel.die_with_parent()
            if self._rehearsal is not None:
                rehearse(self._language, self._rehearsal)
            wall.seal(channel, self._filter)
            serve_one_job(self._language)
        except wall.WallError as error:
            write_frame(wall.CHANNEL, Kind.WALL_FAILED, str(error).encode())
        finally:
            os._exit(1)

    def _report_ended(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._control.send(ENDED + ENDED_BODY.pack(pid, status))


if __name__ == "__main__":
    main()
