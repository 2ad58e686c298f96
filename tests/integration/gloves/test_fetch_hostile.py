"""Hostile names, redirects and servers: what is refused, that no socket is opened for it, and what the effect says."""

import asyncio
import itertools
import time
import zlib
from collections.abc import Iterator, Sequence

import pytest

from agents_store.types import EffectStatus
from sandbox.types import GloveError, GloveFault, Limits
from server.gloves import dialling
from server.gloves.dialling import OWNER_LOOKUPS_MAX, RESOLVE_S_MAX, ResolveError, SystemResolver
from server.gloves.exchange import HEAD_BYTES_MAX
from server.gloves.fetch import RESPONSE_BYTES_MAX
from server.gloves.hosts import Address
from tests.integration.gloves.fetching import OPENED, MakeFetching
from tests.support.http_server import Answer, Received, answering, http_server, raw, redirecting
from tests.unit.gloves.test_addresses import NEVER, PRIVATE
from tests.unit.gloves.test_urls import TRICKS

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


@pytest.mark.parametrize("trick", TRICKS)
async def test_a_trick_in_a_url_resolves_nothing_and_opens_nothing(fetching: MakeFetching, trick: str) -> None:
    fetch = fetching(["api.example.com", "*.example.com", "http://127.0.0.1", "http://*.example.com"])

    with pytest.raises(GloveError) as error:
        await fetch(trick)

    assert error.value.fault in (GloveFault.VALUE, GloveFault.PERMISSION)
    assert fetch.last.status is EffectStatus.REFUSED
    assert fetch.last.error == {"type": error.value.fault.value, "message": error.value.message}
    assert fetch.names.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/",
        "https://api.example.com:8443/",
        "https://example.com/",
        "https://api.example.com.evil.com/",
        "https://evil.com/?api.example.com",
        "https://evil.com/https://api.example.com",
        "https://apiexample.com/",
        "https://localhost/",
        "https://[::1]/",
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
    ],
)
async def test_what_is_not_in_allowed_hosts_is_refused(fetching: MakeFetching, url: str) -> None:
    fetch = fetching(["api.example.com"])

    with pytest.raises(GloveError, match="allowed_hosts") as error:
        await fetch(url)

    assert error.value.fault is GloveFault.PERMISSION
    assert fetch.last.status is EffectStatus.REFUSED
    assert fetch.names.asked == []


@pytest.mark.parametrize("address", [*NEVER, *PRIVATE])
async def test_a_name_that_leads_inside_is_not_dialled(fetching: MakeFetching, address: str) -> None:
    async with http_server(answering(b"inside")) as served:
        fetch = fetching([f"http://inside.test:{served.port}"])
        fetch.names.lead("inside.test", address)
        with pytest.raises(GloveError, match="leads to") as error:
            await fetch(served.url(host="inside.test"))

    assert error.value.fault is GloveFault.PERMISSION
    assert fetch.last.status is EffectStatus.REFUSED
    assert served.connections == 0


@pytest.mark.parametrize("answer", [("93.184.216.34", "127.0.0.1"), ("127.0.0.1", "93.184.216.34"), ("::1",)])
async def test_one_closed_address_closes_the_whole_answer(fetching: MakeFetching, answer: Sequence[str]) -> None:
    async with http_server(answering(b"inside")) as served:
        fetch = fetching([f"http://inside.test:{served.port}"])
        fetch.names.lead("inside.test", *answer)
        with pytest.raises(GloveError) as error:
            await fetch(served.url(host="inside.test"))

    assert error.value.fault is GloveFault.PERMISSION
    assert served.connections == 0


async def test_without_the_check_of_addresses_the_fetch_gets_inside(
    fetching: MakeFetching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    monkeypatch.setattr("server.gloves.fetch.closed_reason", lambda address, *, private_allowed: None)
    async with http_server(answering(b"inside")) as served:
        fetch = fetching([f"http://inside.test:{served.port}"])
        fetch.names.lead("inside.test", "127.0.0.1")
        answer = await fetch(served.url(host="inside.test"))

    assert answer["text"] == "inside"
    assert served.connections == 1


async def test_an_address_in_allowed_hosts_is_checked_like_any_other(fetching: MakeFetching) -> None:
    async with http_server(answering(b"inside")) as served:
        fetch = fetching([served.url().rstrip("/")], private_hosts=())
        with pytest.raises(GloveError, match="a loopback address"):
            await fetch(served.url())

    assert served.connections == 0


async def test_an_opened_host_does_not_lead_to_metadata(fetching: MakeFetching) -> None:
    fetch = fetching([f"http://{OPENED}"])
    fetch.names.lead(OPENED, "169.254.169.254")

    with pytest.raises(GloveError, match="a metadata address"):
        await fetch(f"http://{OPENED}/latest/meta-data/")


async def test_an_answer_that_changes_between_two_look_ups_is_checked_each_time(fetching: MakeFetching) -> None:
    """A fetch looks once, and dials what it looked at; the next one looks again."""
    async with http_server(answering(b"inside")) as served:
        turns: Iterator[Sequence[str]] = itertools.chain([["127.0.0.1"]], itertools.repeat(["169.254.169.254"]))
        fetch = fetching([f"http://{OPENED}:{served.port}"])
        fetch.names.known[OPENED] = lambda: next(turns)
        first = await fetch(served.url(host=OPENED))
        with pytest.raises(GloveError, match="a metadata address"):
            await fetch(served.url(host=OPENED))

    assert first["status"] == 200
    assert fetch.names.asked == [OPENED, OPENED]
    assert len(served.requests) == 1


async def test_a_name_without_an_address_leads_nowhere(fetching: MakeFetching) -> None:
    fetch = fetching(["nowhere.test"])
    fetch.names.lead("nowhere.test")

    with pytest.raises(GloveError) as error:
        await fetch("https://nowhere.test")

    assert error.value.fault is GloveFault.CONNECTION
    assert fetch.last.status is EffectStatus.FAILED


LEAVING = ["http://127.0.0.1:{port}/inside", "http://localhost:{port}/", "//localhost:{port}/", "http://[::1]:{port}/",
           "http://169.254.169.254/", "https://opened.test:{port}/", "http://opened.test/", "file:///etc/passwd",
           "gopher://opened.test:{port}/", "http://user@opened.test:{port}/", "http://opened.test:{port}\\@127.0.0.1/",
           "http://0x7f.1:{port}/", "http://opened.test.:{port}/", "http:///x", "\x80", "a" * 9_000]  # fmt: skip


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", LEAVING)
async def test_a_redirect_is_checked_as_the_first_request_was(
    fetching: MakeFetching, location: str, status: int
) -> None:
    async with (
        http_server(answering(b"inside")) as inside,
        http_server(redirecting(location.format(port=inside.port), status)) as served,
    ):
        fetch = fetching([f"http://{OPENED}:{served.port}"])
        with pytest.raises(GloveError) as error:
            await fetch(served.url(host=OPENED))

    assert error.value.fault is GloveFault.PERMISSION
    assert "redirect" in error.value.message
    assert fetch.last.status is EffectStatus.REFUSED
    assert fetch.last.response == {"status": status}
    assert inside.connections == 0


async def test_a_redirect_to_an_allowed_name_that_leads_inside_is_refused(fetching: MakeFetching) -> None:
    async with (
        http_server(answering(b"inside")) as inside,
        http_server(redirecting(f"http://inside.test:{inside.port}/")) as served,
    ):
        fetch = fetching([f"http://{OPENED}:{served.port}", f"http://inside.test:{inside.port}"])
        with pytest.raises(GloveError, match="a loopback address") as error:
            await fetch(served.url(host=OPENED))

    assert error.value.fault is GloveFault.PERMISSION
    assert inside.connections == 0


async def test_endless_redirects_end(fetching: MakeFetching) -> None:
    async with http_server(redirecting("/again")) as served:
        fetch = fetching([served.url().rstrip("/")])
        with pytest.raises(GloveError, match="more than 5 redirects"):
            await fetch(served.url())

    assert len(served.requests) == 6
    assert fetch.last.status is EffectStatus.REFUSED


async def test_nothing_is_carried_across_hosts(fetching: MakeFetching) -> None:
    async with (
        http_server(answering(b"there")) as other,
        http_server(redirecting(f"http://{OPENED}:{other.port}/x")) as served,
    ):
        fetch = fetching([served.url().rstrip("/"), f"http://{OPENED}:{other.port}"])
        answer = await fetch(
            served.url(),
            headers={"Authorization": "Bearer t", "Cookie": "a=b", "X-Key": "k", "Accept": "text/html"},
        )

    assert set(other.requests[0].headers) == {"host", "accept-encoding", "user-agent", "accept"}
    assert answer["url"] == f"http://{OPENED}:{other.port}/x"
    assert answer["redirects"] == [f"http://{OPENED}:{other.port}/x"]


@pytest.mark.parametrize("status", [307, 308])
async def test_a_body_is_not_carried_across_hosts(fetching: MakeFetching, status: int) -> None:
    async with (
        http_server(answering()) as other,
        http_server(redirecting(f"http://{OPENED}:{other.port}/x", status)) as served,
    ):
        fetch = fetching([served.url().rstrip("/"), f"http://{OPENED}:{other.port}"])
        with pytest.raises(GloveError, match="carry the body"):
            await fetch(served.url(), "POST", json={"a": 1})

    assert other.connections == 0
    assert fetch.last.status is EffectStatus.PERFORMED


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (302, "PUT", "PUT"),
        (307, "POST", "POST"),
        (308, "POST", "POST"),
        (303, "HEAD", "HEAD"),
        (302, "GET", "GET"),
    ],
)
async def test_a_redirect_on_the_same_host_keeps_what_http_keeps(
    fetching: MakeFetching, status: int, method: str, then: str
) -> None:
    async def answer(request: Received, writer: asyncio.StreamWriter) -> None:
        await (answering() if request.target == "/then" else redirecting("/then", status))(request, writer)

    async with http_server(answer) as served:
        options = {} if method in ("GET", "HEAD") else {"json": {"a": 1}}
        await fetching([served.url().rstrip("/")])(served.url(), method, headers={"X-Key": "k"}, **options)

    assert [request.method for request in served.requests] == [method, then]
    assert served.requests[1].headers["x-key"] == "k"
    assert served.requests[1].body == (b'{"a":1}' if then in ("POST", "PUT") else b"")


def bomb() -> bytes:
    """100 MiB in about 100 KB."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(100)) + packer.flush()


BEYOND: dict[str, tuple[Answer, str]] = {
    "a header that never ends": (raw(HEAD + b"X: ", *[b"a" * 8_192] * 64), f"more than {HEAD_BYTES_MAX} bytes"),
    "too many headers": (raw(HEAD + b"".join(b"X-%d: 1\r\n" % n for n in range(200)) + b"\r\n"), "header fields"),
    "heads that are none, without end": (raw(*[b"HTTP/1.1 100 Continue\r\n\r\n" * 400] * 64), "head"),
    "a body that never ends": (raw(HEAD + b"\r\n", *[b"a" * 65_536] * 64), f"more than {RESPONSE_BYTES_MAX} bytes"),
    "chunks without end": (
        raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[b"8000\r\n" + b"a" * 0x8000 + b"\r\n"] * 64),
        f"more than {RESPONSE_BYTES_MAX} bytes",
    ),
    "a chunk for every byte": (
        raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[b"1\r\na\r\n" * 1_000] * 64),
        "pieces",
    ),
    "a length beyond the bound": (
        raw(HEAD + b"Content-Length: 99999999999\r\n\r\n", *[b"a" * 65_536] * 64),
        f"more than {RESPONSE_BYTES_MAX} bytes",
    ),
    "a compressed bomb": (
        answering(bomb(), head="Content-Encoding: gzip\r\n"),
        f"more than {RESPONSE_BYTES_MAX} bytes",
    ),
    "a compression that is none": (answering(b"plain", head="Content-Encoding: gzip\r\n"), "not encoded as it says"),
    "a compression that breaks off": (answering(bomb()[:50], head="Content-Encoding: gzip\r\n"), "before its encoding"),
    "what is no HTTP": (raw(b"\0" * 100 + b"\r\n\r\n"), "no HTTP"),
    "a NUL in a header": (raw(HEAD + b"X: a\0b\r\n\r\n"), "no HTTP"),
    "two lengths": (raw(HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), "no HTTP"),
    "switched protocols": (raw(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"), "no HTTP"),
}


@pytest.mark.parametrize("what", BEYOND)
async def test_an_answer_beyond_a_bound_is_refused_soon(fetching: MakeFetching, what: str) -> None:
    answer, reason = BEYOND[what]
    async with http_server(answer) as served:
        fetch = fetching([served.url().rstrip("/")], limits=Limits(wall_ms_max=60_000), fetch_s_max=30)
        with pytest.raises(GloveError) as error:
            await fetch(served.url())
        await fetch.gloves.close()

    assert error.value.fault is GloveFault.RUNTIME
    assert reason in error.value.message
    assert fetch.last.status is EffectStatus.FAILED
    assert fetch.last.error == {"type": "RuntimeError", "message": error.value.message}
    assert fetch.last.duration_ms < 15_000


DRIPS: dict[str, Answer] = {
    "head": raw(*[bytes([byte]) for byte in HEAD * 20], pause_s=0.02),
    "body": raw(HEAD + b"Content-Length: 1000\r\n\r\n", *[b"a"] * 1000, pause_s=0.02),
}


@pytest.mark.parametrize("what", DRIPS)
async def test_a_slow_drip_takes_no_longer_than_a_fetch_may(fetching: MakeFetching, what: str) -> None:
    async with http_server(DRIPS[what]) as served:
        fetch = fetching([served.url().rstrip("/")], fetch_s_max=0.5)
        started = time.monotonic()
        with pytest.raises(GloveError) as error:
            await fetch(served.url())
        took_s = time.monotonic() - started
        await fetch.gloves.close()

    assert error.value.fault is GloveFault.TIMEOUT
    assert fetch.last.error == {"type": "TimeoutError", "message": "the fetch took more than 0.5 s"}
    assert took_s < 5


async def test_a_fetch_leaves_its_program_time_to_learn_of_it(fetching: MakeFetching) -> None:
    async with http_server(raw(b"", pause_s=30)) as served:
        fetch = fetching([served.url().rstrip("/")], limits=Limits(wall_ms_max=500), fetch_s_max=30)
        with pytest.raises(GloveError) as error:
            await fetch(served.url())
        await fetch.gloves.close()

    assert error.value.fault is GloveFault.TIMEOUT
    assert fetch.gloves.budget.seconds_left >= 0


async def test_hostile_answers_leave_the_event_loop_to_others(fetching: MakeFetching) -> None:
    """However small its pieces are, what comes in is looked at in slices."""
    longest_s = 0.0

    async def watch() -> None:
        nonlocal longest_s
        while True:
            started = time.perf_counter()
            await asyncio.sleep(0)
            longest_s = max(longest_s, time.perf_counter() - started)

    async with http_server(raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 200_000)) as served:
        fetch = fetching([served.url().rstrip("/")])
        watching = asyncio.ensure_future(watch())
        with pytest.raises(GloveError, match="pieces"):
            await fetch(served.url())
        watching.cancel()
        await fetch.gloves.close()

    assert longest_s < 1.0  # one slice takes some 30 ms, all pieces several seconds


async def test_one_owners_slow_names_leave_the_resolver_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    release = asyncio.Event()
    loop = asyncio.get_running_loop()

    def look_up(host: str) -> list[Address]:
        if host == "slow.test":
            asyncio.run_coroutine_threadsafe(release.wait(), loop).result(30)
        return []

    monkeypatch.setattr(dialling, "_look_up", look_up)
    resolver = SystemResolver()
    slow = [asyncio.ensure_future(resolver("slow.test", "alice")) for _ in range(OWNER_LOOKUPS_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(ResolveError, match="too many"):
        await resolver("fast.test", "alice")

    assert await resolver("fast.test", "bob") == []

    release.set()
    await asyncio.wait_for(asyncio.gather(*slow), 30)
    resolver.close()
    assert RESOLVE_S_MAX <= 5


async def test_the_systems_resolver_gives_addresses() -> None:
    resolver = SystemResolver()
    found = await resolver("localhost", "alice")
    with pytest.raises(ResolveError):
        await resolver("nowhere.invalid", "alice")
    resolver.close()

    assert "127.0.0.1" in {str(address) for address in found}
