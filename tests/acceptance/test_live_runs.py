"""Live runs: followed while they run, begun without waiting, cancelled from any server, found by what they are."""

import asyncio
import random
import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.acceptance.following import STREAM, Event, events_of, follow
from tests.acceptance.running import (
    Json,
    RunningServer,
    User,
    client_for,
    eventually,
    open_directory,
    reachable_directory,
    running,
    settings_for,
)
from tests.acceptance.shell import COMMAND_S_MAX, Shell, serving

ASYNC = {"Prefer": "respond-async"}
GRANT = 10_000_000
AWAY_S = 4.0
LONG = {"wall_ms_max": 60_000, "cpu_ms_max": 60_000}
QUICK = "def run(inputs):\n    print('one')\n    return 1\n"
LINES = """
import time
def run(inputs):
    for number in range(inputs["lines"]):
        print("line", number)
        time.sleep(inputs.get("pause", 0))
    return "done"
"""
ENDLESS = """
import time
def run(inputs):
    print("started")
    while True:
        time.sleep(0.05)
"""
FORGED = """
import time
def run(inputs):
    for text in inputs["texts"]:
        print(text)
    print("fields follow")
    time.sleep(0.4)
    return 1
"""
FLOOD = """
def run(inputs):
    for number in range(15_000):
        print("x" * 1000)
    return 1
"""
FORGERIES = [
    "a\nevent: done\ndata: {}\n\n",
    "a\r\rid: 99\rdata: x\r\r",
    'data: {"seq": 1}\n\nevent: log\ndata: forged',
    "\u2028event: done\u2029\u0085",
    "\u202edesrever",
    "\x1b[2J\x00after nul",
    "retry: 0\n\n: comment\n\n",
]


async def begin(user: User, agent_name: str, **inputs: Any) -> str:
    answer = await user.http.post(user.path(agent_name), json=inputs, headers=ASYNC)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def logged(user: User, run_id: str) -> list[str]:
    page = (await user.http.get(f"/runs/{run_id}/logs", params={"limit": 100})).json()
    return [line["message"] for line in page["items"]]


async def until_logged(user: User, run_id: str) -> None:
    await eventually(lambda: logged(user, run_id))


# Without waiting


async def test_respond_async_answers_with_the_run_and_the_run_goes_on(alice: User) -> None:
    await alice.create("lines", LINES)

    answer = await alice.http.post(
        alice.path("lines"), json={"lines": 3, "pause": 0.1}, headers={"Prefer": "wait=5, Respond-Async; x=1"}
    )

    run = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/runs/{run['id']}"
    assert answer.headers["glovebox-run-id"] == run["id"]
    assert answer.headers["preference-applied"] == "respond-async"
    assert (run["state"], run["outcome"], run["inputs"]) == ("executing", None, {"lines": 3, "pause": 0.1})
    ended = await alice.finished(run["id"])
    assert (ended["state"], ended["result"]) == ("completed", "done")
    assert {**run, **ended} == ended  # nothing is named otherwise
    assert ended["charge_microcredits"] > 0


async def test_respond_async_by_get_and_dry(alice: User) -> None:
    await alice.create("quick", QUICK)

    answer = await alice.http.get(alice.path("quick"), params={"test": "true"}, headers=ASYNC)

    assert (answer.status_code, answer.json()["test"]) == (202, True)
    assert (await alice.finished(answer.json()["id"]))["charge_microcredits"] == 0


@pytest.mark.parametrize(("body", "status"), [({"n": "text"}, 422), ({}, 422)])
async def test_respond_async_refuses_what_a_waiting_call_would_refuse(alice: User, body: Json, status: int) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    await alice.create("typed", QUICK, inputs_schema=schema)

    answer = await alice.http.post(alice.path("typed"), json=body, headers=ASYNC)

    assert answer.status_code == status
    assert await alice.runs() == []


async def test_runs_begun_without_waiting_count_towards_the_users_bound() -> None:
    with reachable_directory() as data_dir, running(settings_for(data_dir, user_runs_live_max=1)) as server:
        async with user_of(server) as alice:
            await alice.create("endless", ENDLESS, limits=LONG)
            run_id = await begin(alice, "endless")

            refused = await alice.http.post(alice.path("endless"), json={}, headers=ASYNC)

            assert (refused.status_code, refused.json()["code"]) == (429, "too_many_runs")
            await alice.http.post(f"/runs/{run_id}/cancel")
            assert (await alice.finished(run_id))["state"] == "cancelled"


async def test_shutdown_settles_a_run_that_nobody_waits_for() -> None:
    with reachable_directory() as data_dir:
        user_id = uuid4()
        with running(settings_for(data_dir, shutdown_grace_s=1)) as server:
            async with user_of(server, user_id) as alice:
                await alice.create("lines", LINES, limits=LONG)
                await alice.create("endless", ENDLESS, limits=LONG)
                short = await begin(alice, "lines", lines=2, pause=0.1)
                endless = await begin(alice, "endless")

        with running(settings_for(data_dir)) as server:
            async with user_of(server, user_id) as alice:
                done, lost = await alice.finished(short), await alice.finished(endless)
                assert (done["state"], lost["state"], lost["reason"]) == ("completed", "failed", "lost")
                assert await logged(alice, endless) == ["started"]
                assert (await alice.balance())["held_microcredits"] == 0


# Followed


async def test_every_line_comes_once_and_in_order_while_the_run_lives(alice: User) -> None:
    await alice.create("lines", LINES)
    run_id = await begin(alice, "lines", lines=30, pause=0.03)

    states = []
    events: list[Event] = []
    async with alice.http.stream("GET", f"/runs/{run_id}/logs", headers=STREAM) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        async for event in events_of(response):
            if not events:
                states.append((await alice.http.get(f"/runs/{run_id}")).json()["state"])
            events.append(event)

    assert states == ["executing"]
    assert [event.id for event in events[:-1]] == [str(seq) for seq in range(1, 31)]
    assert [event.data["message"] for event in events[:-1]] == [f"line {number}" for number in range(30)]
    run = await alice.finished(run_id)
    assert events[-1] == Event(
        "done",
        {
            "state": "completed",
            "outcome": "succeeded",
            "reason": None,
            "charge_microcredits": run["charge_microcredits"],
        },
        None,
    )


async def test_json_pages_show_what_a_live_run_has_logged(alice: User) -> None:
    await alice.create("endless", ENDLESS, limits=LONG)
    run_id = await begin(alice, "endless")

    await until_logged(alice, run_id)

    later = await alice.http.get(f"/runs/{run_id}/logs", params={"after_seq": 1})
    assert later.json() == {"items": [], "next_cursor": None}
    await alice.http.post(f"/runs/{run_id}/cancel")


async def test_a_finished_run_is_told_to_the_end_at_once(alice: User) -> None:
    await alice.create("quick", QUICK)
    run_id = (await alice.http.post(alice.path("quick"), json={})).headers["glovebox-run-id"]

    events = await follow(alice.http, run_id)
    rest = await follow(alice.http, run_id, "1")

    assert [event.name for event in events] == ["log", "done"]
    assert [event.name for event in rest] == ["done"]


async def test_nothing_that_an_agent_prints_can_forge_an_event(alice: User) -> None:
    await alice.create("forger", FORGED)
    run_id = await begin(alice, "forger", texts=[text.replace("\x00", "") for text in FORGERIES])

    raw = b""
    async with alice.http.stream("GET", f"/runs/{run_id}/logs", headers=STREAM) as response:
        async for chunk in response.aiter_bytes():
            raw += chunk

    assert raw.isascii()
    assert b"\r" not in raw
    assert b"\x1b" not in raw
    blocks = [block for block in raw.decode().split("\n\n") if block]
    names = [line for block in blocks for line in block.split("\n") if line.startswith("event:")]
    assert names == ["event: log"] * (len(names) - 1) + ["event: done"]
    stored = await logged(alice, run_id)
    events = await follow(alice.http, run_id)
    assert [event.data["message"] for event in events[:-1]] == stored
    assert {"log", "done"} == {event.name for event in events}


@pytest.mark.parametrize("last_id", ["-1", "x", "1.5", "9" * 12, "\u0661".encode().decode("latin-1")])
async def test_an_id_that_no_stream_told_is_refused(alice: User, last_id: str) -> None:
    await alice.create("quick", QUICK)
    run_id = (await alice.http.post(alice.path("quick"), json={})).headers["glovebox-run-id"]

    answer = await alice.http.get(
        f"/runs/{run_id}/logs", headers=httpx.Headers(STREAM | {"Last-Event-ID": last_id}, encoding="latin-1")
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")


async def test_strangers_cannot_follow(alice: User, bob: User, anonymous: httpx.AsyncClient) -> None:
    await alice.create("quick", QUICK)
    run_id = (await alice.http.post(alice.path("quick"), json={})).headers["glovebox-run-id"]

    foreign = await bob.http.get(f"/runs/{run_id}/logs", headers=STREAM)
    unknown = await bob.http.get(f"/runs/{uuid4()}/logs", headers=STREAM)
    nobody = await anonymous.get(f"/runs/{run_id}/logs", headers=STREAM)

    assert (foreign.status_code, foreign.json()["code"]) == (404, "unknown_run")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_run")
    assert nobody.status_code == 401
    assert (await follow(alice.http, run_id))[-1].name == "done"


async def cut_often(client: httpx.AsyncClient, run_id: str, rng: random.Random, cut_s: float) -> list[Event]:
    """All events of a run over a connection that is cut again and again."""
    events: list[Event] = []
    last_id: str | None = None
    while not events or events[-1].name != "done":
        headers = STREAM | ({} if last_id is None else {"Last-Event-ID": last_id})
        try:
            async with asyncio.timeout(rng.uniform(0, cut_s)):
                async with client.stream("GET", f"/runs/{run_id}/logs", headers=headers) as response:
                    async for event in events_of(response):
                        events.append(event)
                        last_id = event.id or last_id
        except TimeoutError:
            continue
    return events


async def follow_through_cuts(user: User, *, streams: int, lines: int, pause: float, cut_s: float) -> None:
    await user.create("lines", LINES, limits=LONG | {"output_bytes_max": 4 * 1024**2})
    run_id = await begin(user, "lines", lines=lines, pause=pause)

    cuts = [random.Random(seed) for seed in range(streams)]  # noqa: S311 - where to cut, the same each time
    followed = await asyncio.gather(*(cut_often(user.http, run_id, rng, cut_s) for rng in cuts))

    for events in followed:
        assert [event.id for event in events if event.name == "log"] == [str(seq) for seq in range(1, lines + 1)]
        assert [event.name for event in events].count("done") == 1


async def test_streams_that_are_cut_at_random_tell_every_line_once(alice: User) -> None:
    await follow_through_cuts(alice, streams=10, lines=200, pause=0.005, cut_s=0.6)


@pytest.mark.long
async def test_a_hundred_streams_of_a_thousand_lines_cut_every_second(alice: User) -> None:
    await follow_through_cuts(alice, streams=100, lines=1_000, pause=0.015, cut_s=2.0)


async def test_a_user_has_a_bounded_number_of_streams(server: RunningServer) -> None:
    with reachable_directory() as data_dir, running(settings_for(data_dir, user_streams_max=2)) as small:
        async with user_of(small) as alice, user_of(small) as bob:
            await alice.create("endless", ENDLESS, limits=LONG)
            run_id = await begin(alice, "endless")
            url = f"/runs/{run_id}/logs"
            async with alice.http.stream("GET", url, headers=STREAM), alice.http.stream("GET", url, headers=STREAM):
                refused = await alice.http.get(url, headers=STREAM)
                other = await bob.http.get(url, headers=STREAM)
            assert (refused.status_code, refused.json()["code"]) == (429, "too_many_streams")
            assert "retry-after" in refused.headers
            assert other.status_code == 404

            async def opens() -> bool:
                async with alice.http.stream("GET", url, headers=STREAM) as again:
                    return again.status_code == 200

            await eventually(opens)
            await alice.http.post(f"/runs/{run_id}/cancel")


async def test_readers_that_never_read_hold_up_nothing_and_are_dropped_with_a_reason() -> None:
    settings = {"stream_stall_ms_max": 1_500, "user_streams_max": 60}
    with reachable_directory() as data_dir, running(settings_for(data_dir, **settings)) as server:
        async with user_of(server) as alice:
            await alice.create("flood", FLOOD, limits=LONG | {"output_bytes_max": 16 * 1024**2})
            alone = await alice.finished(await begin(alice, "flood"))
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            run_id = await begin(alice, "flood")
            readers = [silent_reader(server, alice, run_id) for _ in range(50)]

            ended = await alice.finished(run_id)

            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
            await asyncio.sleep(0)
            dropped = await asyncio.gather(*(asyncio.to_thread(read_slowly, reader) for reader in readers))
    assert ended["outcome"] == alone["outcome"] == "succeeded"
    assert grown <= 64 * 1024**2
    assert all("slow_reader" in last or "event: done" in last for last in dropped)
    assert any("slow_reader" in last for last in dropped)


def silent_reader(server: RunningServer, user: User, run_id: str) -> socket.socket:
    """A connection that asks for a stream, takes as little of it as a kernel can, and reads nothing for now."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    host, port = server.base_url.removeprefix("http://").split(":")
    reader.connect((host, int(port)))
    token = user.http.headers["Authorization"]
    reader.sendall(
        f"GET /runs/{run_id}/logs HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n"
        "Accept: text/event-stream\r\nConnection: close\r\n\r\n".encode()
    )
    reader.settimeout(30)
    return reader


def read_slowly(reader: socket.socket) -> str:
    """What a reader that was away finds at the end of its connection."""
    time.sleep(AWAY_S)
    last = b""
    with closing(reader):
        while chunk := reader.recv(65536):
            last = (last + chunk)[-400:]
    return last.decode(errors="replace")


# Cancelled


async def test_the_owner_ends_a_live_run_and_pays_for_what_it_used(alice: User) -> None:
    await alice.create("endless", ENDLESS, limits=LONG)
    call = asyncio.create_task(alice.http.post(alice.path("endless"), json={}))
    (run,) = await eventually(alice.runs)
    await until_logged(alice, run["id"])

    asked = await alice.http.post(f"/runs/{run['id']}/cancel")
    answer = await call

    assert (asked.status_code, asked.json()["id"]) == (202, run["id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "cancelled")
    assert answer.headers["glovebox-run-id"] == run["id"]
    ended = await alice.finished(run["id"])
    assert (ended["state"], ended["outcome"], ended["reason"]) == ("cancelled", "cancelled", None)
    assert ended["usage"]["wall_ms"] >= 200
    assert ended["charge_microcredits"] == int(answer.headers["glovebox-charge"]) > 0
    assert await alice.balance() == {
        "available_microcredits": GRANT - ended["charge_microcredits"],
        "held_microcredits": 0,
    }
    assert await logged(alice, run["id"]) == ["started"]
    assert (await follow(alice.http, run["id"]))[-1].data["state"] == "cancelled"


async def test_a_run_is_cancelled_as_soon_as_it_is_known(alice: User) -> None:
    await alice.create("endless", ENDLESS, limits=LONG)
    run_ids = await asyncio.gather(*(begin(alice, "endless") for _ in range(5)))

    answers = await asyncio.gather(*(alice.http.post(f"/runs/{run_id}/cancel") for run_id in run_ids))

    assert {answer.status_code for answer in answers} == {202}
    assert {(await alice.finished(run_id))["state"] for run_id in run_ids} == {"cancelled"}


async def test_a_run_that_has_ended_cannot_be_cancelled(alice: User) -> None:
    await alice.create("quick", QUICK)
    run_id = (await alice.http.post(alice.path("quick"), json={})).headers["glovebox-run-id"]

    answer = await alice.http.post(f"/runs/{run_id}/cancel")

    assert (answer.status_code, answer.json()["code"], answer.json()["state"]) == (409, "run_finished", "completed")


async def test_a_stranger_cannot_cancel(alice: User, bob: User) -> None:
    await alice.create("endless", ENDLESS, limits=LONG)
    run_id = await begin(alice, "endless")

    foreign = await bob.http.post(f"/runs/{run_id}/cancel")
    unknown = await bob.http.post(f"/runs/{uuid4()}/cancel")
    malformed = await bob.http.post("/runs/x/cancel")

    assert [(answer.status_code, answer.json()["code"]) for answer in (foreign, unknown, malformed)] == [
        (404, "unknown_run")
    ] * 3
    assert (await alice.http.get(f"/runs/{run_id}")).json()["state"] == "executing"
    assert (await alice.http.post(f"/runs/{run_id}/cancel")).status_code == 202
    assert (await alice.finished(run_id))["state"] == "cancelled"


# Several servers


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path, {})


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with reachable_directory() as path:
        yield path


async def test_a_run_is_followed_and_cancelled_from_another_server(shell: Shell, data_dir: Path) -> None:
    user_id = uuid4()
    with serving(shell, data_dir) as (_, one), serving(shell, data_dir) as (_, two):
        token = shell("token", "--user", str(user_id), "--data-dir", data_dir).out.strip()
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            httpx.AsyncClient(base_url=one, headers=headers, timeout=60) as first,
            httpx.AsyncClient(base_url=two, headers=headers, timeout=60) as second,
        ):
            alice = User(user_id, first)
            await alice.create("endless", ENDLESS, limits=LONG)
            run_id = await begin(alice, "endless")
            events: list[Event] = []
            async with second.stream("GET", f"/runs/{run_id}/logs", headers=STREAM) as response:
                async for event in events_of(response):
                    events.append(event)
                    if event.name == "log":
                        asked = await second.post(f"/runs/{run_id}/cancel")
                        assert asked.status_code == 202
            assert [event.data.get("message", event.data.get("state")) for event in events] == ["started", "cancelled"]


async def test_a_killed_servers_run_is_told_as_lost(shell: Shell, data_dir: Path) -> None:
    user_id = uuid4()
    with serving(shell, data_dir) as (process, url), serving(shell, data_dir) as (_, other):
        token = shell("token", "--user", str(user_id), "--data-dir", data_dir).out.strip()
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
            alice = User(user_id, client)
            await alice.create("endless", ENDLESS, limits=LONG)
            run_id = await begin(alice, "endless")
            await until_logged(alice, run_id)
        async with httpx.AsyncClient(base_url=other, headers=headers, timeout=60) as client:
            following = asyncio.create_task(follow(client, run_id))
            process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(process.wait, COMMAND_S_MAX)

            events = await asyncio.wait_for(following, 45)

            assert [event.name for event in events] == ["log", "done"]
            assert (events[-1].data["state"], events[-1].data["reason"]) == ("failed", "lost")
            assert (await client.get("/credits")).json() == {"available_microcredits": GRANT, "held_microcredits": 0}


# Found


async def test_runs_are_found_by_what_they_are(alice: User, bob: User) -> None:
    await alice.create("quick", QUICK)
    await alice.create("broken", "def run(inputs):\n    raise ValueError('no')\n")
    await alice.create("endless", ENDLESS, limits=LONG)
    live = await begin(alice, "endless")
    for path, params in (("quick", {}), ("quick", {"test": "1"}), ("broken", {}), ("broken", {"test": "1"})):
        await alice.http.get(alice.path(path), params=params)
    everything = await alice.runs()

    async def found(**params: str) -> list[Json]:
        items: list[Json] = []
        cursor: dict[str, str] = {}
        while True:
            answer = await alice.http.get("/runs", params=params | {"limit": "1"} | cursor)
            assert answer.status_code == 200, answer.text
            items += answer.json()["items"]
            if answer.json()["next_cursor"] is None:
                return items
            cursor = {"cursor": answer.json()["next_cursor"]}

    def expected(wanted: Callable[[Json], bool]) -> list[Json]:
        return [run for run in everything if wanted(run)]

    middle = everything[2]["created_at"]
    assert await found() == everything
    assert await found(state="failed") == expected(lambda run: run["state"] == "failed")
    assert [run["id"] for run in await found(state="executing")] == [live]
    assert await found(state="completed", test="false") == expected(
        lambda run: run["state"] == "completed" and not run["test"]
    )
    assert await found(test="true") == expected(lambda run: run["test"])
    assert await found(outcome="failed", agent_name="broken") == expected(lambda run: run["agent_name"] == "broken")
    assert await found(created_after=middle) == expected(lambda run: run["created_at"] > middle)
    assert await found(created_before=middle) == expected(lambda run: run["created_at"] < middle)
    assert (await bob.http.get("/runs", params={"state": "failed"})).json()["items"] == []
    await alice.http.post(f"/runs/{live}/cancel")


@pytest.mark.parametrize(
    "params",
    [
        {"state": "done"},
        {"outcome": "nothing"},
        {"test": "maybe"},
        {"created_after": "yesterday"},
        {"created_before": "2026-01-01T00:00:00"},
    ],
)
async def test_filters_that_mean_nothing_are_refused(alice: User, params: dict[str, str]) -> None:
    answer = await alice.http.get("/runs", params=params)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


# What it costs


async def test_a_short_run_is_one_begin_and_one_finish() -> None:
    with open_directory() as parent, running(settings_for(parent / "data")) as server:
        async with user_of(server) as alice:
            await alice.create("quick", QUICK)
            await alice.http.post(alice.path("quick"), json={})  # reads the version, which is kept
            statements = counted(server)

            answer = await alice.http.post(alice.path("quick"), json={})

            assert answer.status_code == 200
            assert statements() == ["begin", "finish"]


def counted(server: RunningServer) -> Callable[[], list[str]]:
    """What of the store's methods is called for runs from now on."""
    called: list[str] = []
    store = server.services.store

    def spied(name: str) -> Callable[..., Any]:
        real = getattr(store, name)

        def spy(*args: Any, **kwargs: Any) -> Any:
            called.append(name)
            return real(*args, **kwargs)

        return spy

    for name in ("begin", "finish", "append_logs", "announce_end", "claim_key", "keep_answer", "get_run", "get_agent"):
        setattr(store, name, spied(name))
    return lambda: called


class user_of:  # noqa: N801 - used as a context manager
    """A user of a server, with a client."""

    def __init__(self, server: RunningServer, user_id: UUID | None = None) -> None:
        self.id = user_id or uuid4()
        self.client = client_for(server, server.token_for(self.id))

    async def __aenter__(self) -> User:
        return User(self.id, self.client)

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()
