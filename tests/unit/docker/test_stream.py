"""The host's end of a container's streams against an engine and a guest that say anything at all, cut anywhere."""

import asyncio
import socket
import struct
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.docker.engine import Attachment
from sandbox.docker.stream import Stream
from sandbox.guest.container_frames import CHUNK_BYTES_MAX, Word
from sandbox.guest.frames import HEADER

ENGINE_HEADER = struct.Struct("!BxxxI")
STDOUT, STDERR = 1, 2
HEARD_S_MAX = 10

Words = list[tuple[Word, bytes]]
words_told = st.lists(st.tuples(st.sampled_from(Word), st.binary(max_size=40)), max_size=8)
cuts = st.integers(1, 60)


class Wires:
    """What stands for an attachment: one end of a pair of sockets."""

    def __init__(self) -> None:
        self.engine, self.socket = socket.socketpair()
        self.socket.setblocking(False)

    def close(self) -> None:
        self.socket.close()


def frame(number: int, payload: bytes) -> bytes:
    return HEADER.pack(number, len(payload)) + payload


def wrapped(stream: int, data: bytes, cut: int) -> bytes:
    """As an engine passes it on, in pieces of its own choice."""
    pieces = (data[start : start + cut] for start in range(0, len(data), cut))
    return b"".join(ENGINE_HEADER.pack(stream, len(piece)) + piece for piece in pieces)


def hear(data: bytes, cut: int) -> tuple[Words, str, int]:
    """What a stream makes of these bytes: words, standard error, and how often it said that it ended."""

    async def listen() -> tuple[Words, str, int]:
        loop, wires, heard, ends = asyncio.get_running_loop(), Wires(), Words(), 0
        broken: list[Any] = []
        loop.set_exception_handler(lambda _, context: broken.append(context))
        over = asyncio.Event()

        def end() -> None:
            nonlocal ends
            ends += 1
            over.set()

        stream = Stream(cast(Attachment, wires), lambda word, payload: heard.append((word, payload)), end)
        with wires.engine:
            for start in range(0, len(data), cut):
                if over.is_set():
                    break
                wires.engine.sendall(data[start : start + cut])
                await asyncio.sleep(0)
        await asyncio.wait_for(over.wait(), HEARD_S_MAX)
        stream.close()
        assert broken == []
        return heard, stream.errors, ends

    return asyncio.run(listen())


@given(words=words_told, noise=st.binary(max_size=100), engine_cut=cuts, cut=cuts)
@settings(max_examples=60, deadline=None)
def test_words_arrive_whole_and_in_order_however_they_are_cut(
    words: Words, noise: bytes, engine_cut: int, cut: int
) -> None:
    said = b"".join(frame(word, payload) for word, payload in words)
    data = wrapped(STDERR, noise, engine_cut) + wrapped(STDOUT, said, engine_cut)

    assert hear(data, cut) == (words, noise.decode(errors="replace"), 1)


@given(words=words_told, forged=st.binary(min_size=1, max_size=60), inside=st.booleans(), cut=cuts)
@settings(max_examples=60, deadline=None)
def test_whatever_follows_good_words_ends_in_a_known_way(words: Words, forged: bytes, inside: bool, cut: int) -> None:
    """`forged` comes from the guest, or, which no guest can do, from the engine itself."""
    said = b"".join(frame(word, payload) for word, payload in words)
    data = wrapped(STDOUT, said + forged, 50) if inside else wrapped(STDOUT, said, 50) + forged

    heard, _, ends = hear(data, cut)

    assert ends == 1
    assert heard[: len(words)] == words[: len(heard)]
    assert len(heard) >= len(words) or not inside  # what broke the engine's own framing may take the last words along
    assert all(len(payload) <= CHUNK_BYTES_MAX for _, payload in heard)


def test_word_above_its_bound_is_not_waited_for() -> None:
    """The control of the bound: the largest that is taken is heard."""
    most = b"x" * CHUNK_BYTES_MAX
    word = next(iter(Word))

    assert hear(wrapped(STDOUT, frame(word, most), 65_536), 65_536) == ([(word, most)], "", 1)
    assert hear(wrapped(STDOUT, HEADER.pack(word, CHUNK_BYTES_MAX + 1), 65_536) + b"\x01", 65_536) == ([], "", 1)
