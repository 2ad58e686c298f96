"""A generation as an answer: one document at its end, or events while it goes on. Whoever leaves ends it."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any
from uuid import UUID

from fastapi import Request
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from agents_store.generations import TokenUsage
from server.agents.preconditions import etag_of
from server.agents.shown import show_detail
from server.codegen.schemas import GeneratedAgentShown, TokensShown
from server.codegen.service import Generated, Going
from server.edge import problem_response
from server.errors import GenerationEndedError, InvalidRequestError, describe
from server.idempotency import has_key
from server.routing import request_id_of
from server.runs.following import PING_S
from server.runs.stream import EventStream, wants_stream
from server.services import Services

# What a route that generates may answer besides its own problems.
PROBLEMS = (
    "body_too_large", "body_too_slow", "generation_failed", "generation_refused", "generation_unavailable",
    "insufficient_credits", "invalid_request", "lost", "model_unavailable", "sandbox_busy", "server_busy",
    "shutting_down", "tier_unavailable", "too_many_bytes", "too_many_runs", "unsupported_encoding",
)  # fmt: skip
STREAM: Mapping[str, Any] = {
    "text/event-stream": {
        "schema": {
            "type": "string",
            "description": "events `progress` (message, step, attempt) and `code` (attempt, text), then one `done`, "
            "which is the agent, or `problem`",
        }
    }
}


def refuse_kept_stream(request: Request) -> None:
    """Raise InvalidRequestError where a stream is to be kept under an idempotency key."""
    if has_key(request) and wants_stream(request):
        raise InvalidRequestError("What is kept under an Idempotency-Key is a document: accept application/json.")


async def answer_generation(request: Request, services: Services, going: Going, status: int) -> Response:
    """The answer to who asked for a generation that goes on.

    Args:
        request: without a key, its client's leaving ends the generation; with one, it goes on for the repeat.
        services: what it goes on in.
        going: the generation.
        status: of the document, where it succeeds.
    """
    if wants_stream(request):
        return EventStream(
            _events(request, services, going),
            stall_s=services.settings.stream_stall_ms_max / 1000,
            ended=going.cancel,
        )
    try:
        generated = await (going.result() if has_key(request) else _while_wanted(request, going))
    except GenerationEndedError as exc:
        # Answered, not raised: it was charged for, so that a key keeps it.
        return problem_response(exc, request_id_of(request))
    agent = generated.detail.agent
    headers = {"Location": f"/agents/{agent.agent_name}", "ETag": etag_of(agent)}
    return JSONResponse(_document(request, services, generated), status, headers)


def tokens_shown(usage: TokenUsage) -> TokensShown:
    """Tokens as answers show them."""
    return TokensShown(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
    )


async def _while_wanted(request: Request, going: Going) -> Generated:
    leaving = asyncio.ensure_future(_gone(request))
    result = asyncio.ensure_future(going.result())
    try:
        await asyncio.wait({leaving, result}, return_when=asyncio.FIRST_COMPLETED)
        if not result.done():
            going.cancel()
            raise ClientDisconnect
        return result.result()
    finally:
        leaving.cancel()
        result.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _events(request: Request, services: Services, going: Going) -> AsyncGenerator[bytes, None]:
    async for told in going.progress.events(PING_S):
        yield KEEPALIVE_COMMENT if told is None else _event(*told)
    try:
        generated = await going.result()
    # The last boundary of a stream that has begun: what could be an answer's status is an event.
    except Exception as exc:  # noqa: BLE001 - a defect was logged where it ended the generation
        yield _event("problem", describe(exc, request_id_of(request))[1])
    else:
        yield _event("done", _document(request, services, generated))


def _event(name: str, value: Mapping[str, Any]) -> bytes:
    # ASCII on one line: whatever a model wrote, it cannot end the line, the field or the event.
    return format_sse_event(data_str=json.dumps(value, separators=(",", ":"), default=_plain), event=name)


def _plain(value: object) -> str:
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(type(value).__name__)


def _document(request: Request, services: Services, generated: Generated) -> dict[str, Any]:
    shown = GeneratedAgentShown(
        **show_detail(request, services, generated.detail).model_dump(),
        generation_id=generated.generation_id,
        summary=generated.summary,
        attempts=generated.attempts,
        usage=tokens_shown(generated.usage),
        charge_microcredits=generated.charge_microcredits,
        proposed_hosts=generated.proposed_hosts,
    )
    return shown.model_dump(mode="json")
