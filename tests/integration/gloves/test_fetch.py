"""Fetches over real sockets: what honest servers get and give."""

import asyncio
import gzip
import json
from datetime import UTC, datetime

import pytest

from agents_store.types import EffectStatus
from sandbox.types import GloveError, GloveFault, Limits, RunStoppedError
from server.gloves.fetch_request import BODY_BYTES_MAX
from server.gloves.mocks import FetchMock, Mocks
from server.gloves.run import RunGloves
from tests.integration.gloves.fetching import OPENED, MakeFetching
from tests.support.http_server import Answer, Received, answering, http_server, raw


def fault_of(error: pytest.ExceptionInfo[GloveError]) -> GloveFault:
    return error.value.fault


async def test_a_fetch_brings_status_headers_and_text(fetching: MakeFetching) -> None:
    async with http_server(answering(b'{"high": 21}', head="X-Two: a\r\nX-Two: b\r\n")) as served:
        fetch = fetching([served.url().rstrip("/")])

        answer = await fetch(served.url("/today"), params={"city": "New York", "n": 2, "tags": ["a", "b"]})

    assert answer["status"] == 200
    assert answer["url"] == served.url("/today?city=New+York&n=2&tags=a&tags=b")
    assert answer["headers"]["x-two"] == "a, b"
    assert json.loads(answer["text"]) == {"high": 21}
    assert served.requests[0].target == "/today?city=New+York&n=2&tags=a&tags=b"
    assert fetch.last.status is EffectStatus.PERFORMED
    assert fetch.last.response == answer
    assert fetch.gloves.counts == {"fetch": 1}


@pytest.mark.parametrize(
    ("options", "body", "content_type"),
    [
        ({"json": {"a": [1, "ü"]}}, '{"a":[1,"ü"]}'.encode(), "application/json"),
        ({"json": None}, b"null", "application/json"),
        ({"data": "plain"}, b"plain", "text/plain; charset=utf-8"),
        ({"data": {"base64": "AP8="}}, b"\x00\xff", None),
        ({"data": {"a": "1 2", "b": ["x", "y"]}}, b"a=1+2&b=x&b=y", "application/x-www-form-urlencoded"),
        ({"data": "<x/>", "headers": {"content-type": "text/xml"}}, b"<x/>", "text/xml"),
        ({}, b"", None),
    ],
)
async def test_a_body_is_sent_as_its_kind(
    fetching: MakeFetching, options: dict[str, object], body: bytes, content_type: str | None
) -> None:
    async with http_server(answering()) as served:
        await fetching([served.url().rstrip("/")])(served.url(), "post", **options)

    assert served.requests[0].method == "POST"
    assert served.requests[0].body == body
    assert served.requests[0].headers.get("content-type") == content_type
    assert served.requests[0].headers["content-length"] == str(len(body))


async def test_the_connections_own_headers_are_the_hosts(fetching: MakeFetching) -> None:
    asked = {
        "Host": "evil.example.com",
        "Content-Length": "3",
        "Transfer-Encoding": "chunked",
        "Connection": "upgrade",
        "Upgrade": "websocket",
        "Accept-Encoding": "br",
        "Proxy-Authorization": "x",
        "X-Own": "kept",
        "User-Agent": "mine",
    }
    async with http_server(answering()) as served:
        await fetching([served.url().rstrip("/")])(served.url(), headers=asked)

    assert served.requests[0].headers == {
        "host": f"127.0.0.1:{served.port}",
        "accept-encoding": "gzip",
        "accept": "*/*",
        "x-own": "kept",
        "user-agent": "mine",
    }


async def test_the_host_header_has_the_name_and_the_checked_address_is_dialled(fetching: MakeFetching) -> None:
    async with http_server(answering()) as served:
        fetch = fetching([f"http://{OPENED}:{served.port}"])

        await fetch(served.url(host="OPENED.test"))

    assert served.requests[0].headers["host"] == f"{OPENED}:{served.port}"
    assert fetch.names.asked == [OPENED]


async def test_no_environment_reaches_a_fetch(fetching: MakeFetching, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with http_server(answering(head="Set-Cookie: a=b\r\n")) as served:
        fetch = fetching([served.url().rstrip("/")])
        await fetch(served.url())
        await fetch(served.url())

    assert "cookie" not in served.requests[1].headers
    assert served.connections == 1


@pytest.mark.parametrize(
    ("body", "content_type", "content"),
    [
        ("ü".encode(), "text/plain", {"text": "ü"}),
        (b"\xef\xbb\xbf{}", "application/json", {"text": "{}"}),
        (b"\xfc", "text/plain; charset=ISO-8859-1", {"text": "ü"}),
        (b"\xfc", "text/plain; charset=rot13", {"base64": "/A=="}),
        (b"\xff\xd8\xff", "image/jpeg", {"base64": "/9j/"}),
        (b"a\0b", "text/plain", {"base64": "YQBi"}),
        (b"", "text/plain", {"text": ""}),
    ],
)
async def test_a_body_comes_as_text_where_it_is_text(
    fetching: MakeFetching, body: bytes, content_type: str, content: dict[str, str]
) -> None:
    async with http_server(answering(body, content_type=content_type)) as served:
        answer = await fetching([served.url().rstrip("/")])(served.url())

    assert {name: answer.get(name) for name in content} == content


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip"])
async def test_a_compressed_body_is_unfolded(fetching: MakeFetching, encoding: str) -> None:
    packed = gzip.compress(b"hello " * 1000)
    async with http_server(answering(packed, head=f"Content-Encoding: {encoding}\r\n")) as served:
        answer = await fetching([served.url().rstrip("/")])(served.url())

    assert answer["text"] == "hello " * 1000
    assert "content-encoding" not in answer["headers"]


async def test_an_encoding_that_was_not_asked_for_is_left_as_it_is(fetching: MakeFetching) -> None:
    async with http_server(answering(b"\x1b\xff", head="Content-Encoding: br\r\n")) as served:
        answer = await fetching([served.url().rstrip("/")])(served.url())

    assert answer["base64"] == "G/8="
    assert answer["headers"]["content-encoding"] == "br"


async def test_head_has_no_body(fetching: MakeFetching) -> None:
    async with http_server(answering(b"not sent", head="Content-Encoding: gzip\r\n")) as served:
        answer = await fetching([served.url().rstrip("/")])(served.url(), "HEAD")

    assert answer["text"] == ""
    assert answer["headers"]["content-length"] == "8"


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"url": 1},
        {"url": "https://a.example.com", "verify": False},
        {"url": "https://a.example.com", "method": "CONNECT"},
        {"url": "https://a.example.com", "method": "TRACE"},
        {"url": "https://a.example.com", "method": "GET / HTTP/1.1\r\nX: y"},
        {"url": "https://a.example.com", "json": 1, "data": "x"},
        {"url": "https://a.example.com", "params": "a=1"},
        {"url": "https://a.example.com", "params": {"a": {"b": 1}}},
        {"url": "https://a.example.com", "params": {str(n): n for n in range(300)}},
        {"url": "https://a.example.com", "headers": ["a"]},
        {"url": "https://a.example.com", "headers": {"a b": "x"}},
        {"url": "https://a.example.com", "headers": {"a": "x\r\nHost: evil"}},
        {"url": "https://a.example.com", "headers": {"a": "x\0"}},
        {"url": "https://a.example.com", "headers": {"a": "\u0100"}},
        {"url": "https://a.example.com", "headers": {"a\r\nb": "x"}},
        {"url": "https://a.example.com", "headers": {"": "x"}},
        {"url": "https://a.example.com", "headers": {f"a{n}": "x" for n in range(60)}},
        {"url": "https://a.example.com", "headers": {"a": "x" * 20_000}},
        {"url": "https://a.example.com", "data": {"base64": "%"}},
        {"url": "https://a.example.com", "data": {"base64": 1}},
        {"url": "https://a.example.com", "data": 1},
        {"url": "https://a.example.com", "data": "x" * (BODY_BYTES_MAX + 1)},
    ],
)
async def test_arguments_that_are_none_are_refused_before_anything_is_sent(
    fetching: MakeFetching, arguments: dict[str, object]
) -> None:
    fetch = fetching(["a.example.com"])

    with pytest.raises(GloveError) as error:
        await fetch.gloves.call("fetch", arguments)  # type: ignore[arg-type] # hostile ones are the point

    assert fault_of(error) is GloveFault.VALUE
    assert fetch.last.status is EffectStatus.REFUSED
    assert fetch.last.error == {"type": "ValueError", "message": error.value.message}
    assert fetch.names.asked == []
    assert fetch.gloves.counts == {}


async def test_fetches_are_bounded_in_number(fetching: MakeFetching) -> None:
    async with http_server(answering()) as served:
        fetch = fetching([served.url().rstrip("/")], limits=Limits(fetches_max=2))
        await fetch(served.url())
        await fetch(served.url())
        with pytest.raises(GloveError) as error:
            await fetch(served.url())

    assert fault_of(error) is GloveFault.RUNTIME
    assert "fetches_max" in error.value.message
    assert fetch.last.status is EffectStatus.REFUSED
    assert len(served.requests) == 2


async def test_the_bytes_of_all_effects_are_bounded(fetching: MakeFetching) -> None:
    async with http_server(answering(b"x" * 30_000)) as served:
        fetch = fetching([served.url().rstrip("/")], limits=Limits(effects_bytes_max=50_000))
        await fetch(served.url())
        with pytest.raises(GloveError) as incoming:
            await fetch(served.url())
        with pytest.raises(GloveError) as outgoing:
            await fetch(served.url(), "POST", data="y" * 60_000)

    assert fault_of(incoming) is GloveFault.RUNTIME
    assert "effects_bytes_max" in outgoing.value.message
    assert len(served.requests) == 2
    assert isinstance(fetch.last.request, dict)
    assert fetch.last.request["cut_bytes"] > 60_000


async def test_a_run_uses_gloves_a_bounded_number_of_times(fetching: MakeFetching) -> None:
    fetch = fetching([])
    for _ in range(500):
        with pytest.raises(GloveError):
            await fetch("https://a.example.com")
    with pytest.raises(GloveError) as error:
        await fetch("https://a.example.com")

    assert fault_of(error) is GloveFault.RUNTIME
    assert len(fetch.gloves.effects) == 500


async def test_a_live_write_is_claimed_before_it_is_sent(fetching: MakeFetching) -> None:
    claims_when_it_came = []

    async def answer(request: Received, writer: asyncio.StreamWriter) -> None:
        claims_when_it_came.append(len(fetch.claimed))
        await answering(b"done")(request, writer)

    async with http_server(answer) as served:
        fetch = fetching([served.url().rstrip("/")])
        await fetch(served.url())
        await fetch(served.url(), "POST", json={"a": 1})

    assert claims_when_it_came == [0, 1]
    assert fetch.claimed[0].seq == 2
    assert fetch.claimed[0].status is EffectStatus.UNKNOWN
    assert fetch.claimed[0].request == {"url": served.url(), "method": "POST", "json": {"a": 1}}
    assert fetch.last.status is EffectStatus.PERFORMED


GOES_WRONG: dict[str, tuple[Answer, EffectStatus]] = {
    "closes without an answer": (raw(b""), EffectStatus.UNKNOWN),
    "breaks off in its head": (raw(b"HTTP/1.1 200 OK\r\nContent-"), EffectStatus.UNKNOWN),
    "answers what is no HTTP": (raw(b"SSH-2.0-OpenSSH\r\n\r\n"), EffectStatus.UNKNOWN),
    "breaks off in its body": (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), EffectStatus.PERFORMED),
    "never answers": (raw(b"", pause_s=30), EffectStatus.UNKNOWN),
}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("how", GOES_WRONG)
async def test_a_write_that_may_have_come_about_is_unknown(fetching: MakeFetching, how: str, method: str) -> None:
    answer, status = GOES_WRONG[how]
    async with http_server(answer) as served:
        fetch = fetching([served.url().rstrip("/")], fetch_s_max=0.5)
        with pytest.raises(GloveError):
            await fetch(served.url(), method)
        await fetch.gloves.close()

    assert fetch.last.status is (status if method == "POST" else EffectStatus.FAILED)
    assert fetch.last.error is not None


async def test_a_write_that_never_left_has_failed(fetching: MakeFetching) -> None:
    async with http_server(answering()) as served:
        pass
    fetch = fetching([served.url().rstrip("/")])

    with pytest.raises(GloveError) as error:
        await fetch(served.url(), "POST")

    assert fault_of(error) is GloveFault.CONNECTION
    assert fetch.last.status is EffectStatus.FAILED


async def test_a_call_that_is_given_up_is_recorded_when_the_gloves_are_closed(fetching: MakeFetching) -> None:
    async with http_server(raw(b"", pause_s=30)) as served:
        fetch = fetching([served.url().rstrip("/")])
        call = asyncio.ensure_future(fetch(served.url(), "POST"))
        await served.asked.wait()
        call.cancel()
        await fetch.gloves.close()

    assert fetch.last.status is EffectStatus.UNKNOWN
    assert fetch.last.error == {"type": "Interrupted", "message": "the run was ended meanwhile"}
    with pytest.raises(GloveError):
        await fetch(served.url())


async def test_one_glove_is_called_at_a_time(fetching: MakeFetching) -> None:
    async with http_server(raw(b"", pause_s=30)) as served:
        fetch = fetching([served.url().rstrip("/")])
        call = asyncio.ensure_future(fetch(served.url()))
        await served.asked.wait()
        with pytest.raises(GloveError, match="at a time"):
            await fetch(served.url())
        call.cancel()
        await fetch.gloves.close()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_a_dry_run_stops_at_a_write_and_sends_nothing(fetching: MakeFetching, method: str) -> None:
    async with http_server(answering()) as served:
        fetch = fetching([served.url().rstrip("/")], test=True)
        await fetch(served.url())
        await fetch(served.url(), "HEAD")
        with pytest.raises(RunStoppedError):
            await fetch(served.url(), method, json={"a": 1})

    assert [request.method for request in served.requests] == ["GET", "HEAD"]
    assert fetch.last.status is EffectStatus.WITHHELD
    assert fetch.gloves.stopped_at == 3
    assert fetch.claimed == []


async def test_a_mock_answers_in_place_of_the_other_side(fetching: MakeFetching) -> None:
    mocks = Mocks(
        [
            FetchMock.model_validate(
                {"glove": "fetch", "match": {"method": "POST"}, "answer": {"status": 201, "json": 1}}
            ),
            FetchMock.model_validate(
                {"glove": "fetch", "match": {"url": "http://127.0.0.1:*"}, "error": {"type": "TimeoutError"}}
            ),
        ]
    )
    async with http_server(answering()) as served:
        fetch = fetching([served.url().rstrip("/")], test=True, mocks=mocks)
        answer = await fetch(served.url(), "POST")
        with pytest.raises(GloveError) as error:
            await fetch(served.url())

    assert (answer["status"], answer["text"]) == (201, "1")
    assert fault_of(error) is GloveFault.TIMEOUT
    assert [effect.status for effect in fetch.gloves.effects] == [EffectStatus.MOCKED, EffectStatus.MOCKED]
    assert served.requests == []


async def test_a_mock_opens_no_host(fetching: MakeFetching) -> None:
    mocks = Mocks([FetchMock.model_validate({"glove": "fetch", "answer": {}})])
    fetch = fetching(["a.example.com"], test=True, mocks=mocks)

    with pytest.raises(GloveError) as error:
        await fetch("https://b.example.com", "POST")

    assert fault_of(error) is GloveFault.PERMISSION


async def test_a_glove_that_is_not_known_is_refused() -> None:
    gloves = RunGloves("alice", test=False, seed=1, started_at=datetime.now(UTC))

    with pytest.raises(GloveError) as error:
        await gloves.call("os.system", {"command": "id"})

    assert fault_of(error) is GloveFault.LOOKUP
    assert gloves.effects[0].status is EffectStatus.REFUSED
