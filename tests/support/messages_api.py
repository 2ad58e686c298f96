"""A local server that speaks the Messages API as far as a streaming client with structured output can tell."""

import asyncio
import json
import socket
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

Json = dict[str, Any]

PIECE_CHARS = 24
GATE_S_MAX = 30.0
NAMES = {429: "rate_limit_error", 529: "overloaded_error", 401: "authentication_error", 400: "invalid_request_error"}


@dataclass(frozen=True)
class Usage:
    """Tokens as the provider counts them."""

    input_tokens: int = 900
    output_tokens: int = 400
    cache_read_input_tokens: int = 5_000
    cache_creation_input_tokens: int = 70


@dataclass(frozen=True)
class Reply:
    """How one request is answered.

    `cut_after`: the connection is closed after so many pieces of text. `error_after`: an error event comes then.
    `gated_after`: the rest waits until `MessagesServer.open_gate`. `pause_s`: between two pieces. `raw`: the whole
    stream, whatever it is.
    """

    text: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    stop_reason: str = "end_turn"
    stop_details: Json | None = None
    usage: Usage = field(default_factory=Usage)
    cut_after: int | None = None
    error_after: int | None = None
    pause_s: float = 0.0
    gated_after: int | None = None
    raw: bytes | None = None


def agent_text(
    code: str,
    examples: Sequence[tuple[Json, Any]] = (),
    *,
    inputs_schema: Json | None = None,
    fetches: Sequence[Json] = (),
    hosts: Sequence[str] = (),
    tier: str = "restricted",
    summary: str = "Does it.",
) -> str:
    """An answer of the form that is asked for. `fetches` go with every example."""
    return json.dumps(
        {
            "summary": summary,
            "code": code,
            "inputs_schema": json.dumps(inputs_schema or {"type": "object"}),
            "examples": [
                {"inputs": json.dumps(inputs), "expect": json.dumps(expect), "fetches": list(fetches)}
                for inputs, expect in examples
            ],
            "hosts": list(hosts),
            "tier": tier,
        }
    )


class MessagesServer:
    """Answers with what `reply` lined up, in order; then with `always`, if that is set."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.requests: list[Json] = []
        self.headers: list[Mapping[str, str]] = []
        self.always: Reply | None = None
        self._lined_up: deque[Reply] = deque()
        self._gate = threading.Event()

    def reply(self, *replies: Reply) -> None:
        self._lined_up.extend(replies)

    def open_gate(self) -> None:
        self._gate.set()

    def reset(self) -> None:
        self.requests.clear()
        self.headers.clear()
        self._lined_up.clear()
        self.always = None
        self._gate.set()  # for whatever still waits
        self._gate = threading.Event()

    @property
    def unused(self) -> int:
        return len(self._lined_up)

    async def answer(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append(body)
        self.headers.append(dict(request.headers))
        reply = self._lined_up.popleft() if self._lined_up else self.always
        if reply is None:
            return JSONResponse({"type": "error", "error": {"type": "api_error", "message": "nothing lined up"}}, 400)
        if reply.status != 200:
            error = {"type": NAMES.get(reply.status, "api_error"), "message": "no"}
            return JSONResponse({"type": "error", "error": error}, reply.status, dict(reply.headers))
        assert body["stream"] is True
        if reply.raw is not None:
            return Response(reply.raw, media_type="text/event-stream")
        return StreamingResponse(self._stream(reply, body["model"]), media_type="text/event-stream")

    async def _passed(self) -> None:
        gate = self._gate
        async with asyncio.timeout(GATE_S_MAX):
            while not gate.is_set():  # noqa: ASYNC110 - set by another thread
                await asyncio.sleep(0.01)

    async def _stream(self, reply: Reply, model: str) -> AsyncIterator[bytes]:
        usage = vars(reply.usage)
        message: Json = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {**usage, "output_tokens": 1},
        }
        yield _event("message_start", message=message)
        yield _event("ping")
        yield _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        pieces = [reply.text[at : at + PIECE_CHARS] for at in range(0, len(reply.text), PIECE_CHARS)]
        for number, piece in enumerate(pieces):
            if number == reply.cut_after:
                raise ConnectionAbortedError
            if number == reply.gated_after:
                await self._passed()
            if number == reply.error_after:
                yield _event("error", error={"type": "overloaded_error", "message": "no"})
                return
            if reply.pause_s:
                await asyncio.sleep(reply.pause_s)
            yield _event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
        yield _event("content_block_stop", index=0)
        delta = {"stop_reason": reply.stop_reason, "stop_sequence": None, "stop_details": reply.stop_details}
        yield _event("message_delta", delta=delta, usage=usage)
        yield _event("message_stop")


@contextmanager
def messages_server() -> Iterator[MessagesServer]:
    """One on a loopback port, in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    host, port = listener.getsockname()
    spoken = MessagesServer(f"http://{host}:{port}")
    app = Starlette(routes=[Route("/v1/messages", spoken.answer, methods=["POST"])])
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="messages-api")
    thread.start()
    try:
        yield spoken
    finally:
        spoken.open_gate()
        server.should_exit = True
        thread.join(20)
        listener.close()
    assert not thread.is_alive()


def _event(name: str, **fields: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **fields})}\n\n".encode()
