"""An agent behind its URL: what its caller sees, what is held and charged, and what outlives the caller."""

import asyncio
import json
import time
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import pytest

from tests.acceptance.running import (
    RunningServer,
    User,
    client_for,
    eventually,
    reachable_directory,
    running,
    settings_for,
)

HELLO = 'def run(inputs):\n    return {"hello": inputs["name"]}'
COUNT = "def run(inputs):\n    n = 0\n    while n < inputs['n']:\n        n = n + 1\n    return n"
ENDLESS = "def run(inputs):\n    while True:\n        pass"
RUN_PRICE = 1_000
GRANT = 10_000_000
NO_GLOVES = {"fetches_max": 0, "calls_max": 0}  # so that nothing is held for them


async def test_an_agent_answers_at_its_url(alice: User, server: RunningServer) -> None:
    created = await alice.http.post("/agents", json={"agent_name": "hello", "code": HELLO})
    assert (created.status_code, created.headers["location"]) == (201, "/agents/hello")
    assert created.json()["url"] == f"{server.base_url}/agents/{alice.id}/hello"

    answer = await alice.http.get(created.json()["url"], params={"name": "World"})

    assert (answer.status_code, answer.content) == (200, b'{"hello":"World"}')
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["glovebox-tier"] == "monty"
    assert int(answer.headers["glovebox-charge"]) >= RUN_PRICE
    assert answer.headers["cache-control"] == "no-store"
    assert [lap.split(";dur=")[0] for lap in answer.headers["server-timing"].split(", ")] == [
        "auth",
        "begin",
        "sandbox",
        "finish",
    ]
    assert UUID(answer.headers["glovebox-run-id"]).version == 7


async def test_who_may_not_is_told_the_same_every_time(alice: User, bob: User, anonymous: httpx.AsyncClient) -> None:
    await alice.create("hello", HELLO)
    url = alice.path("hello") + "?name=World"

    assert (await anonymous.get(url)).status_code == 401
    assert (await bob.http.get(url)).status_code == 403
    assert (await bob.http.get(alice.path("nobody"))).status_code == 403
    assert (await alice.http.get(alice.path("nobody"))).status_code == 404
    assert (await bob.http.get(bob.path("hello"))).status_code == 404
    foreign, unknown = await bob.http.get("/agents/hello"), await bob.http.get("/agents/nobody")
    assert (foreign.status_code, foreign.json()["code"]) == (unknown.status_code, unknown.json()["code"])
    assert (await bob.http.delete("/agents/hello")).status_code == 404
    assert (await alice.http.get(url)).status_code == 200


async def test_an_expired_token_proves_nothing(server: RunningServer, alice: User) -> None:
    token = server.token_for(alice.id, ttl_s=1)
    async with client_for(server, token) as client:

        async def refused() -> httpx.Response | None:
            answer = await client.get("/credits")
            return answer if answer.status_code != 200 else None

        assert (await eventually(refused)).status_code == 401


async def test_runs_of_others_look_like_runs_that_are_not_there(alice: User, bob: User) -> None:
    await alice.create("hello", HELLO)
    run_id = (await alice.http.get(alice.path("hello"), params={"name": "x"})).headers["glovebox-run-id"]

    for path in ("/runs/{}", "/runs/{}/logs"):
        assert (await alice.http.get(path.format(run_id))).status_code == 200
        answers = [await bob.http.get(path.format(each)) for each in (run_id, uuid4(), "nonsense")]
        assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "unknown_run")}
    assert (await bob.http.get("/runs")).json() == {"items": [], "next_cursor": None}


async def test_a_dry_run_is_reported_and_costs_nothing(alice: User) -> None:
    await alice.create("loud", "def run(inputs):\n    print('hi')\n    return [inputs]")
    before = await alice.balance()

    answer = await alice.http.get(alice.path("loud"), params={"test": "", "a": "b"})

    report = answer.json()
    assert answer.status_code == 200
    assert (report["result"], report["test"], report["complete"], report["effects"]) == ([{"a": "b"}], True, True, [])
    assert [line["message"] for line in report["logs"]] == ["hi"]
    assert report["would_charge"] >= RUN_PRICE
    assert answer.headers["glovebox-charge"] == "0"
    assert await alice.balance() == before
    assert (await alice.http.get("/credits/entries")).json()["items"][0]["kind"] == "grant"


async def test_a_run_is_stored_with_its_logs_and_its_price(alice: User) -> None:
    await alice.create("loud", "def run(inputs):\n    print('one')\n    print('two')\n    return 1.50")
    answer = await alice.http.post(alice.path("loud"), json={"x": [None]})

    run = (await alice.http.get(f"/runs/{answer.headers['glovebox-run-id']}")).json()
    first = (await alice.http.get(f"/runs/{run['id']}/logs", params={"limit": 1})).json()
    rest = (await alice.http.get(f"/runs/{run['id']}/logs", params={"cursor": first["next_cursor"]})).json()
    entries = (await alice.http.get("/credits/entries")).json()["items"]

    assert (run["state"], run["outcome"], run["inputs"], run["result"]) == (
        "completed",
        "succeeded",
        {"x": [None]},
        1.5,
    )
    assert run["charge_microcredits"] == int(answer.headers["glovebox-charge"])
    assert [line["message"] for line in first["items"] + rest["items"]] == ["one", "two"]
    assert rest["next_cursor"] is None
    assert [entry["kind"] for entry in entries] == ["settle", "hold", "grant"]
    assert entries[0]["amount_microcredits"] == run["charge_microcredits"]
    assert await alice.balance() == {
        "available_microcredits": GRANT - run["charge_microcredits"],
        "held_microcredits": 0,
    }


async def test_query_texts_become_what_the_schema_says(alice: User) -> None:
    schema = {
        "type": "object",
        "properties": {
            "n": {"type": "integer"},
            "on": {"type": "boolean"},
            "tags": {"type": "array", "items": {"type": "number"}},
        },
        "required": ["n"],
    }
    await alice.create("echo", "def run(inputs):\n    return inputs", inputs_schema=schema)

    fits = await alice.http.get(alice.path("echo") + "?n=7&on=true&tags=1.5&more=x")
    misfits = await alice.http.get(alice.path("echo") + "?n=seven")

    assert fits.json() == {"n": 7, "on": True, "tags": [1.5], "more": "x"}
    assert (misfits.status_code, misfits.json()["code"]) == (422, "invalid_inputs")
    assert misfits.json()["errors"][0]["path"] == "/n"
    assert len(await alice.runs()) == 1


# Nested C iterators overflow the C stack of CPython 3.11: the process dies by itself (bpo-14010).
CRASH = "def run():\n    i = iter([1])\n    for _ in range(500000):\n        i = map(abs, i)\n    return next(i)"


@pytest.mark.parametrize(
    ("code", "limits", "status", "outcome"),
    [
        (ENDLESS, {"wall_ms_max": 500}, 504, "timed_out"),
        (ENDLESS, {"cpu_ms_max": 300}, 504, "timed_out"),
        ("def run():\n    x = []\n    while True:\n        x.append('y' * 1000000)", {}, 502, "out_of_memory"),
        (
            "def run():\n    while True:\n        print('y' * 1000)",
            {"output_bytes_max": 65_536},
            502,
            "too_much_output",
        ),
        ("def run():\n    return 1 // 0", {}, 502, "failed"),
        (CRASH, {}, 502, "failed"),
        ("def run():\n    return {1, 2}", {}, 502, "bad_result"),
    ],
)
async def test_a_bad_program_ends_with_its_own_outcome_and_the_next_run_is_unharmed(
    alice: User, code: str, limits: dict[str, int], status: int, outcome: str
) -> None:
    await alice.create("bad", code, limits=limits)
    await alice.create("good", HELLO)

    started = time.monotonic()
    answer = await alice.http.post(alice.path("bad"), json={})
    elapsed_s = time.monotonic() - started

    assert (answer.status_code, answer.json()["code"]) == (status, outcome), answer.text
    assert elapsed_s <= limits.get("wall_ms_max", 10_000) / 1000 + 1
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert int(answer.headers["glovebox-charge"]) >= RUN_PRICE
    run = (await alice.http.get(f"/runs/{answer.headers['glovebox-run-id']}")).json()
    assert (run["state"], run["outcome"]) == ("failed", outcome)
    assert (await alice.http.get(alice.path("good"), params={"name": "x"})).status_code == 200
    assert (await alice.balance())["held_microcredits"] == 0


async def test_an_error_names_the_authors_line(alice: User) -> None:
    await alice.create("bad", "def run(inputs):\n    x = 1\n    return x // 0")

    error = (await alice.http.post(alice.path("bad"), json={})).json()["error"]

    assert (error["type"], error["line"]) == ("ZeroDivisionError", 3)
    assert "server/" not in error["traceback"]


@pytest.mark.parametrize(
    ("method", "suffix", "content", "headers"),
    [
        ("GET", "?test=maybe", None, {}),
        ("GET", "?test=1&test=1", None, {}),
        ("GET", "?a=%00", None, {}),
        ("POST", "", b"[]", {}),
        ("POST", "", b'{"a":1,"a":2}', {}),
        ("POST", "", b'{"a":"\\u0000"}', {}),
        ("POST", "", b"[" * 100_000, {}),
        ("POST", "?a=1", b"{}", {}),
        ("POST", "", b" " * 1_100_000, {}),
        ("GET", "", None, {"Sec-Purpose": "prefetch"}),
        ("HEAD", "", None, {}),
        ("OPTIONS", "", None, {}),
    ],
)
async def test_what_is_refused_holds_and_records_nothing(
    alice: User, method: str, suffix: str, content: bytes | None, headers: dict[str, str]
) -> None:
    await alice.create("hello", HELLO)
    before = (await alice.balance(), (await alice.http.get("/credits/entries")).json())

    answer = await alice.http.request(method, alice.path("hello") + suffix, content=content, headers=headers)

    assert 400 <= answer.status_code < 500
    assert "glovebox-run-id" not in answer.headers
    assert (await alice.balance(), (await alice.http.get("/credits/entries")).json()) == before
    assert await alice.runs() == []


async def test_a_client_that_leaves_does_not_end_its_run(alice: User, server: RunningServer) -> None:
    await alice.create("count", COUNT, limits={"wall_ms_max": 20_000, "cpu_ms_max": 20_000})
    address = urlsplit(server.base_url)
    body = json.dumps({"n": 3_000_000}).encode()
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(
        f"POST {alice.path('count')} HTTP/1.1\r\nHost: x\r\nAuthorization: {alice.http.headers['authorization']}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    runs = await eventually(alice.runs)

    writer.transport.abort()

    run = await alice.finished(runs[0]["id"])
    assert (run["state"], run["result"]) == ("completed", 3_000_000)
    assert run["charge_microcredits"] >= RUN_PRICE
    assert (await alice.balance())["held_microcredits"] == 0


async def assert_books_agree(user: User, answers: list[httpx.Response]) -> None:
    """Whoever was answered 200 was charged, nobody else; nothing is held; entries and balance agree."""
    refused = [answer for answer in answers if answer.status_code != 200]
    assert {answer.status_code for answer in refused} <= {402, 429, 503}, Counter(a.status_code for a in answers)
    assert all("glovebox-run-id" not in answer.headers for answer in refused)
    assert all("retry-after" in answer.headers for answer in refused if answer.status_code != 402)
    charged = sum(int(answer.headers["glovebox-charge"]) for answer in answers if answer.status_code == 200)
    assert await user.balance() == {"available_microcredits": GRANT - charged, "held_microcredits": 0}
    deltas, cursor = Counter[str](), None
    while True:
        params = {"limit": "100"} | ({"cursor": cursor} if cursor else {})
        page = (await user.http.get("/credits/entries", params=params)).json()
        for entry in page["items"]:
            deltas[entry["kind"]] += 1
            deltas["available"] += entry["available_delta_microcredits"]
            deltas["held"] += entry["held_delta_microcredits"]
        if (cursor := page["next_cursor"]) is None:
            break
    assert (deltas["available"], deltas["held"]) == (GRANT - charged, 0)
    assert deltas["hold"] == deltas["settle"] + deltas["release"] == len(answers) - len(refused)


async def a_thousand_at_once(server: RunningServer, user: User, agent_name: str, **inputs: Any) -> list[httpx.Response]:
    async with AsyncExitStack() as stack:
        # Several clients, because one client's pool is slow with so many connections.
        token = server.token_for(user.id)
        clients = [await stack.enter_async_context(client_for(server, token)) for _ in range(40)]
        calls = [client.post(user.path(agent_name), json=inputs) for client in clients for _ in range(25)]
        return await asyncio.gather(*calls)


async def test_a_thousand_calls_at_once_leave_the_books_straight(alice: User, server: RunningServer) -> None:
    await alice.create("hello", HELLO, limits={"wall_ms_max": 99_000, **NO_GLOVES})  # the grant pays for 100 such holds
    await alice.balance()

    answers = await a_thousand_at_once(server, alice, "hello", name="x")

    assert {answer.status_code for answer in answers} == {200, 429}
    assert sum(answer.status_code == 200 for answer in answers) >= 50
    await assert_books_agree(alice, answers)


async def test_no_more_runs_begin_than_the_balance_and_the_places_allow() -> None:
    with reachable_directory() as data_dir:
        settings = settings_for(data_dir, wall_ms_ceiling=3_000_000, user_runs_live_max=1_000, runs_waiting_max=500)
        with running(settings) as server:
            user_id = uuid4()
            async with client_for(server, server.token_for(user_id)) as client:
                user = User(user_id, client)
                # The grant pays for three holds.
                await user.create("count", COUNT, limits={"wall_ms_max": 3_000_000, **NO_GLOVES})

                answers = await a_thousand_at_once(server, user, "count", n=200_000)

                assert {answer.status_code for answer in answers} == {200, 402, 503}
                refusal = next(answer for answer in answers if answer.status_code == 402).json()
                assert refusal["needed_microcredits"] == 3_001_000
                assert refusal["available_microcredits"] < 3_001_000
                await assert_books_agree(user, answers)
