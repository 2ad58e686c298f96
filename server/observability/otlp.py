"""Traces by OTLP over HTTP. Imported only where the extra `otel` is wanted; importing it needs the SDK."""

import asyncio
from collections.abc import MutableMapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any

from fastapi.telemetry import TelemetryConfig
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

from server.logging import REDACTED

EXPORT_S_MAX = 2.0  # one batch; what does not arrive is dropped
UNTRACED_PREFIXES = ("/health/", "/metrics")


class Exporting(AbstractAsyncContextManager[None]):
    """Sends spans to a collector in the background for as long as its context lasts.

    Attributes:
        provider: where the spans are made.
    """

    def __init__(self, endpoint: str, ratio: float, version: str) -> None:
        self._endpoint = f"{endpoint.rstrip('/')}/v1/traces"
        self.provider = TracerProvider(
            # A caller's own decision to sample counts; what arrives without one is sampled by ratio.
            sampler=ParentBasedTraceIdRatio(ratio),
            resource=Resource.create({SERVICE_NAME: "glovebox", SERVICE_VERSION: version}),
            shutdown_on_exit=False,
        )

    async def __aenter__(self) -> None:
        """Begin to export."""
        self.provider.add_span_processor(_WithoutQuery())
        self.provider.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(self._endpoint, timeout=EXPORT_S_MAX), export_timeout_millis=2_000)
        )

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Send what is left, a few batches at most."""
        await asyncio.to_thread(self.provider.shutdown)


class _WithoutQuery(SpanProcessor):
    """Takes the query out of every span: an agent's inputs are in it."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        if span.attributes is not None and "url.query" in span.attributes:
            span.set_attribute("url.query", REDACTED)


def config_of(provider: TracerProvider) -> TelemetryConfig:
    """FastAPI's own instrumentation, one span for each request that is no probe."""
    return TelemetryConfig(
        tracer_provider=provider,
        tracing=True,
        metrics=False,
        logs=False,
        operation_spans=False,
        auto_configure=False,
        exclude=_is_probe,
    )


def _is_probe(scope: MutableMapping[str, Any]) -> bool:
    return str(scope.get("path", "")).startswith(UNTRACED_PREFIXES)
