"""OpenTelemetry traces, only where an endpoint is configured: without one, nothing of its SDK is even imported."""

from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field

import structlog
from fastapi.telemetry import TelemetryConfig

from server.settings import Settings

log = structlog.get_logger("server.observability.telemetry")


@dataclass(frozen=True, slots=True)
class Tracing:
    """How one application traces.

    Attributes:
        config: what FastAPI is made with.
        exporting: what must be entered while it traces.
    """

    config: TelemetryConfig = field(
        default_factory=lambda: TelemetryConfig(tracing=False, metrics=False, logs=False, auto_configure=False)
    )
    exporting: AbstractAsyncContextManager[None] = field(default_factory=nullcontext)


def build_tracing(settings: Settings, version: str) -> Tracing:
    """Trace to the configured endpoint. Off where there is none, and, with a warning, where the SDK is missing."""
    if settings.otlp_endpoint is None:
        return Tracing()
    try:
        from server.observability.otlp import Exporting, config_of
    except ImportError:
        log.warning(
            "no traces: OTEL_EXPORTER_OTLP_ENDPOINT is set, but the OpenTelemetry SDK is not installed",
            fix="pip install 'glovebox[otel]', or unset it",
        )
        return Tracing()
    exporting = Exporting(str(settings.otlp_endpoint), settings.trace_ratio, version)
    return Tracing(config_of(exporting.provider), exporting)
