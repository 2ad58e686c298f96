"""Traces reach a collector that is configured, with the caller's trace and without anybody's inputs."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.acceptance.running import User, client_for, reachable_directory, running, settings_for

SECRET_INPUT = "what-the-agent-was-told"
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


class Collector(ThreadingHTTPServer):
    """Takes OTLP over HTTP on a loopback port, and keeps it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[tuple[str, bytes]] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def spans(self) -> list[Any]:
        requests = [ExportTraceServiceRequest.FromString(body) for _, body in self.received]
        return [
            span
            for request in requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append((self.path, body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def collecting() -> Iterator[Collector]:
    with Collector() as collector:
        thread = threading.Thread(target=collector.serve_forever, name="collector")
        thread.start()
        try:
            yield collector
        finally:
            collector.shutdown()
            thread.join()


def traceparent(flags: str) -> dict[str, str]:
    return {"traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-{flags}"}


async def call_once(endpoint: str, ratio: float, headers: dict[str, str]) -> None:
    """One run on a server of its own, and one probe; all is exported when the server has stopped."""
    with (
        reachable_directory() as data_dir,
        running(settings_for(data_dir, otlp_endpoint=endpoint, trace_ratio=ratio)) as server,
    ):
        user_id = uuid4()
        async with client_for(server, server.token_for(user_id)) as client:
            user = User(user_id, client)
            await user.create("echo", "def run(inputs):\n    return inputs")
            answer = await client.get(user.path("echo"), params={"text": SECRET_INPUT}, headers=headers)
            assert (answer.status_code, answer.json()) == (200, {"text": SECRET_INPUT})
            assert (await client.get("/health/ready")).status_code == 200


async def test_a_request_is_a_span_of_the_callers_trace_without_its_inputs() -> None:
    with collecting() as collector:
        await call_once(collector.endpoint, 0.0, traceparent("01"))
        (span,) = collector.spans()

    attributes = {item.key: item.value for item in span.attributes}
    assert span.name == "GET /agents/{user_id}/{agent_name}"
    assert span.trace_id.hex() == TRACE_ID
    assert attributes["http.response.status_code"].int_value == 200
    assert attributes["url.query"].string_value == "[redacted]"
    assert {path for path, _ in collector.received} == {"/v1/traces"}
    assert not [body for _, body in collector.received if SECRET_INPUT.encode() in body]


async def test_a_caller_who_samples_nothing_is_not_traced() -> None:
    with collecting() as collector:
        await call_once(collector.endpoint, 1.0, traceparent("00"))
        names = [span.name for span in collector.spans()]

    assert names == ["POST /agents"]


async def test_a_collector_that_is_away_is_nobodys_problem() -> None:
    with collecting() as collector:
        gone = collector.endpoint
    with pytest.raises(httpx.ConnectError):
        await asyncio.to_thread(httpx.get, gone, trust_env=False)

    await call_once(gone, 1.0, {})
