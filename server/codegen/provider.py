"""The model provider: one streamed request through its own library, and what came of it."""

import asyncio
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog

from agents_store.generations import Engine, TokenUsage
from server.codegen.answers import ANSWER_BYTES_MAX, AgentText
from server.codegen.prompt import Request
from server.errors import GenerationUnavailableError, ModelUnavailableError

if TYPE_CHECKING:
    import anthropic
    from anthropic.types import MessageParam, OutputConfigParam, TextBlockParam

CONNECT_S_MAX = 5.0
SILENCE_S_MAX = 60.0  # between two pieces of an answer; the provider sends pings meanwhile
TEXT_BYTES_PER_TOKEN = 3  # at most that many, on average, in programs and JSON
# Statuses that trying again does not change: something that the operator has set is wrong.
MISCONFIGURED = frozenset({400, 401, 402, 403, 404, 405, 413, 422})

log = structlog.get_logger("server.codegen")


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What a model answered.

    `stop_reason` is the provider's word, None where the answer broke off; `broken` says why. `refusal` is the category
    of a refusal, where there is one.
    """

    text: str
    stop_reason: str | None
    broken: str | None = None
    refusal: str | None = None


class Meter:
    """Counts the tokens of a generation, also those of an answer that never came to its end."""

    def __init__(self) -> None:
        self._before = TokenUsage()
        self._now = TokenUsage()
        self._output_tokens_max = 0
        self._text_bytes = 0
        self._ended = False

    @property
    def total(self) -> TokenUsage:
        """Of all requests so far: what the provider told, and of an answer without an end at least its text's share."""
        if self._ended:
            return self._before + self._now
        received = min(-(-self._text_bytes // TEXT_BYTES_PER_TOKEN), self._output_tokens_max)
        return self._before + replace(self._now, output_tokens=max(self._now.output_tokens, received))

    def begin_request(self, output_tokens_max: int) -> None:
        """What is counted next belongs to another request, whose answer has at most so many tokens."""
        self._before, self._now = self.total, TokenUsage()
        self._output_tokens_max, self._text_bytes, self._ended = output_tokens_max, 0, False

    def count_text(self, text_bytes: int) -> None:
        """Take what has come of this request's answer: the provider tells its output's tokens at the end only."""
        self._text_bytes += text_bytes

    def count(self, usage: Any, *, ended: bool) -> None:
        """Take the provider's running totals of this request; nothing in them is believed to be a number."""
        self._ended = ended
        self._now = TokenUsage(
            input_tokens=_tokens(usage, "input_tokens"),
            output_tokens=_tokens(usage, "output_tokens"),
            cache_read_tokens=_tokens(usage, "cache_read_input_tokens"),
            cache_write_tokens=_tokens(usage, "cache_creation_input_tokens"),
        )


class MessagesApi:
    """Speaks to whatever answers at `base_url` as the Messages API does."""

    def __init__(self, *, api_key: str | None, base_url: str) -> None:
        """Nothing is connected or loaded yet. Without a key every request is refused."""
        self._api_key = api_key
        self._base_url = base_url
        self._client: anthropic.AsyncAnthropic | None = None

    def require(self) -> None:
        """Raise GenerationUnavailableError where no key is set."""
        if not self._api_key:
            raise GenerationUnavailableError(
                "No model is set up: the operator sets ANTHROPIC_API_KEY. Agents can be created from `code`."
            )

    async def close(self) -> None:
        """Close every connection. Idempotent."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def answer(
        self, engine: Engine, request: Request, meter: Meter, take_text: Callable[[str], None]
    ) -> ModelAnswer:
        """Ask for an agent and stream it.

        Args:
            engine: model, effort and bounds.
            request: what is asked.
            meter: counts the tokens, whatever becomes of the answer.
            take_text: takes each piece of the answer's text as it comes.

        Raises:
            GenerationUnavailableError: the provider turned the request away as it always will.
            ModelUnavailableError: it could not be reached, or is too busy, also after `retries_max` more times.
        """
        meter.begin_request(engine.output_tokens_max)
        reading = _Reading(meter, take_text)
        client = (await self._opened()).with_options(max_retries=engine.retries_max)
        try:
            # The library waits for as long as a Retry-After says: the deadline is ours.
            async with asyncio.timeout(engine.answer_ms_max / 1000):
                await _stream(client, engine, request, reading)
        # The boundary to whatever speaks at that address: its library fails in more ways than it has classes for.
        except Exception as exc:
            if not reading.started:
                raise _unavailable(exc) from exc
            log.warning("answer of the model broke off", error=type(exc).__name__)
            reading.broken = "took too long" if isinstance(exc, TimeoutError) else "broke off"
        return reading.answer

    async def _opened(self) -> "anthropic.AsyncAnthropic":
        if self._client is None:
            made = await asyncio.to_thread(self._load)
            if self._client is None:  # nobody else did meanwhile
                self._client = made
            else:
                await made.close()
        return self._client

    def _load(self) -> "anthropic.AsyncAnthropic":
        # Here, because loading the library takes longer than everything else that a server start does.
        import anthropic
        import httpx2

        return anthropic.AsyncAnthropic(
            api_key=self._api_key,
            base_url=self._base_url,
            webhook_key="",
            open_telemetry=False,
            http_client=httpx2.AsyncClient(
                timeout=httpx2.Timeout(SILENCE_S_MAX, connect=CONNECT_S_MAX),
                follow_redirects=False,  # the key is for this address alone
                trust_env=not _is_loopback(self._base_url),
            ),
        )


class _Reading:
    """One answer while it comes."""

    def __init__(self, meter: Meter, take_text: Callable[[str], None]) -> None:
        self._meter = meter
        self._take_text = take_text
        self._pieces: list[str] = []
        self._bytes = 0
        self._stop_reason: str | None = None
        self._refusal: str | None = None
        self.started = False
        self.broken: str | None = None

    @property
    def answer(self) -> ModelAnswer:
        broken = self.broken
        if broken is None and self._stop_reason is None:
            broken = "broke off"
        return ModelAnswer("".join(self._pieces), None if broken else self._stop_reason, broken, self._refusal)

    def take_message(self, message: Any) -> None:
        self.started = True
        reason = getattr(message, "stop_reason", None)
        self._stop_reason = reason if isinstance(reason, str) else None
        self._meter.count(getattr(message, "usage", None), ended=self._stop_reason is not None)
        category = getattr(getattr(message, "stop_details", None), "category", None)
        self._refusal = category if isinstance(category, str) else None

    def take_text(self, text: str) -> None:
        text_bytes = len(text.encode(errors="replace"))
        self._bytes += text_bytes
        self._meter.count_text(text_bytes)
        if self._bytes > ANSWER_BYTES_MAX:
            self.broken = f"has more than {ANSWER_BYTES_MAX} bytes"
            return
        self._pieces.append(text)
        self._take_text(text)


async def _stream(client: "anthropic.AsyncAnthropic", engine: Engine, request: Request, reading: _Reading) -> None:
    async with client.messages.stream(
        model=engine.model,
        max_tokens=engine.output_tokens_max,
        system=_system(request),
        messages=_messages(request),
        output_config=_output_config(engine),
    ) as stream:
        async for event in stream:
            if event.type in ("message_start", "message_delta"):
                reading.take_message(stream.current_message_snapshot)
            elif event.type == "text":
                reading.take_text(event.text)
            if reading.broken is not None:
                return


def _system(request: Request) -> "list[TextBlockParam]":
    return [{"type": "text", "text": request.fixed, "cache_control": {"type": "ephemeral", "ttl": "1h"}}]


def _messages(request: Request) -> "list[MessageParam]":
    messages: list[MessageParam] = []
    for index, turn in enumerate(request.turns):
        messages.append({"role": "assistant", "content": turn} if index % 2 else {"role": "user", "content": turn})
    return messages


def _output_config(engine: Engine) -> "OutputConfigParam":
    import anthropic

    # Not `output_format=`: with it the library parses the text before the last event, which has the tokens used, and
    # an answer that breaks the form would raise before they are known.
    schema = anthropic.transform_schema(AgentText)
    config: dict[str, Any] = {"format": {"type": "json_schema", "schema": schema}}
    if engine.effort is not None:
        config["effort"] = engine.effort
    return config  # type: ignore[return-value] # the row's check constraint knows the efforts


def _unavailable(error: Exception) -> Exception:
    status = getattr(error, "status_code", None)
    log.warning(
        "model did not answer",
        error=type(error).__name__,
        status=status,
        provider_request_id=getattr(error, "request_id", None),
        message=str(error)[:500],
    )
    if status in MISCONFIGURED:
        return GenerationUnavailableError(
            "The model provider turned the request away; the operator finds the reason in the server's log."
        )
    return ModelUnavailableError()


def _tokens(usage: Any, name: str) -> int:
    found = getattr(usage, name, None)
    return max(0, found) if isinstance(found, int) and not isinstance(found, bool) else 0


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
