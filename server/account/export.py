"""An account's data on its way out: JSON Lines, streamed in bounded pieces to a reader who must keep up."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractContextManager, aclosing
from typing import Any
from uuid import UUID

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

MEDIA_TYPE = "application/x-ndjson"
CHUNK_BYTES = 64 * 1024
SEND_S_MAX = 30.0


class ExportResponse(Response):
    """Sends lines as they come, and holds the caller's slot until the last one is sent or the reader is gone.

    Nothing is sent after a failure, so that an export without its last line, of type `end`, is not whole.
    """

    media_type = MEDIA_TYPE

    def __init__(self, user_id: UUID, lines: AsyncIterator[str], slot: AbstractContextManager[None]) -> None:
        """`slot` is entered already; the response leaves it."""
        super().__init__(headers={"Content-Disposition": f'attachment; filename="glovebox-{user_id}.jsonl"'})
        del self.headers["content-length"]
        self._lines = lines
        self._slot = slot

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream the export. Raises TimeoutError when the reader takes nothing for `SEND_S_MAX`."""
        try:
            started = False
            async with aclosing(_chunks(self._lines)) as chunks:
                async for chunk in chunks:
                    if not started:  # not before there is something to send: a failure is a problem document until then
                        await _send(send, {"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                        started = True
                    await _send(send, {"type": "http.response.body", "body": chunk, "more_body": True})
            await _send(send, {"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._slot.__exit__(None, None, None)


async def _send(send: Send, message: dict[str, Any]) -> None:
    async with asyncio.timeout(SEND_S_MAX):
        await send(message)


async def _chunks(lines: AsyncIterator[str]) -> AsyncGenerator[bytes, None]:
    """The lines in pieces of about `CHUNK_BYTES`, or of one line."""
    chunk = bytearray()
    async for line in lines:
        chunk += line.encode() + b"\n"
        if len(chunk) >= CHUNK_BYTES:
            yield bytes(chunk)
            chunk.clear()
    yield bytes(chunk)
