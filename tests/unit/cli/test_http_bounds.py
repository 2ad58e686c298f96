"""A request's head is bounded in bytes and in time before any application sees it."""

import asyncio
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from server.cli import http_bounds
from server.cli.http_bounds import HEAD_BYTES_MAX, BoundedHttpProtocol


class FakeTransport(asyncio.Transport):
    """Gathers what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = asyncio.Event()

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closed.set()

    def is_closing(self) -> bool:
        return self.closed.is_set()

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


async def echo_length(scope: Any, receive: Any, send: Any) -> None:
    length = str(len(scope["headers"])).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(length))]})
    await send({"type": "http.response.body", "body": length})


async def connect() -> tuple[BoundedHttpProtocol, FakeTransport, ServerState]:
    config = uvicorn.Config(echo_length, log_config=None, lifespan="off", ws="none")
    config.load()
    state = ServerState()
    protocol = BoundedHttpProtocol(config=config, server_state=state, app_state={})
    transport = FakeTransport()
    protocol.connection_made(transport)
    return protocol, transport, state


async def settle(state: ServerState) -> None:
    await asyncio.gather(*state.tasks)


def close(protocol: BoundedHttpProtocol) -> None:
    protocol.connection_lost(None)


async def test_ordinary_request_is_answered() -> None:
    protocol, transport, state = await connect()

    protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await settle(state)

    assert transport.written.startswith(b"HTTP/1.1 200 ")
    close(protocol)


async def test_request_after_request_is_answered_on_one_connection() -> None:
    protocol, transport, state = await connect()

    for _ in range(3):
        protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\nX-Fill: " + b"x" * (HEAD_BYTES_MAX // 2) + b"\r\n\r\n")
        await settle(state)

    assert transport.written.count(b"HTTP/1.1 200 ") == 3
    close(protocol)


@pytest.mark.parametrize("endless", [b"x", b"x: y\r\n"], ids=["one header", "many headers"])
async def test_head_without_end_is_refused(endless: bytes) -> None:
    protocol, transport, _ = await connect()
    protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\nX-Fill: ")
    sent = 0

    while not transport.is_closing() and sent < 10 * HEAD_BYTES_MAX:
        protocol.data_received(endless * (4096 // len(endless)))
        sent += 4096

    assert transport.written.startswith(b"HTTP/1.1 431 ")
    assert sent <= HEAD_BYTES_MAX + 4096
    close(protocol)


async def test_large_body_is_no_head() -> None:
    protocol, transport, state = await connect()
    protocol.data_received(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (2 * HEAD_BYTES_MAX))

    for _ in range(4):
        protocol.data_received(b"x" * (HEAD_BYTES_MAX // 2))
    await settle(state)

    assert b" 431 " not in transport.written
    close(protocol)


@pytest.mark.parametrize("head", [b"", b"GET / HTTP/1.1\r\nHost:"], ids=["nothing", "half a head"])
async def test_head_that_does_not_come_is_not_waited_for(head: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_bounds, "HEAD_TIMEOUT_S", 0.01)
    protocol, transport, _ = await connect()

    if head:
        protocol.data_received(head)
    async with asyncio.timeout(5):
        await transport.closed.wait()

    assert transport.written.startswith(b"HTTP/1.1 408 ")
    close(protocol)


async def test_answer_may_take_longer_than_a_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_bounds, "HEAD_TIMEOUT_S", 0.01)
    protocol, transport, state = await connect()

    protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await asyncio.sleep(0.05)
    await settle(state)

    assert not transport.is_closing()
    assert transport.written.startswith(b"HTTP/1.1 200 ")
    close(protocol)
