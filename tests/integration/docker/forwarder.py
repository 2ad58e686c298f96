"""A way to the engine that a test can cut, as if the engine had stopped."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

_CHUNK_BYTES = 65536


class Forwarder:
    """Passes connections to `path` on to the engine's socket while it is up."""

    def __init__(self, path: Path, engine: str) -> None:
        self._path = path
        self._engine = engine
        self._server: asyncio.Server | None = None
        self._passing: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"unix://{self._path}"

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._pass_on, self._path)

    async def stop(self) -> None:
        """Refuse new connections and break the present ones off."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self._path.unlink()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_unix_connection(self._engine)
        tasks = {
            asyncio.create_task(_copy(reader, there_writer)),
            asyncio.create_task(_copy(there_reader, writer)),
        }
        self._passing |= tasks
        await asyncio.gather(*tasks, return_exceptions=True)
        self._passing -= tasks
        for each in (writer, there_writer):
            each.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


@asynccontextmanager
async def forwarder(path: Path, engine_url: str | None) -> AsyncIterator[Forwarder]:
    """One that is up, and stopped in the end."""
    made = Forwarder(path, (engine_url or "unix:///var/run/docker.sock").removeprefix("unix://"))
    await made.start()
    try:
        yield made
    finally:
        await made.stop()
