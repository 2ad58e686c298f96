"""The short way to a guest: frames over two pipes, and whose pipes are opened at all."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.docker.near import NearStream, Pipes, open_pipes
from sandbox.guest.container_frames import CHUNK_BYTES_MAX, HOST_IN, NEAR_OUT, Order, Word
from sandbox.guest.frames import HEADER

HEARD_S_MAX = 10
LARGE = bytes(range(256)) * 4096  # more than a pipe holds
COMMAND = (sys.executable, "-c", "import sys; sys.stdin.read()")


class Guest:
    """The other ends of the pipes, and what the host heard."""

    def __init__(self) -> None:
        self.orders, host_orders = os.pipe()
        host_words, self.words = os.pipe()
        for descriptor in (host_orders, host_words):
            os.set_blocking(descriptor, False)
        self.heard: list[tuple[Word, bytes]] = []
        self.ends = 0
        self.over = asyncio.Event()
        self.stream = NearStream(Pipes(host_orders, host_words), self._hear, self._end)

    def _hear(self, word: Word, payload: bytes) -> None:
        self.heard.append((word, payload))

    def _end(self) -> None:
        self.ends += 1
        self.over.set()


@contextmanager
def listening() -> Iterator[Guest]:
    """Needs a running loop."""
    guest = Guest()
    try:
        yield guest
    finally:
        guest.stream.close()
        os.close(guest.orders)
        os.close(guest.words)


def frame(number: int, payload: bytes) -> bytes:
    return HEADER.pack(number, len(payload)) + payload


async def test_words_arrive_whole_and_in_order_in_whatever_pieces_they_come() -> None:
    said = frame(Word.SAID, b"one") + frame(Word.PRINTED, b"") + frame(Word.ENDED, b"{}") + frame(9, b"")
    with listening() as guest:
        for byte in said:
            os.write(guest.words, bytes([byte]))
            await asyncio.sleep(0)
        await asyncio.wait_for(guest.over.wait(), HEARD_S_MAX)

    assert guest.heard == [(Word.SAID, b"one"), (Word.PRINTED, b""), (Word.ENDED, b"{}")]
    assert guest.ends == 1


async def test_word_above_its_bound_is_not_waited_for() -> None:
    with listening() as guest:
        os.write(guest.words, HEADER.pack(Word.SAID, CHUNK_BYTES_MAX + 1))
        await asyncio.wait_for(guest.over.wait(), HEARD_S_MAX)

    assert guest.heard == []


async def test_order_that_no_pipe_holds_arrives_whole() -> None:
    expected = frame(Order.FEED, LARGE) + frame(Order.END, b"")
    with listening() as guest:
        sending = asyncio.gather(guest.stream.send(Order.FEED, LARGE), guest.stream.send(Order.END))
        obeyed = b""
        while len(obeyed) < len(expected):
            obeyed += await asyncio.to_thread(os.read, guest.orders, 100_000)
        await sending

    assert obeyed == expected


async def test_paused_stream_hears_nothing_until_it_is_resumed() -> None:
    with listening() as guest:
        guest.stream.pause()
        os.write(guest.words, frame(Word.SAID, b"later") + frame(9, b""))
        await asyncio.sleep(0.05)
        heard_while_paused = list(guest.heard)
        guest.stream.resume()
        await asyncio.wait_for(guest.over.wait(), HEARD_S_MAX)

    assert heard_while_paused == []
    assert guest.heard == [(Word.SAID, b"later")]


async def test_close_ends_whoever_waits_for_room_and_tells_it_once() -> None:
    with listening() as guest:
        sending = asyncio.ensure_future(guest.stream.send(Order.FEED, LARGE))
        await asyncio.sleep(0.05)
        waited = not sending.done()
        guest.stream.close()

        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(sending, HEARD_S_MAX)
        with pytest.raises(ConnectionResetError):
            await guest.stream.send(Order.END)

    assert waited
    assert guest.ends == 1


def test_pipes_of_what_is_no_guest_are_left_alone(tmp_path: Path) -> None:
    """Whoever has those very descriptors: it is not the first of a container, or was started with something else."""
    members = tmp_path / "cgroup.procs"
    reading, writing = os.pipe()
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, preexec_fn=lambda: _take(reading, writing)) as other:
        try:
            for told in (f"{other.pid}\n", "0\n", "1\n", "", f"{2**22 + 1}\n"):
                members.write_text(told, encoding="ascii")
                assert open_pipes(members, COMMAND) is None
            assert open_pipes(tmp_path / "gone", COMMAND) is None
        finally:
            other.kill()
            os.close(reading)
            os.close(writing)


def _take(reading: int, writing: int) -> None:
    os.dup2(reading, HOST_IN)
    os.dup2(writing, NEAR_OUT)
