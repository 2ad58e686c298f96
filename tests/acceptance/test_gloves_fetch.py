"""`ctx.fetch` and `ctx.secrets` through a whole server, against local servers of every kind."""

import asyncio
import math
import time
from collections.abc import Sequence

import httpx
import pytest

from tests.acceptance.running import Json, User
from tests.support.http_server import Answer, Received, answering, http_server, raw, redirecting

FETCH = """
def run(inputs, ctx):
    try:
        answer = ctx.fetch(**inputs)
        return [answer.status, answer.ok, answer.url, answer.text]
    except Exception as error:
        return [type(error).__name__, str(error)]
"""
TIER: Json = {"tier": "restricted"}


async def effects_of(user: User, run_id: str) -> list[Json]:
    items: list[Json] = (await user.http.get(f"/runs/{run_id}/effects")).json()["items"]
    return items


async def test_an_agent_fetches_from_its_own_hosts(alice: User) -> None:
    async with http_server(answering(b'{"high": 21}', content_type="application/json")) as served:
        await alice.create("f", FETCH, allowed_hosts=[f"http://LOCALHOST:{served.port}"], **TIER)
        shown = (await alice.http.get("/agents/f")).json()
        url = served.url("/today", host="localhost")

        answer = await alice.http.post(alice.path("f"), json={"url": url, "params": {"city": "Ulm"}})

    assert shown["allowed_hosts"] == [f"http://localhost:{served.port}"]
    assert answer.json() == [200, True, f"{url}?city=Ulm", '{"high": 21}']
    assert served.requests[0].headers["host"] == f"localhost:{served.port}"
    (effect,) = await effects_of(alice, answer.headers["Glovebox-Run-Id"])
    assert (effect["glove"], effect["status"], effect["seq"]) == ("fetch", "performed", 1)
    assert effect["request"] == {"url": url, "method": "GET", "params": {"city": "Ulm"}}
    assert effect["response"]["text"] == '{"high": 21}'


async def test_what_a_fetch_costs_is_charged(alice: User) -> None:
    async with http_server(answering()) as served:
        hosts = [f"http://localhost:{served.port}"]
        await alice.create("f", "def run(inputs, ctx):\n    ctx.fetch(inputs['url'])", allowed_hosts=hosts, **TIER)

        answer = await alice.http.post(alice.path("f"), json={"url": served.url(host="localhost")})

    run = (await alice.http.get(f"/runs/{answer.headers['Glovebox-Run-Id']}")).json()
    assert run["charge_microcredits"] == 1_000 + run["usage"]["wall_ms"] + 100


@pytest.mark.parametrize(
    ("hosts", "path"),
    [
        (["*.com"], "/allowed_hosts/0"),
        (["api.example.com", "127.1"], "/allowed_hosts/1"),
        (["https://user@example.com"], "/allowed_hosts/0"),
        (["example.com/path"], "/allowed_hosts/0"),
        ([1], "/allowed_hosts/0"),
        ("example.com", "/allowed_hosts"),
        ([f"a{n}.example.com" for n in range(60)], "/allowed_hosts"),
    ],
)
async def test_an_entry_that_is_no_host_is_refused(alice: User, hosts: object, path: str) -> None:
    asked = {"agent_name": "f", "code": FETCH, "allowed_hosts": hosts}

    answer = await alice.http.post("/agents", json=asked)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == path


async def test_allowed_hosts_are_a_versions_own(alice: User) -> None:
    created = await alice.create("f", FETCH, allowed_hosts=["a.example.com", "A.example.com"], **TIER)
    edited = await alice.http.patch("/agents/f", json={"allowed_hosts": None}, headers={"If-Match": "*"})
    first = await alice.http.get("/agents/f/versions/1")

    assert created["allowed_hosts"] == ["a.example.com"]
    assert (edited.json()["allowed_hosts"], edited.json()["version"]) == ([], 2)
    assert first.json()["allowed_hosts"] == ["a.example.com"]


async def test_loopback_is_closed_where_the_operator_did_not_open_it(alice: User) -> None:
    async with http_server(answering(b"inside")) as served:
        hosts = [served.url().rstrip("/"), f"http://[::1]:{served.port}"]
        await alice.create("f", FETCH, allowed_hosts=hosts, **TIER)

        answers = [
            (await alice.http.post(alice.path("f"), json={"url": url})).json()
            for url in (served.url(), f"http://[::1]:{served.port}/", served.url(host="localhost"))
        ]

    assert [answer[0] for answer in answers] == ["PermissionError"] * 3
    assert "a loopback address" in answers[0][1]
    assert served.connections == 0


async def slow(request: Received, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


HOSTILE: dict[str, tuple[Answer, str, str]] = {
    "a redirect to loopback": (redirecting("http://127.0.0.1:1/"), "PermissionError", "allowed_hosts"),
    "endless redirects": (redirecting("/again"), "RuntimeError", "redirects"),
    "a header that never ends": (raw(b"HTTP/1.1 200 OK\r\nX: ", *[b"a" * 8_192] * 64), "RuntimeError", "head"),
    "a body that never ends": (raw(b"HTTP/1.1 200 OK\r\n\r\n", *[b"a" * 65_536] * 64), "RuntimeError", "body"),
    "no answer": (slow, "TimeoutError", "took more than"),
}


@pytest.mark.parametrize("what", HOSTILE)
async def test_a_hostile_server_is_an_exception_and_its_reason_in_the_effect(alice: User, what: str) -> None:
    answer, fault, reason = HOSTILE[what]
    async with http_server(answer) as served:
        hosts = [f"http://localhost:{served.port}"]
        await alice.create("f", FETCH, allowed_hosts=hosts, limits={"wall_ms_max": 3_000}, **TIER)

        told = await alice.http.post(alice.path("f"), json={"url": served.url(host="localhost")})

    (effect,) = await effects_of(alice, told.headers["Glovebox-Run-Id"])
    assert told.json()[0] == fault
    assert reason in told.json()[1]
    assert effect["error"] == {"type": fault, "message": told.json()[1]}


def percentile(times_ms: Sequence[float], share: float) -> float:
    return sorted(times_ms)[int(len(times_ms) * share)]


async def direct_times_ms(url: str, count: int) -> list[float]:
    times = []
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(count):
            started = time.perf_counter()
            await client.get(url)
            times.append((time.perf_counter() - started) * 1000)
    return times


TIMED = """
import time

def run(inputs, ctx):
    times = []
    for _ in range(inputs["count"]):
        started = time.perf_counter()
        ctx.fetch(inputs["url"])
        times.append((time.perf_counter() - started) * 1000)
    return times
"""
OVER_MS_MAX = 5
ROUNDS_MAX = 10
COUNT = 150


async def test_a_fetch_costs_little_more_than_the_request_itself(alice: User) -> None:
    """At most 5 ms at p99; the best of several rounds, for what else the machine does is not the glove's."""
    async with http_server(answering(b"{}" * 200)) as served:
        url = served.url(host="localhost")
        limits = {"fetches_max": COUNT, "wall_ms_max": 30_000}
        hosts = [f"http://localhost:{served.port}"]
        await alice.create("timed", TIMED, allowed_hosts=hosts, limits=limits, **TIER)
        over_ms: list[float] = []
        while len(over_ms) < ROUNDS_MAX and min(over_ms, default=math.inf) > OVER_MS_MAX:
            answer = await alice.http.post(alice.path("timed"), json={"url": url, "count": COUNT})
            direct = await direct_times_ms(url, COUNT)
            over_ms.append(percentile(answer.json(), 0.99) - percentile(direct, 0.99))

    assert min(over_ms) <= OVER_MS_MAX, over_ms
