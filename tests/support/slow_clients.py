"""Clients that hold connections without using them, as a program of its own: `python -m tests.support.slow_clients`.

The order is JSON in its only argument: `{"host", "port", "path", "token", "clients": {kind: count}, "again_s"}`.
Who is ended comes again after about `again_s`, or not at all where that is null. Each line on standard input is
answered with what became of the clients so far; at its end the program ends.
"""

import asyncio
import json
import random
import socket
import sys
from collections import Counter
from typing import Any

TICK_S = 0.5
TICKS_PER_BYTE = 10  # a byte of each client in so many ticks
CONNECTING_MAX = 200
RECEIVE_BYTES = 4096

HEAD = b"POST %s HTTP/1.1\r\nHost: a\r\n"
AUTHORIZED = b"Authorization: Bearer %s\r\n"
# What each kind sends at first, and then byte by byte.
KINDS: dict[str, tuple[bytes, bytes]] = {
    "nothing": (b"", b""),
    "head": (HEAD + b"X-Fill: ", b"x"),
    "body": (HEAD + AUTHORIZED + b"Content-Length: 1000\r\n\r\n{", b" "),
    "refused": (HEAD + b"Content-Length: 1000000\r\n\r\n{", b" "),
    "unread": (HEAD + AUTHORIZED + b"Content-Length: 2\r\n\r\n{}", b""),
}


class Slow(asyncio.Protocol):
    """One client. The first status that it is told counts, and that it was ended."""

    def __init__(self, crowd: "Crowd", kind: str) -> None:
        self.kind = kind
        self._crowd = crowd
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self.kind == "unread":
            transport.pause_reading()
        transport.write(self._crowd.opening(self.kind))
        self._crowd.open.add(self)

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"HTTP/1.1 "):
            self._crowd.told[self.kind][data[9:12].decode()] += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.left(self)

    def dribble(self) -> None:
        if self._transport is not None and (byte := KINDS[self.kind][1]):
            self._transport.write(byte)


class Crowd:
    """All of them."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.open: set[Slow] = set()
        self.told: dict[str, Counter[str]] = {kind: Counter() for kind in order["clients"]}
        self._order = order
        self._ended: Counter[str] = Counter()
        self._connecting = asyncio.Semaphore(CONNECTING_MAX)
        self._tasks: set[asyncio.Task[None]] = set()

    def opening(self, kind: str) -> bytes:
        template = KINDS[kind][0]
        values = (self._order["path"].encode(), self._order["token"].encode())
        return template % values[: template.count(b"%s")] if template else b""

    def left(self, client: Slow) -> None:
        self.open.discard(client)
        self._ended[client.kind] += 1
        self._come_again(client.kind)

    def report(self) -> str:
        waiting = Counter(client.kind for client in self.open)
        return json.dumps({"open": waiting, "ended": self._ended, "told": self.told})

    async def serve(self) -> None:
        for kind, count in self._order["clients"].items():
            for _ in range(count):
                self._start(kind, 0)
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        dribbling = asyncio.create_task(self._dribble())
        while await reader.readline():
            print(self.report(), flush=True)  # noqa: T201 - how this program answers
        dribbling.cancel()

    def _come_again(self, kind: str) -> None:
        if (again_s := self._order["again_s"]) is not None:
            self._start(kind, again_s * random.uniform(0.5, 1.5))  # noqa: S311 - not all of them at one moment

    def _start(self, kind: str, after_s: float) -> None:
        task = asyncio.create_task(self._connect(kind, after_s))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, kind: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        async with self._connecting:
            sock = socket.socket()
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
            loop = asyncio.get_running_loop()
            try:
                await loop.sock_connect(sock, (self._order["host"], self._order["port"]))
                await loop.create_connection(lambda: Slow(self, kind), sock=sock)
            except OSError:
                sock.close()
                self._ended[kind] += 1
                self._come_again(kind)

    async def _dribble(self) -> None:
        tick = 0
        while True:
            await asyncio.sleep(TICK_S)
            tick += 1
            for client in list(self.open)[tick % TICKS_PER_BYTE :: TICKS_PER_BYTE]:
                client.dribble()


if __name__ == "__main__":
    asyncio.run(Crowd(json.loads(sys.argv[1])).serve())
