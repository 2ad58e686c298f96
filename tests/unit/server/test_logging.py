import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from opentelemetry import trace

from server.logging import REDACTED, configure_logging, redact
from server.settings import Settings

JWT = "eyJhbGciOiJFUzI1NiIsImtpZCI6IngifQ.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("authorization", "Bearer x"),
        ("Authorization", "anything"),
        ("api_key", "x"),
        ("jwt_secret", "x"),
        ("DATABASE_URL", "x"),
        ("refresh_token", ["x"]),
    ],
)
def test_what_is_named_like_a_secret_is_taken_out(name: str, value: object) -> None:
    assert redact(None, "info", {name: value}) == {name: REDACTED}


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"refused {JWT} again", JWT),
        ("key gbx_0123456789abcdef_12345678 refused", "gbx_0123456789abcdef_12345678"),
        ("sb_secret_abcdefgh", "sb_secret_abcdefgh"),
        ("connect postgresql://glovebox:hunter2@db/prod", "hunter2"),
        ("header was Bearer abc.def", "abc.def"),
        ("header was bearer   abc", "abc"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out_wherever_it_stands(text: str, secret: str) -> None:
    for event in ({"event": text}, {"detail": {"deep": [text]}}, {"exception": f"Traceback\n  {text}\n"}):
        assert secret not in json.dumps(redact(None, "info", event))


def test_ordinary_values_stay_as_they_are() -> None:
    event: dict[str, Any] = {"event": "request", "path": "/agents/x", "status": 200, "duration_ms": 1.5, "tokens": 7}

    assert redact(None, "info", dict(event)) == event


def test_what_is_nested_too_deeply_is_dropped_rather_than_trusted() -> None:
    assert JWT not in json.dumps(redact(None, "info", {"a": {"b": {"c": {"d": {"e": {"f": JWT}}}}}}))


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield lambda: capsys.readouterr().out
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def test_lines_are_json_with_the_requests_id_and_without_secrets(written: Callable[[], str]) -> None:
    configure_logging(Settings(_env_file=None, log_format="json"))
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        structlog.get_logger("x").info("served", token="t", path="/x")
        logging.getLogger("uvicorn.error").warning("library says %s", JWT)
        try:
            raise ValueError(JWT)
        except ValueError:
            structlog.get_logger("x").exception("failed")

    text = written()
    ours, library, failure = (json.loads(line) for line in text.splitlines())

    assert (ours["event"], ours["level"], ours["request_id"], ours["token"]) == ("served", "info", "r1", REDACTED)
    assert ours["timestamp"].endswith("Z")
    assert (library["event"], library["request_id"]) == (f"library says {REDACTED}", "r1")
    assert "ValueError" in failure["exception"]
    assert JWT not in text


def test_a_line_names_its_trace_where_traces_are_on(written: Callable[[], str]) -> None:
    context = trace.SpanContext(0x1234, 0x5678, is_remote=True)
    for endpoint in ("http://127.0.0.1:4318", None):
        configure_logging(Settings(_env_file=None, log_format="json", otlp_endpoint=endpoint))
        structlog.get_logger("x").info("outside")
        with trace.use_span(trace.NonRecordingSpan(context)):
            structlog.get_logger("x").info("inside")
        structlog.reset_defaults()

    lines = [json.loads(line) for line in written().splitlines()]
    assert [line.get("trace_id") for line in lines] == [None, f"{0x1234:032x}", None, None]


def test_lines_below_the_level_are_not_written(written: Callable[[], str]) -> None:
    configure_logging(Settings(_env_file=None, log_format="json", log_level="warning"))
    structlog.get_logger("x").info("quiet")
    logging.getLogger("x").info("quiet")

    assert written() == ""


def test_a_terminal_gets_text(written: Callable[[], str]) -> None:
    configure_logging(Settings(_env_file=None, log_format="console"))
    structlog.get_logger("x").info("served", path="/x")

    text = written()
    assert "served" in text
    assert not text.startswith("{")
