import sys

import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from server.observability.telemetry import build_tracing
from server.settings import Settings

ENDPOINT = "http://127.0.0.1:4318"


def test_nothing_is_traced_and_no_sdk_is_loaded_unless_an_endpoint_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_sdk(monkeypatch)

    tracing = build_tracing(Settings(_env_file=None, otlp_endpoint=None), "1")

    assert not any(tracing.config.get(name) for name in ("tracing", "metrics", "logs", "auto_configure"))
    assert not FastAPI(telemetry=tracing.config)._native_telemetry.enabled()
    assert sys.modules.get("opentelemetry.sdk") is None


def test_an_endpoint_without_the_sdk_is_a_warning_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_sdk(monkeypatch)

    with capture_logs() as lines:
        tracing = build_tracing(Settings(_env_file=None, otlp_endpoint=ENDPOINT), "1")

    (line,) = lines
    assert line["log_level"] == "warning"
    assert "glovebox[otel]" in line["fix"]
    assert not tracing.config.get("tracing")


def test_with_the_sdk_a_request_is_one_span_and_probes_are_none() -> None:
    tracing = build_tracing(Settings(_env_file=None, otlp_endpoint=ENDPOINT), "1")

    exclude = tracing.config.get("exclude")
    assert exclude is not None
    assert tracing.config.get("operation_spans") is False
    assert [exclude({"path": path}) for path in ("/health/ready", "/metrics", "/agents")] == [True, True, False]


def forget_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the extra were not installed: importing it fails."""
    for name in [name for name in sys.modules if name.startswith("opentelemetry.sdk")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "server.observability.otlp", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk", None)
