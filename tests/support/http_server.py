"""An HTTP server on a loopback port that answers as a test says, in whatever bytes, and keeps what it was sent."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


Answer = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Served:
    """A server: where it is, how it answers, and what it was sent."""

    port: int = 0
    answer: Answer | None = None
    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.connections += 1
        connection = self.connections
        try:
            while (request := await _read(reader, connection)) is not None:
                self.requests.append(request)
                self.asked.set()
                assert self.answer is not None
                await self.answer(request, writer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client or the test went away, which many of these tests make it do
        finally:
            writer.close()


@asynccontextmanager
async def http_server(answer: Answer) -> AsyncIterator[Served]:
    served = Served(answer=answer)
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
        for task in served.tasks:
            task.cancel()
        await asyncio.gather(*served.tasks)


def answering(body: bytes = b"", *, status: int = 200, head: str = "", content_type: str = "text/plain") -> Answer:
    async def answer(request: Received, writer: asyncio.StreamWriter) -> None:
        length = f"Content-Length: {len(body)}\r\n"
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\n{length}{head}\r\n".encode())
        if request.method != "HEAD":
            writer.write(body)

    return answer


def redirecting(location: str, status: int = 302) -> Answer:
    return answering(status=status, head=f"Location: {location}\r\n")


def raw(*pieces: bytes, pause_s: float = 0.0, close: bool = True) -> Answer:
    """Sends these bytes as they are."""

    async def answer(request: Received, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            if pause_s:
                await asyncio.sleep(pause_s)
        if close:
            writer.close()

    return answer


async def _read(reader: asyncio.StreamReader, connection: int) -> Received | None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *fields = head.removesuffix("\r\n\r\n").split("\r\n")
    method, target, _ = line.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in fields)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, target, headers, body, connection)
