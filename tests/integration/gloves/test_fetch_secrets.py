"""Secrets in requests: where their values go, where they do not, and that they come back nowhere."""

import asyncio
import base64
import html
import json
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

import pytest

from agents_store.types import EffectStatus
from sandbox.types import GloveError, GloveFault
from tests.integration.gloves.fetching import OPENED, Fetching, MakeFetching
from tests.support.http_server import Received, answering, http_server, redirecting

VALUE = 'sk-Live "53cr3t" ü&=/+%'
PLAIN = "sk-live-53cr3t"


def everything_of(fetch: Fetching) -> str:
    return repr(fetch.gloves.effects) + repr(fetch.claimed)


async def test_a_program_gets_a_placeholder_and_the_same_one_each_time(fetching: MakeFetching) -> None:
    fetch = fetching([])
    fetch.keep("key", PLAIN, "api.example.com")
    other = fetching([])
    other.keep("key", PLAIN, "api.example.com")

    placeholder = await fetch.use("key")

    assert placeholder.startswith("gbx-secret-")
    assert await fetch.use("key") == placeholder
    assert await other.use("key") != placeholder
    assert PLAIN not in everything_of(fetch)
    assert fetch.gloves.counts == {"glove_call": 2}


@pytest.mark.parametrize("name", ["unknown", "", "x" * 100, 1, None])
async def test_a_secret_that_is_not_there_is_a_lookup_error(fetching: MakeFetching, name: object) -> None:
    fetch = fetching([])

    with pytest.raises(GloveError) as error:
        await fetch.gloves.call("secrets.use", {"name": name})  # type: ignore[dict-item] # hostile ones are the point

    assert error.value.fault in (GloveFault.LOOKUP, GloveFault.VALUE)
    assert fetch.last.status is EffectStatus.REFUSED


async def test_a_value_goes_where_its_placeholder_stands(fetching: MakeFetching) -> None:
    async with http_server(answering()) as served:
        origin = served.url().rstrip("/")
        fetch = fetching([origin])
        fetch.keep("key", VALUE, origin)
        mark = await fetch.use("key")
        await fetch(served.url(f"/bot{mark}/send?key={mark}"), params={"also": mark})
        await fetch(served.url(), "POST", json={"a": [{mark: mark}]})
        await fetch(served.url(), "POST", data={"token": mark})
        await fetch(served.url(), "POST", data=f"raw {mark}")
        await fetch(served.url(), "POST", data={"base64": base64.b64encode(b"\xff" + mark.encode()).decode()})
        ready_made = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        await fetch(served.url(), "POST", data=f"token={mark}", headers=ready_made)

    target, as_json, form, text, mixed, ready = served.requests
    assert target.target.startswith(f"/bot{quote(VALUE, safe='')}/send?")
    assert parse_qsl(urlsplit(target.target).query) == [("key", VALUE), ("also", VALUE)]
    assert json.loads(as_json.body) == {"a": [{VALUE: VALUE}]}
    assert parse_qsl(form.body.decode()) == [("token", VALUE)]
    assert text.body.decode() == f"raw {VALUE}"
    assert mixed.body == b"\xff" + VALUE.encode()
    assert parse_qsl(ready.body.decode()) == [("token", VALUE)]
    assert VALUE not in everything_of(fetch)


async def test_a_value_goes_into_headers_and_basic_credentials(fetching: MakeFetching) -> None:
    async with http_server(answering()) as served:
        origin = served.url().rstrip("/")
        fetch = fetching([origin])
        fetch.keep("key", PLAIN, origin)
        mark = await fetch.use("key")
        await fetch(served.url(), headers={"Authorization": f"Bearer {mark}", "X-Key": mark})
        basic = base64.b64encode(f"user:{mark}".encode()).decode()
        await fetch(served.url(), headers={"Authorization": f"Basic {basic}"})
        await fetch(served.url(), headers={"Authorization": "Basic what%"})

    assert served.requests[0].headers["authorization"] == f"Bearer {PLAIN}"
    assert served.requests[0].headers["x-key"] == PLAIN
    assert base64.b64decode(served.requests[1].headers["authorization"].split()[1]).decode() == f"user:{PLAIN}"
    assert served.requests[2].headers["authorization"] == "Basic what%"


@pytest.mark.parametrize("place", ["header", "query", "path", "json", "data", "basic"])
async def test_a_secret_reaches_no_host_that_it_is_not_bound_to(fetching: MakeFetching, place: str) -> None:
    async with http_server(answering()) as served:
        fetch = fetching([served.url().rstrip("/")])
        fetch.keep("key", PLAIN, "api.example.com", f"https://127.0.0.1:{served.port}")
        mark = await fetch.use("key")
        basic = base64.b64encode(f"u:{mark}".encode()).decode()
        calls: dict[str, tuple[str, str, dict[str, Any]]] = {
            "header": (served.url(), "GET", {"headers": {"X-Key": mark}}),
            "basic": (served.url(), "GET", {"headers": {"Authorization": f"Basic {basic}"}}),
            "query": (served.url(f"/?k={mark}"), "GET", {}),
            "path": (served.url(f"/{mark}"), "GET", {}),
            "json": (served.url(), "POST", {"json": mark}),
            "data": (served.url(), "POST", {"data": {"k": mark}}),
        }
        url, method, options = calls[place]
        with pytest.raises(GloveError, match="'key' is not bound to") as error:
            await fetch(url, method, **options)

    assert error.value.fault is GloveFault.PERMISSION
    assert fetch.last.status is EffectStatus.REFUSED
    assert served.requests == []


async def test_a_secret_does_not_follow_a_redirect_to_another_host(fetching: MakeFetching) -> None:
    async with http_server(answering()) as other, http_server(redirecting("")) as served:
        served.answer = redirecting(f"http://{OPENED}:{other.port}/")
        origin, there = served.url().rstrip("/"), f"http://{OPENED}:{other.port}"
        fetch = fetching([origin, there])
        fetch.keep("key", PLAIN, origin, there)
        mark = await fetch.use("key")
        await fetch(served.url(), headers={"Authorization": f"Bearer {mark}"})

    assert served.requests[0].headers["authorization"] == f"Bearer {PLAIN}"
    assert "authorization" not in other.requests[0].headers
    assert PLAIN not in repr(other.requests)


@pytest.mark.parametrize("value", ["line\r\nHost: evil", "nul\0", "wide \u0100"])
async def test_a_value_that_no_header_carries_is_not_sent_in_one(fetching: MakeFetching, value: str) -> None:
    async with http_server(answering()) as served:
        origin = served.url().rstrip("/")
        fetch = fetching([origin])
        fetch.keep("key", value, origin)
        mark = await fetch.use("key")
        with pytest.raises(GloveError) as error:
            await fetch(served.url(), headers={"X-Key": mark})

    assert error.value.fault is GloveFault.VALUE
    assert value not in error.value.message
    assert served.requests == []


@pytest.mark.parametrize("value", [VALUE, PLAIN])
async def test_a_value_that_comes_back_is_a_placeholder_again(fetching: MakeFetching, value: str) -> None:
    async def echo(request: Received, writer: asyncio.StreamWriter) -> None:
        ways = [value, quote(value, safe=""), json.dumps(value), base64.b64encode(value.encode()).decode()]
        body = " | ".join(ways)
        head = f"X-Echo: {quote(value)}\r\nX-Url: {request.target}\r\n"
        await answering(body.encode(), head=head)(request, writer)

    async with http_server(echo) as served:
        origin = served.url().rstrip("/")
        fetch = fetching([origin])
        fetch.keep("key", value, origin)
        mark = await fetch.use("key")
        answer = await fetch(served.url(f"/?k={mark}"))
        served.answer = redirecting(f"http://{PLAIN}.evil.example.com/?k={quote(value, safe='')}")
        with pytest.raises(GloveError) as error:
            await fetch(served.url(f"/?k={mark}"))

    seen = repr(answer) + everything_of(fetch) + error.value.message
    for way in (value, quote(value, safe=""), json.dumps(value)[1:-1], base64.b64encode(value.encode()).decode()):
        assert way not in seen
    assert answer["text"].count(mark) == 4


async def test_filled_basic_credentials_come_back_as_they_were_written(fetching: MakeFetching) -> None:
    async def echo(request: Received, writer: asyncio.StreamWriter) -> None:
        sent = request.headers["authorization"]
        body = json.dumps({"Authorization": sent, "php": sent.replace("/", "\\/"), "url": quote(sent, safe="")})
        await answering(body.encode(), head=f"X-Echo: {sent}\r\n")(request, writer)

    async with http_server(echo) as served:
        origin = served.url().rstrip("/")
        fetch = fetching([origin])
        fetch.keep("key", VALUE, origin)
        mark = await fetch.use("key")
        written = base64.b64encode(f"user:{mark}".encode()).decode()
        answer = await fetch(served.url(), headers={"Authorization": f"Basic {written}"})

    sent = served.requests[0].headers["authorization"].split()[1]
    assert base64.b64decode(sent).decode() == f"user:{VALUE}"
    assert answer["headers"]["x-echo"] == f"Basic {written}"
    assert all(written in value for value in json.loads(answer["text"]).values())
    for way in (sent, sent.rstrip("="), quote(sent, safe="")):
        assert way not in repr(answer) + everything_of(fetch)


ESCAPED = {
    "JSON with slashes": json.dumps(VALUE)[1:-1].replace("/", "\\/"),
    "JSON for HTML": json.dumps(VALUE)[1:-1].replace("&", "\\u0026").replace("=", "\\u003D").replace("+", "\\u002b"),
    "JSON, every character": "".join(f"\\u{ord(character):04X}" for character in VALUE),
    "percent, lower case": "".join(f"%{byte:02x}" for byte in VALUE.encode()),
    "percent, of both cases": quote(VALUE, safe="").replace("%2F", "%2f").replace("%C3", "%c3"),
    "percent, not all that is reserved": quote(VALUE, safe="&=/+").lower().replace("sk-live", "sk-Live"),
    "a form": quote_plus(VALUE).replace("%2B", "%2b"),
    "HTML by name": html.escape(VALUE),
    "HTML by number": "".join(f"&#{ord(character)};" for character in VALUE),
    "HTML by hexadecimal number": "".join(f"&#X{ord(character):x};" for character in VALUE),
    "base64 for URLs": base64.urlsafe_b64encode(VALUE.encode()).decode(),
}


@pytest.mark.parametrize("way", ESCAPED)
async def test_a_value_that_comes_back_escaped_is_a_placeholder_again(fetching: MakeFetching, way: str) -> None:
    around = "100 % &amp; \\u00e4 \\/ %C3%A4 \u00e4"
    body = f"{around}[{ESCAPED[way]}]{around}[{ESCAPED[way]}]"
    async with http_server(answering(body.encode(), head=f"X-Echo: [{quote(ESCAPED[way])}]\r\n")) as served:
        origin = served.url().rstrip("/")
        fetch = fetching([origin])
        fetch.keep("key", VALUE, origin)
        mark = await fetch.use("key")
        answer = await fetch(served.url())

    assert answer["text"] == f"{around}[{mark}]{around}[{mark}]"


async def test_a_value_that_comes_back_as_a_header_name_is_a_placeholder(fetching: MakeFetching) -> None:
    async with http_server(answering(head=f"{PLAIN}: 1\r\n")) as served:
        origin = served.url().rstrip("/")
        fetch = fetching([origin])
        fetch.keep("key", PLAIN, origin)
        mark = await fetch.use("key")
        answer = await fetch(served.url())

    assert answer["headers"][mark] == "1"
    assert PLAIN not in repr(answer) + everything_of(fetch)


async def test_a_request_that_carries_a_secret_asks_for_no_part(fetching: MakeFetching) -> None:
    async with http_server(answering()) as served:
        origin = served.url().rstrip("/")
        fetch = fetching([origin])
        fetch.keep("key", PLAIN, origin)
        mark = await fetch.use("key")
        basic = base64.b64encode(f"u:{mark}".encode()).decode()
        for url, headers in (
            (served.url(f"/?k={mark}"), {}),
            (served.url(f"/{mark}"), {}),
            (served.url(), {"Authorization": f"Basic {basic}"}),
        ):
            with pytest.raises(GloveError, match="takes no Range header") as error:
                await fetch(url, headers={"rAnge": "bytes=0-3", **headers})
            assert error.value.fault is GloveFault.PERMISSION
        assert served.requests == []
        await fetch(served.url(), headers={"Range": "bytes=0-3"})

    assert [request.headers["range"] for request in served.requests] == ["bytes=0-3"]


async def test_a_placeholder_of_another_run_means_nothing(fetching: MakeFetching) -> None:
    async with http_server(answering()) as served:
        origin = served.url().rstrip("/")
        one, other = fetching([origin]), fetching([origin])
        one.keep("key", PLAIN, origin)
        mark = await one.use("key")
        await other(served.url(), headers={"X-Key": mark})

    assert served.requests[0].headers["x-key"] == mark
