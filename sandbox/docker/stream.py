"""The host's end of a container's standard streams: words of its guest in, orders out, nothing unbounded."""

import asyncio
import struct
from collections.abc import Callable

from sandbox.docker.engine import Attachment
from sandbox.docker.words import OnWord, Words
from sandbox.guest.container_frames import Order
from sandbox.guest.frames import HEADER

# How the engine wraps what comes over an attached stream without a terminal: which stream, length.
_ENGINE_HEADER = struct.Struct("!BxxxI")
_STDOUT = 1
_RECEIVE_BYTES = 64 * 1024
_ENGINE_CHUNK_BYTES_MAX = 1024 * 1024
_STDERR_BYTES_MAX = 4096


class Stream:
    """Reads words as they come and hands each one to `on_word`, until the end, which `on_end` learns once."""

    def __init__(self, attachment: Attachment, on_word: OnWord, on_end: Callable[[], None]) -> None:
        self._attachment = attachment
        self._on_word = on_word
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._sending = asyncio.Lock()
        self._wrapped = bytearray()
        self._words = Words()
        self._errors = bytearray()
        self._reading = False
        self._open = True
        self.resume()

    @property
    def errors(self) -> str:
        """The end of what the guest wrote to its standard error."""
        return self._errors.decode(errors="replace")

    async def send(self, order: Order, payload: bytes = b"") -> None:
        """Send one order whole. Raises ConnectionError when the container is gone."""
        async with self._sending:
            if not self._open:
                raise ConnectionResetError
            try:
                await self._loop.sock_sendall(self._attachment.socket, HEADER.pack(order, len(payload)) + payload)
            except BaseException:
                self.close()  # half an order may be on its way
                raise

    def pause(self) -> None:
        """Read nothing more for now: the container is then held up. Idempotent."""
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._attachment.socket)

    def resume(self) -> None:
        """Read on. Idempotent."""
        if self._open and not self._reading:
            self._reading = True
            self._loop.add_reader(self._attachment.socket, self._receive)

    def close(self) -> None:
        """Hang up; the guest ends when it notices. Idempotent."""
        if self._open:
            self.pause()
            self._open = False
            self._attachment.close()
            self._on_end()

    def _receive(self) -> None:
        try:
            received = self._attachment.socket.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if not received:
            self.close()
            return
        self._wrapped += received
        try:
            self._unwrap()
        except ValueError:  # no guest of ours speaks like this
            self.close()

    def _unwrap(self) -> None:
        while len(self._wrapped) >= _ENGINE_HEADER.size:
            stream, length = _ENGINE_HEADER.unpack_from(self._wrapped)
            end = _ENGINE_HEADER.size + length
            if length > _ENGINE_CHUNK_BYTES_MAX:
                raise ValueError(length)
            if len(self._wrapped) < end:
                return
            payload = self._wrapped[_ENGINE_HEADER.size : end]
            del self._wrapped[:end]
            if stream == _STDOUT:
                self._hand_out(payload)
                if not self._open:
                    return
            else:
                self._errors = (self._errors + payload)[-_STDERR_BYTES_MAX:]

    def _hand_out(self, data: bytearray) -> None:
        for word, payload in self._words.take(data):
            self._on_word(word, payload)
            if not self._open:
                return
