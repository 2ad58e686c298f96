"""One end of a connection between a server and its sandbox host: frames out, frames in, bounded both ways."""

import asyncio
import os
import socket
import struct
from collections import deque
from typing import cast

from sandbox.remote.wire import FRAME_BYTES_MAX, HEADER, Kind

FRAMES_WAITING_MAX = 256
_KINDS = frozenset(Kind)
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid; unix(7), SO_PEERCRED


class Connection(asyncio.Protocol):
    """Frames to and from the other end, which must run as this process's user or as root."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._frames: deque[tuple[Kind, bytes]] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._reading = True
        self._lost = False

    @property
    def open(self) -> bool:
        """Whether frames can still be sent."""
        return not self._lost and self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Part of asyncio.Protocol."""
        self._transport = cast(asyncio.Transport, transport)  # as a Protocol gets it; uvloop's derives from nothing
        peer = transport.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        if _CREDENTIALS.unpack(peer)[1] not in (0, os.geteuid()):
            self.abort()

    def data_received(self, data: bytes) -> None:
        """Part of asyncio.Protocol."""
        self._buffer += data
        while len(self._buffer) >= HEADER.size:
            number, length = HEADER.unpack_from(self._buffer)
            if length > FRAME_BYTES_MAX or number not in _KINDS:
                self.abort()
                return
            if len(self._buffer) < HEADER.size + length:
                break
            self._frames.append((Kind(number), bytes(self._buffer[HEADER.size : HEADER.size + length])))
            del self._buffer[: HEADER.size + length]
        if self._reading and len(self._frames) > FRAMES_WAITING_MAX and self._transport is not None:
            self._reading = False
            self._transport.pause_reading()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Part of asyncio.Protocol."""
        self._lost = True
        self._wake()

    async def receive(self) -> tuple[Kind, bytes]:
        """The next frame. For one caller at a time. Raises ConnectionError once the other end is gone."""
        while not self._frames:
            if not self.open:
                raise ConnectionResetError("the other end is gone")
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        frame = self._frames.popleft()
        if not self._reading and len(self._frames) < FRAMES_WAITING_MAX // 2 and self.open:
            assert self._transport is not None  # noqa: S101 - it is open
            self._reading = True
            self._transport.resume_reading()
        return frame

    def send(self, frame: bytes) -> None:
        """Send one packed frame without waiting. What goes to one that is gone is dropped: `receive` tells."""
        if self.open and self._transport is not None:
            self._transport.write(frame)

    def close(self) -> None:
        """Close once everything is sent."""
        if self._transport is not None:
            self._transport.close()
        self._wake()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
