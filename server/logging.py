"""Structured logs: one JSON object a line, or coloured text on a terminal, with secrets taken out on the way."""

import logging
import re
import sys
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor

from server.settings import Settings

REDACTED = "[redacted]"
NESTING_MAX = 4

_SECRET_NAME = re.compile(
    r"authorization|token|secret|password|passwd|cookie|api_?key|credential|dsn|database_url", re.IGNORECASE
)
_SECRET_VALUE = re.compile(
    r"eyJ[\w-]{8,}(?:\.[\w-]*){0,4}"  # JSON Web Token
    r"|\b(?:gbx|sb_secret|sk)_[\w-]{8,}"  # API keys: ours, Supabase's, and the common prefix
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"  # user and password in a URL
    r"|(?i:\bbearer\s+)\S+"
)


def redact(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Replace what looks like a secret by its name or by its shape, up to `NESTING_MAX` levels down."""
    return {name: _clean(name, value, NESTING_MAX) for name, value in event.items()}


def configure_logging(settings: Settings) -> None:
    """Send every log line of this process, the libraries' too, to standard output through one chain.

    Called once by what owns the process; a library that embeds the application configures its own.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if settings.otlp_endpoint is not None:
        shared.append(_add_trace_id)
    console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stdout.isatty())
    rendering: list[Processor] = (
        # Plain: its own way prints the local variables of every frame, whatever they hold.
        [redact, structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if console
        else [structlog.processors.format_exc_info, redact, structlog.processors.JSONRenderer(ensure_ascii=False)]
    )
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(level, logging.INFO), force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)


def _add_trace_id(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Name the trace that the line belongs to, in the form of W3C Trace Context."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
    return event


@lru_cache(maxsize=1024)
def _names_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _clean(name: str, value: Any, nesting: int) -> Any:
    if _names_secret(name) and value is not None and not isinstance(value, (bool, int, float)):
        return REDACTED
    if isinstance(value, str):
        return _SECRET_VALUE.sub(REDACTED, value)
    if nesting == 0:
        return REDACTED if isinstance(value, (dict, list, tuple)) else value
    if isinstance(value, MutableMapping):
        return {str(key): _clean(str(key), item, nesting - 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean("", item, nesting - 1) for item in value]
    return value
