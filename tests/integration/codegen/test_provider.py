"""The model provider through its own library: whatever answers there, it ends as an answer or as a refusal."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from agents_store.generations import Engine, TokenUsage
from server.codegen.answers import ANSWER_BYTES_MAX
from server.codegen.prompt import Request
from server.codegen.provider import MessagesApi, Meter, ModelAnswer
from server.errors import GenerationUnavailableError, ModelUnavailableError
from tests.support.messages_api import PIECE_CHARS, MessagesServer, Reply, messages_server

STARTED = TokenUsage(900, 1, 5_000, 70)
WHOLE = TokenUsage(900, 400, 5_000, 70)


@pytest.fixture(scope="module")
def module_spoken() -> Iterator[MessagesServer]:
    with messages_server() as server:
        yield server


@pytest.fixture
def spoken(module_spoken: MessagesServer) -> MessagesServer:
    module_spoken.reset()
    return module_spoken


@pytest.fixture
async def api(spoken: MessagesServer) -> AsyncIterator[MessagesApi]:
    opened = MessagesApi(api_key="sk-ant-ours", base_url=spoken.base_url)
    yield opened
    await opened.close()


def engine(**changes: Any) -> Engine:
    values: dict[str, Any] = {
        "prompt_version": 1,
        "text": "Write.",
        "repairs_max": 3,
        "model": "some-model",
        "effort": None,
        "input_tokens_max": 100_000,
        "output_tokens_max": 4_000,
        "answer_ms_max": 20_000,
        "retries_max": 2,
    }
    return Engine(**{**values, **changes})


async def asked(api: MessagesApi, **changes: Any) -> tuple[ModelAnswer, TokenUsage, str]:
    """The answer, what was counted for it, and the text as it came."""
    meter, pieces = Meter(), list[str]()
    answer = await api.answer(engine(**changes), Request("fixed", ["task", "answer", "report"]), meter, pieces.append)
    return answer, meter.total, "".join(pieces)


async def test_answer_comes_in_pieces_and_is_counted(api: MessagesApi, spoken: MessagesServer) -> None:
    spoken.reply(Reply("x" * 1_000))
    answer, usage, text = await asked(api)

    assert answer == ModelAnswer("x" * 1_000, "end_turn")
    assert (text, usage) == ("x" * 1_000, WHOLE)
    (request,) = spoken.requests
    assert [turn["role"] for turn in request["messages"]] == ["user", "assistant", "user"]
    assert "effort" not in request["output_config"]


def event(name: str, body: str) -> bytes:
    return f"event: {name}\ndata: {body}\n\n".encode()


START = event(
    "message_start",
    '{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],'
    '"stop_reason":null,"usage":{"input_tokens":900,"output_tokens":1,"cache_read_input_tokens":5000,'
    '"cache_creation_input_tokens":70}}}',
)
ODD: dict[str, tuple[bytes, TokenUsage]] = {
    "ends after its start": (START, STARTED),
    "no JSON": (START + event("content_block_delta", "{"), STARTED),
    "a delta of no block": (
        START
        + event(
            "content_block_delta",
            '{"type":"content_block_delta","index":7,"delta":{"type":"text_delta","text":"x"}}',
        ),
        STARTED,
    ),
    "not UTF-8": (START + b"event: ping\ndata: \xff\xfe\n\n", STARTED),
    "usage that is none": (
        START + event("message_delta", '{"type":"message_delta","delta":{},"usage":{"output_tokens":"many"}}'),
        TokenUsage(900, 0, 5_000, 70),
    ),
    "usage below nothing": (
        START + event("message_delta", '{"type":"message_delta","delta":{},"usage":{"output_tokens":-5}}'),
        TokenUsage(900, 0, 5_000, 70),
    ),
    "an event of no kind": (START + event("surprise", '{"type":"surprise"}'), STARTED),
}


@pytest.mark.parametrize("name", ODD)
async def test_odd_stream_is_an_answer_that_broke_off(api: MessagesApi, spoken: MessagesServer, name: str) -> None:
    raw, counted = ODD[name]
    spoken.reply(Reply(raw=raw))
    answer, usage, _ = await asked(api)

    assert (answer.stop_reason, answer.broken) == (None, "broke off")
    assert usage == counted
    assert len(spoken.requests) == 1


@pytest.mark.parametrize("raw", [b"", b"<html>no</html>", event("error", "{}"), event("message_start", "[]")])
async def test_stream_that_never_starts_is_no_answer(api: MessagesApi, spoken: MessagesServer, raw: bytes) -> None:
    spoken.reply(Reply(raw=raw))
    try:
        answer, usage, _ = await asked(api)
    except ModelUnavailableError:
        return
    assert (answer.text, answer.stop_reason, usage) == ("", None, TokenUsage())


async def test_answer_without_end_is_cut(api: MessagesApi, spoken: MessagesServer) -> None:
    piece = "x" * 60_000
    delta = event(
        "content_block_delta",
        '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"' + piece + '"}}',
    )
    block = event(
        "content_block_start",
        '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
    )
    spoken.reply(Reply(raw=START + block + delta * 30))
    answer, usage, text = await asked(api)

    assert answer.broken == f"has more than {ANSWER_BYTES_MAX} bytes"
    assert len(text) <= ANSWER_BYTES_MAX
    assert usage == TokenUsage(900, 4_000, 5_000, 70)  # as many as it may have


@pytest.mark.parametrize("reply", [Reply("x" * 1_000, cut_after=10), Reply("x" * 1_000, error_after=10)])
async def test_text_of_an_answer_that_broke_off_is_counted(
    api: MessagesApi, spoken: MessagesServer, reply: Reply
) -> None:
    spoken.reply(reply)
    answer, usage, text = await asked(api)

    assert (answer.stop_reason, answer.text) == (None, text)
    assert len(text) == 10 * PIECE_CHARS
    assert usage == TokenUsage(900, len(text) // 3, 5_000, 70)


async def test_text_that_came_before_a_cancellation_is_counted(api: MessagesApi, spoken: MessagesServer) -> None:
    spoken.reply(Reply("\u00fc" * 1_000, gated_after=10))
    meter, pieces, enough = Meter(), list[str](), asyncio.Event()

    def take(text: str) -> None:
        pieces.append(text)
        if len(pieces) == 10:
            enough.set()

    asking = asyncio.create_task(api.answer(engine(), Request("fixed", ["task"]), meter, take))
    await asyncio.wait_for(enough.wait(), 20)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)

    text_bytes = len("".join(pieces).encode())
    assert meter.total == TokenUsage(900, -(-text_bytes // 3), 5_000, 70)
    meter.begin_request(4_000)
    assert meter.total.output_tokens == -(-text_bytes // 3)


async def test_wait_that_a_provider_asks_for_is_bounded(api: MessagesApi, spoken: MessagesServer) -> None:
    spoken.reply(*[Reply(status=429, headers={"retry-after": "3600"})] * 3)
    started = time.monotonic()
    with pytest.raises(ModelUnavailableError):
        await asked(api, answer_ms_max=1_000)

    assert time.monotonic() - started < 10
    assert len(spoken.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
async def test_what_stays_refused_is_not_sent_again(api: MessagesApi, spoken: MessagesServer, status: int) -> None:
    spoken.reply(*[Reply(status=status)] * 2)
    with pytest.raises(GenerationUnavailableError):
        await asked(api)

    assert spoken.unused == 1


@pytest.mark.parametrize("status", [408, 429, 500, 503, 529])
async def test_what_passes_is_sent_again_as_often_as_the_row_says(
    api: MessagesApi, spoken: MessagesServer, status: int
) -> None:
    spoken.reply(*[Reply(status=status, headers={"retry-after-ms": "5"})] * 3)
    with pytest.raises(ModelUnavailableError):
        await asked(api, retries_max=1)

    assert spoken.unused == 1


async def test_key_goes_to_its_own_address_alone(api: MessagesApi, spoken: MessagesServer) -> None:
    with messages_server() as elsewhere:
        spoken.reply(Reply(status=307, headers={"location": f"{elsewhere.base_url}/v1/messages"}))
        with pytest.raises((ModelUnavailableError, GenerationUnavailableError)):
            await asked(api, retries_max=0)

        assert elsewhere.requests == []


async def test_environment_changes_nothing(spoken: MessagesServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.setenv(name, "sk-ant-not-ours")
    for name in ("ANTHROPIC_BASE_URL", "HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    spoken.reply(Reply("x"))
    api = MessagesApi(api_key="sk-ant-ours", base_url=spoken.base_url)
    answer, _, _ = await asked(api)
    await api.close()

    assert answer.text == "x"
    sent = " ".join(spoken.headers[0].values())
    assert "sk-ant-ours" in sent
    assert "not-ours" not in sent


async def test_nothing_listens_there(spoken: MessagesServer) -> None:
    api = MessagesApi(api_key="sk-ant-ours", base_url="http://127.0.0.1:9")
    with pytest.raises(ModelUnavailableError):
        await asked(api, retries_max=0)
    await api.close()


def test_without_a_key_nobody_is_asked() -> None:
    for key in (None, ""):
        with pytest.raises(GenerationUnavailableError, match="ANTHROPIC_API_KEY"):
            MessagesApi(api_key=key, base_url="http://127.0.0.1:9").require()
