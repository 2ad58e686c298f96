"""A request's head is bounded in bytes and in time before any application sees it."""

import asyncio
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from server.cli import http_bounds
from server.cli.connections import Connections
from server.cli.http_bounds import HEAD_BYTES_MAX, BoundedHttpProtocol


class FakeTransport(asyncio.Transport):
    """Gathers what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.untaken_bytes = 0
        self.closed = asyncio.Event()
        self.gone = asyncio.Event()

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closed.set()

    def abort(self) -> None:
        self.gone.set()
        self.closed.set()

    def get_write_buffer_size(self) -> int:
        return self.untaken_bytes

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


async def connect(all_connections: Connections) -> tuple[BoundedHttpProtocol, FakeTransport, ServerState]:
    config = uvicorn.Config(echo_length, log_config=None, lifespan="off", ws="none")
    config.load()
    state = ServerState()
    protocol = BoundedHttpProtocol(config, state, {}, all_connections=all_connections)
    transport = FakeTransport()
    protocol.connection_made(transport)
    return protocol, transport, state


async def settle(state: ServerState) -> None:
    await asyncio.gather(*state.tasks)


def close(protocol: BoundedHttpProtocol) -> None:
    protocol.connection_lost(None)


async def test_ordinary_request_is_answered() -> None:
    protocol, transport, state = await connect(Connections(10))

    protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await settle(state)

    assert transport.written.startswith(b"HTTP/1.1 200 ")
    close(protocol)


async def test_request_after_request_is_answered_on_one_connection() -> None:
    protocol, transport, state = await connect(Connections(10))

    for _ in range(3):
        protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\nX-Fill: " + b"x" * (HEAD_BYTES_MAX // 2) + b"\r\n\r\n")
        await settle(state)

    assert transport.written.count(b"HTTP/1.1 200 ") == 3
    close(protocol)


@pytest.mark.parametrize("endless", [b"x", b"x: y\r\n"], ids=["one header", "many headers"])
async def test_head_without_end_is_refused(endless: bytes) -> None:
    protocol, transport, _ = await connect(Connections(10))
    protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\nX-Fill: ")
    sent = 0

    while not transport.is_closing() and sent < 10 * HEAD_BYTES_MAX:
        protocol.data_received(endless * (4096 // len(endless)))
        sent += 4096

    assert transport.written.startswith(b"HTTP/1.1 431 ")
    assert sent <= HEAD_BYTES_MAX + 4096
    close(protocol)


async def test_large_body_is_no_head() -> None:
    protocol, transport, state = await connect(Connections(10))
    protocol.data_received(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (2 * HEAD_BYTES_MAX))

    for _ in range(4):
        protocol.data_received(b"x" * (HEAD_BYTES_MAX // 2))
    await settle(state)

    assert b" 431 " not in transport.written
    close(protocol)


@pytest.mark.parametrize("head", [b"", b"GET / HTTP/1.1\r\nHost:"], ids=["nothing", "half a head"])
async def test_head_that_does_not_come_is_not_waited_for(head: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_bounds, "HEAD_TIMEOUT_S", 0.01)
    protocol, transport, _ = await connect(Connections(10))

    if head:
        protocol.data_received(head)
    async with asyncio.timeout(5):
        await transport.closed.wait()

    assert transport.written.startswith(b"HTTP/1.1 408 ")
    close(protocol)


async def test_answer_may_take_longer_than_a_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_bounds, "HEAD_TIMEOUT_S", 0.01)
    protocol, transport, state = await connect(Connections(10))

    protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await asyncio.sleep(0.05)
    await settle(state)

    assert not transport.is_closing()
    assert transport.written.startswith(b"HTTP/1.1 200 ")
    close(protocol)


async def until_closed(transport: FakeTransport) -> None:
    async with asyncio.timeout(5):
        await transport.closed.wait()


async def test_client_that_was_answered_may_not_send_its_body_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_bounds, "UNREAD_BODY_S_MAX", 0.05)
    protocol, transport, state = await connect(Connections(10))

    protocol.data_received(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
    await settle(state)
    assert transport.written.startswith(b"HTTP/1.1 200 ")
    while not transport.is_closing():
        protocol.data_received(b"x")
        await asyncio.sleep(0.005)

    assert transport.gone.is_set()
    close(protocol)


async def test_body_that_ends_after_its_answer_leaves_a_connection_for_the_next_request() -> None:
    protocol, transport, state = await connect(Connections(10))

    protocol.data_received(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx")
    await settle(state)
    protocol.data_received(b"x")
    protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await settle(state)

    assert transport.written.count(b"HTTP/1.1 200 ") == 2
    assert not transport.is_closing()
    close(protocol)


async def test_end_of_a_large_body_is_no_part_of_the_next_head() -> None:
    protocol, transport, state = await connect(Connections(10))
    end = 2 * HEAD_BYTES_MAX

    protocol.data_received(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % end)
    await settle(state)
    protocol.data_received(b"x" * end)
    protocol.data_received(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % end)
    await settle(state)
    protocol.data_received(b"x" * end + b"GET / HTTP/1.1\r\nHo")
    protocol.data_received(b"st: a\r\n\r\n")
    await settle(state)

    assert transport.written.count(b"HTTP/1.1 200 ") == 3
    assert not transport.is_closing()
    close(protocol)


async def test_bytes_that_begin_no_request_do_not_keep_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_bounds, "HEAD_TIMEOUT_S", 0.05)
    protocol, transport, state = await connect(Connections(10))
    protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await settle(state)

    async with asyncio.timeout(5):
        while not transport.is_closing():
            protocol.data_received(b"\r\n")
            await asyncio.sleep(0.005)

    close(protocol)


@pytest.mark.parametrize("kept_alive", [True, False])
async def test_answer_that_nobody_takes_is_given_up(kept_alive: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_bounds, "STALL_S", 0.01)
    protocol, transport, state = await connect(Connections(10))
    transport.untaken_bytes = 1000

    protocol.data_received(b"GET / HTTP/1.%d\r\nHost: a\r\n\r\n" % kept_alive)
    await settle(state)
    async with asyncio.timeout(5):
        await transport.gone.wait()

    close(protocol)


async def test_refusal_that_nobody_takes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_bounds, "STALL_S", 0.01)
    monkeypatch.setattr(http_bounds, "HEAD_TIMEOUT_S", 0.01)
    protocol, transport, _ = await connect(Connections(10))
    transport.untaken_bytes = 1000

    await until_closed(transport)
    assert transport.written.startswith(b"HTTP/1.1 408 ")
    async with asyncio.timeout(5):
        await transport.gone.wait()

    close(protocol)


async def test_answer_that_is_taken_slowly_is_seen_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_bounds, "STALL_S", 0.02)
    protocol, transport, state = await connect(Connections(10))
    transport.untaken_bytes = 8 * http_bounds.STALL_BYTES_MIN
    look, taken = protocol._look_at_taking, asyncio.Event()

    def take_some_and_look() -> None:
        transport.untaken_bytes -= http_bounds.STALL_BYTES_MIN
        look()
        if not transport.untaken_bytes:
            taken.set()

    monkeypatch.setattr(protocol, "_look_at_taking", take_some_and_look)
    protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await settle(state)
    async with asyncio.timeout(5):
        await taken.wait()

    assert not transport.is_closing()
    close(protocol)


async def test_newcomer_takes_the_place_of_a_head_that_does_not_come() -> None:
    connections = Connections(2)
    slow, slow_transport, _ = await connect(connections)
    kept, kept_transport, state = await connect(connections)
    kept.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await settle(state)

    newcomer, transport, state = await connect(connections)
    newcomer.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await settle(state)

    assert slow_transport.written.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nretry-after: 1\r\n" in slow_transport.written
    assert not kept_transport.is_closing()
    assert transport.written.startswith(b"HTTP/1.1 200 ")
    for protocol in (slow, kept, newcomer):
        close(protocol)
    assert len(connections) == 0
