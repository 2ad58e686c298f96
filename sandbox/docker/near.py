"""The short way to a guest: its own pipes, opened through /proc, where its container runs on this very machine.

What goes by the engine passes through two more processes each way. The short way is opened before any program has run
in the container, and carries the same frames. Everywhere else, and with runtimes whose containers are no processes of
this machine, they go by the engine.

Sources: proc_pid_fd(5), proc_pid_status(5) "NSpid", fifo(7), cgroups(7) "cgroup.procs".
"""

import asyncio
import os
import re
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sandbox.docker.words import OnWord, Words
from sandbox.guest.container_frames import HOST_IN, NEAR_OUT, Order
from sandbox.guest.frames import HEADER

_RECEIVE_BYTES = 64 * 1024
# In each pid namespace that it is in, the innermost last.
_NUMBERS = re.compile(rb"^NSpid:(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pipes:
    """The host's ends of a guest's pipes: descriptors that do not block, and are the caller's to close."""

    orders: int
    words: int


def open_pipes(members: Path, command: Sequence[str]) -> Pipes | None:
    """Open the pipes of a guest that no program has run beside yet; None where that cannot be done.

    Args:
        members: the `cgroup.procs` of the container, which numbers processes as this process sees them.
        command: what the guest was started with. The processes of a virtual machine, say, were started with another.
    """
    opened: list[int] = []
    try:
        if (guest := _find_guest(members, command)) is None:
            return None
        for descriptor, mode in ((HOST_IN, os.O_WRONLY), (NEAR_OUT, os.O_RDONLY)):
            pipe = Path(f"/proc/{guest}/fd/{descriptor}")
            if not stat.S_ISFIFO(pipe.stat().st_mode):
                break
            opened.append(os.open(pipe, mode | os.O_NONBLOCK | os.O_CLOEXEC))
        if len(opened) == 2 and _find_guest(members, command) == guest:
            return Pipes(*opened)
    except OSError:  # the server may not look there, or the guest is gone
        pass
    for descriptor in opened:
        os.close(descriptor)
    return None


def _find_guest(members: Path, command: Sequence[str]) -> int | None:
    """The first process of the container, unless it is something else than a guest."""
    expected = b"".join(word.encode() + b"\0" for word in command)
    for number in members.read_text(encoding="ascii").split():
        place = Path("/proc", number)  # 0, which is none, in a pid namespace that is not below this process's
        numbers = _NUMBERS.search((place / "status").read_bytes())
        if numbers is not None and numbers[1].split()[-1] == b"1" and (place / "cmdline").read_bytes() == expected:
            return int(number)
    return None


class NearStream:
    """Hands each word to `on_word` as it comes, until the end, which `on_end` learns once. See `Stream`."""

    def __init__(self, pipes: Pipes, on_word: OnWord, on_end: Callable[[], None]) -> None:
        self._pipes = pipes
        self._on_word = on_word
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._sending = asyncio.Lock()
        self._room: asyncio.Future[None] | None = None
        self._words = Words()
        self._reading = False
        self._open = True
        self.resume()

    async def send(self, order: Order, payload: bytes = b"") -> None:
        """Send one order whole. Raises ConnectionError when the container is gone."""
        async with self._sending:
            rest = memoryview(HEADER.pack(order, len(payload)) + payload)
            try:
                while rest := rest[self._write(rest) :]:
                    await self._until_room()
            except BaseException:
                self.close()  # half an order may be on its way
                raise

    def pause(self) -> None:
        """Read nothing more for now: the container is then held up. Idempotent."""
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._pipes.words)

    def resume(self) -> None:
        """Read on. Idempotent."""
        if self._open and not self._reading:
            self._reading = True
            self._loop.add_reader(self._pipes.words, self._receive)

    def close(self) -> None:
        """Hang up. Idempotent."""
        if not self._open:
            return
        self.pause()
        self._open = False
        if self._room is not None and not self._room.done():
            self._room.set_exception(ConnectionResetError())
        self._loop.remove_writer(self._pipes.orders)
        os.close(self._pipes.orders)
        os.close(self._pipes.words)
        self._on_end()

    def _write(self, data: memoryview) -> int:
        if not self._open:
            raise ConnectionResetError
        with suppress(BlockingIOError):
            return os.write(self._pipes.orders, data)
        return 0

    async def _until_room(self) -> None:
        self._room = room = self._loop.create_future()
        self._loop.add_writer(self._pipes.orders, _resolve, room)
        try:
            await room
        finally:
            if self._open:
                self._loop.remove_writer(self._pipes.orders)

    def _receive(self) -> None:
        try:
            received = os.read(self._pipes.words, _RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if not received:
            self.close()
            return
        try:
            for word, payload in self._words.take(received):
                self._on_word(word, payload)
                if not self._open:
                    return
        except ValueError:  # no guest of ours speaks like this
            self.close()


def _resolve(room: "asyncio.Future[None]") -> None:
    if not room.done():
        room.set_result(None)
