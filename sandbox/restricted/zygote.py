"""The host's end of the zygote: starts it, asks it for children, learns of their ends."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from dataclasses import dataclass
from typing import Any

from sandbox.errors import SandboxLostError, TierUnavailableError
from sandbox.guest.wall import MINIMUM, NAMESPACES
from sandbox.guest.zygote import ENDED, ENDED_BODY, FORKED, FORKED_BODY, NOT_FORKED, STATUS
from sandbox.restricted.idle_group import IdleGroup
from sandbox.restricted.memory_cgroup import MemoryCgroup
from sandbox.types import Tier, Wall, WallKind

START_S_MAX = 20.0
_MESSAGE_BYTES_MAX = 4096
_CLEAN_ENVIRONMENT = {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True, slots=True)
class End:
    """How a child ended: its wait status, and whether the kernel ended it because the tier's memory was used up."""

    status: int
    out_of_memory: bool

    @property
    def signal_name(self) -> str | None:
        """The signal that ended it, None when it exited."""
        return signal.Signals(os.WTERMSIG(self.status)).name if os.WIFSIGNALED(self.status) else None


@dataclass(frozen=True, slots=True)
class Forked:
    """A child as the zygote made it: `pid` names it in this process's /proc, `pidfd` is ours to close.

    `idle_group` is where it goes when others shall come before it, None where there is no such group.
    """

    pid: int
    pidfd: int
    ended: asyncio.Future[End]
    idle_group: IdleGroup | None


class Zygote:
    """One running zygote process."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket, cgroup: MemoryCgroup | None) -> None:
        self._process = process
        self._cgroup = cgroup
        self._idle_group = IdleGroup.create(str(process.pid), cgroup)
        self._kills = 0
        self._control = control
        self._loop = asyncio.get_running_loop()
        self._status: asyncio.Future[list[str]] = self._loop.create_future()
        self._asked: deque[asyncio.Future[Forked]] = deque()
        self._ends: dict[int, asyncio.Future[End]] = {}
        self.wall = Wall(WallKind.MINIMUM)
        self.died = asyncio.Event()
        self._loop.add_reader(control, self._receive)

    @classmethod
    async def start(cls, uid: int, language: str) -> "Zygote":
        """Start a zygote and wait until it is warm.

        Raises TierUnavailableError when it cannot start.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        command = [sys.executable, "-sPB", "-X", "utf8", "-m", "sandbox.guest.zygote"]
        with theirs:
            process = subprocess.Popen(  # noqa: ASYNC220, S603 - spawning takes a few ms, and the command is ours
                [*command, str(theirs.fileno()), str(uid), language],
                env=_CLEAN_ENVIRONMENT,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # a terminal's Ctrl-C is for the server alone
            )
        cgroup = MemoryCgroup.create(str(process.pid))
        if cgroup is not None:
            cgroup.add(process.pid)  # long before it forks: it has everything to import yet
        zygote = cls(process, ours, cgroup)
        try:
            missing = await asyncio.wait_for(zygote._status, START_S_MAX)
        except (TimeoutError, SandboxLostError) as error:
            await zygote.stop()
            raise TierUnavailableError(Tier.RESTRICTED, ("its first process does not start",)) from error
        namespaces = [name for name in NAMESPACES if not any(piece.startswith(name) for piece in missing)]
        kind = WallKind.MINIMUM if missing else WallKind.FULL
        zygote.wall = Wall(kind, tuple(missing), (*MINIMUM, *namespaces))
        return zygote

    async def fork(self) -> tuple[Forked, socket.socket]:
        """Ask for one child. Returns it with the host's end of its channel; both are the caller's to close.

        Raises SandboxLostError when the zygote is gone.
        """
        ours, theirs = socket.socketpair()
        answer: asyncio.Future[Forked] = self._loop.create_future()
        with theirs:
            try:
                socket.send_fds(self._control, [b"f"], [theirs.fileno()])
            except OSError as error:
                ours.close()
                raise SandboxLostError("the zygote does not take requests") from error
        self._asked.append(answer)
        ours.setblocking(False)
        try:
            return await answer, ours
        except BaseException:
            ours.close()
            raise

    async def stop(self) -> None:
        """End the zygote and every child of it."""
        self._hang_up()
        self._process.kill()  # the kernel then ends the whole process namespace
        await asyncio.to_thread(self._process.wait, 10)
        for group in (self._cgroup, self._idle_group):
            if group is not None:
                await asyncio.to_thread(group.remove)

    def _receive(self) -> None:
        while True:
            try:
                message, fds, _, _ = socket.recv_fds(self._control, _MESSAGE_BYTES_MAX, 1)
            except BlockingIOError:
                return
            except OSError:
                message, fds = b"", []
            if not message:
                self._hang_up()
                return
            self._handle(message[:1], message[1:], fds)

    def _handle(self, kind: bytes, body: bytes, fds: list[int]) -> None:
        if kind == STATUS:
            self._status.set_result(json.loads(body))
        elif kind == FORKED:
            self._hand_over(FORKED_BODY.unpack(body)[0], fds[0])
        elif kind == NOT_FORKED:
            answer = self._asked.popleft()
            if not answer.done():
                answer.set_exception(SandboxLostError(f"no child: {body.decode()}"))
        elif kind == ENDED:
            pid, status = ENDED_BODY.unpack(body)
            ended = self._ends.pop(pid, None)
            if ended is not None and not ended.done():
                ended.set_result(End(status, self._kernel_killed(status)))

    def _kernel_killed(self, status: int) -> bool:
        groups = [group for group in (self._cgroup, self._idle_group) if group is not None]
        if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
            return False
        seen, self._kills = self._kills, sum(group.kills() for group in groups)
        return self._kills > seen

    def _hand_over(self, zygote_pid: int, pidfd: int) -> None:
        answer = self._asked.popleft()
        ended: asyncio.Future[End] = self._loop.create_future()
        self._ends[zygote_pid] = ended
        if answer.done():  # whoever asked gave up
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            os.close(pidfd)
        else:
            answer.set_result(Forked(_pid_behind(pidfd), pidfd, ended, self._idle_group))

    def _hang_up(self) -> None:
        if self.died.is_set():
            return
        self.died.set()
        self._loop.remove_reader(self._control)
        self._control.close()
        lost = SandboxLostError("the zygote ended")
        futures: list[asyncio.Future[Any]] = [self._status, *self._asked, *self._ends.values()]
        for waiting in futures:
            if not waiting.done():
                waiting.set_exception(lost)
                waiting.exception()  # nobody may be waiting; that is no fault
        self._asked.clear()
        self._ends.clear()


def _pid_behind(pidfd: int) -> int:
    """The process's number in this process's own namespace. Source: proc_pid_fdinfo(5)."""
    with open(f"/proc/self/fdinfo/{pidfd}", encoding="ascii") as info:  # noqa: PTH123 - hot path
        return next(int(line.split()[1]) for line in info if line.startswith("Pid:"))
