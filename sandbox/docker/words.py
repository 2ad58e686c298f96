"""The words of a guest, taken out of bytes that come in any pieces."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from sandbox.guest.container_frames import CHUNK_BYTES_MAX, Word
from sandbox.guest.frames import HEADER

OnWord: TypeAlias = Callable[[Word, bytes], None]


class Words:
    """Holds back what is not whole yet, which is never more than one word."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def take(self, data: bytes | bytearray) -> Iterator[tuple[Word, bytes]]:
        """The words that are whole with these bytes. Raises ValueError for what is none, as soon as it shows."""
        held = self._bytes
        held += data
        while len(held) >= HEADER.size:
            number, length = HEADER.unpack_from(held)
            word = Word(number)
            if length > CHUNK_BYTES_MAX:
                raise ValueError(length)
            end = HEADER.size + length
            if len(held) < end:
                return
            payload = bytes(held[HEADER.size : end])
            del held[:end]
            yield word, payload
