"""An event stream as a response, which holds a bounded number of bytes for its reader, however slow that is."""

import asyncio
from collections.abc import AsyncGenerator, Callable

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from server.runs.following import Reason, interrupted_event

DROPPED_S = 60.0  # how long a dropped reader may still fetch what it was sent, and why it was dropped

log = structlog.get_logger("server.runs")


class EventStream(Response):
    """Sends events as they come. The next one is made only when the one before was taken.

    A reader that takes nothing for `stall_s` is dropped: it is told so, should it read on, and nothing else follows.
    """

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[bytes, None], *, stall_s: float, ended: Callable[[], None]) -> None:
        """`ended` is called once, when the stream is over."""
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._events = events
        self._stall_s = stall_s
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the events end, the reader leaves, or it is dropped."""
        work = {asyncio.ensure_future(_until_gone(receive)), asyncio.ensure_future(self._stream(send))}
        try:
            await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            await self._events.aclose()
            self._ended()

    async def _stream(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for event in self._events:
            if not await self._taken(send, event):
                return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _taken(self, send: Send, event: bytes) -> bool:
        """Send one event. False where the reader was dropped over it."""
        sending = asyncio.ensure_future(send(_body(event)))
        try:
            await asyncio.wait({sending}, timeout=self._stall_s)
            if sending.done():
                sending.result()
                return True
            log.warning("follower dropped", reason=Reason.SLOW_READER.value)
            await asyncio.wait({sending}, timeout=DROPPED_S)
            if sending.done():
                await send({**_body(interrupted_event(Reason.SLOW_READER)), "more_body": False})
            return False
        finally:
            sending.cancel()


def _body(content: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": content, "more_body": True}


def wants_stream(request: Request) -> bool:
    """Whether the request names the media type of event streams; JSON is for everybody else (RFC 9110, 12.5.1)."""
    ranges = ",".join(request.headers.getlist("accept")).split(",")
    return any(offer.partition(";")[0].strip().lower() == EventStream.media_type for offer in ranges)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
