"""Idempotency keys over HTTP: one run and one charge, however often and wherever a request is sent."""

import asyncio
import signal
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.acceptance.running import Json, User, eventually, reachable_directory
from tests.acceptance.shell import COMMAND_S_MAX, Shell, serving

HELLO = "def run(inputs):\n    print('hello')\n    return {'hello': inputs.get('name')}\n"
SLOW = "import time\ndef run(inputs):\n    time.sleep(0.5)\n    return inputs\n"
BROKEN = "def run(inputs):\n    raise ValueError('no')\n"
ENDLESS = "import time\ndef run(inputs):\n    while True:\n        time.sleep(0.05)\n"
LONG = {"wall_ms_max": 60_000, "cpu_ms_max": 60_000}
KEPT_HEADERS = ("content-type", "glovebox-run-id", "glovebox-charge", "glovebox-tier", "server-timing", "location")


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


def same(first: httpx.Response, repeat: httpx.Response) -> bool:
    """Whether a repeat got the first answer, byte for byte."""
    headers = [[answer.headers.get(name) for name in KEPT_HEADERS] for answer in (first, repeat)]
    return (first.status_code, first.content) == (repeat.status_code, repeat.content) and headers[0] == headers[1]


async def settles(user: User) -> list[Json]:
    entries = (await user.http.get("/credits/entries", params={"limit": 100})).json()["items"]
    return [entry for entry in entries if entry["kind"] == "settle"]


async def test_one_key_a_hundred_times_at_once_is_one_run_and_one_charge(alice: User) -> None:
    await alice.create("slow", SLOW)

    answers = await asyncio.gather(
        *(alice.http.post(alice.path("slow"), json={"n": 1}, headers=keyed("k")) for _ in range(100))
    )
    repeat = await alice.http.post(alice.path("slow"), json={"n": 1}, headers=keyed("k"))

    done = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert done
    assert all(same(repeat, answer) for answer in done)
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} <= {(409, "idempotency_in_flight")}
    assert all("retry-after" in answer.headers for answer in refused)
    assert (len(await alice.runs()), len(await settles(alice))) == (1, 1)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("code", "test", "status"), [(HELLO, "", 200), (HELLO, "1", 200), (BROKEN, "", 502)])
async def test_a_repeat_gets_the_first_answer_byte_for_byte(
    alice: User, method: str, code: str, test: str, status: int
) -> None:
    await alice.create("agent", code)
    path = alice.path("agent") + (f"?test={test}" if test else "")

    async def call() -> httpx.Response:
        content = b'{"name": "x"}' if method == "POST" else None
        return await alice.http.request(method, path, content=content, headers=keyed("k"))

    first, repeat = await call(), await call()

    assert first.status_code == status
    assert same(first, repeat)
    assert "idempotency-replayed" not in first.headers
    assert repeat.headers["idempotency-replayed"] == "true"
    assert len(await alice.runs()) == 1


async def test_another_request_with_the_same_key_is_refused(alice: User) -> None:
    await alice.create("hello", HELLO)
    await alice.create("other", HELLO)
    first = await alice.http.post(alice.path("hello"), json={"name": "x"}, headers=keyed("k"))

    others = [
        await alice.http.post(alice.path("hello"), json={"name": "y"}, headers=keyed("k")),
        await alice.http.post(alice.path("hello"), params={"test": "1"}, json={"name": "x"}, headers=keyed("k")),
        await alice.http.post(alice.path("other"), json={"name": "x"}, headers=keyed("k")),
        await alice.http.get(alice.path("hello"), params={"name": "x"}, headers=keyed("k")),
        await alice.http.post("/agents", json={"name": "x"}, headers=keyed("k")),
    ]

    assert {(answer.status_code, answer.json()["code"]) for answer in others} == {(422, "idempotency_mismatch")}
    assert [run["id"] for run in await alice.runs()] == [first.headers["glovebox-run-id"]]


async def test_keys_are_each_users_own(alice: User, bob: User) -> None:
    for user in (alice, bob):
        await user.create("hello", HELLO)

    answers = [
        await user.http.post(user.path("hello"), json={"name": str(user.id)}, headers=keyed("shared"))
        for user in (alice, bob)
    ]

    assert [answer.json() for answer in answers] == [{"hello": str(alice.id)}, {"hello": str(bob.id)}]
    assert not any("idempotency-replayed" in answer.headers for answer in answers)


@pytest.mark.parametrize(
    ("key", "status"),
    [("x" * 255, 200), ("!~", 200), ('"quoted"', 200), ("x" * 256, 400), ("", 400), ("a b", 400), ("é", 400)],
)
async def test_a_key_has_1_to_255_visible_characters(alice: User, key: str, status: int) -> None:
    await alice.create("hello", HELLO)

    answer = await alice.http.post(
        alice.path("hello"), json={}, headers=httpx.Headers({"Idempotency-Key": key}, encoding="latin-1")
    )

    assert answer.status_code == status
    assert status == 200 or answer.json()["code"] == "invalid_idempotency_key"
    assert len(await alice.runs()) == (1 if status == 200 else 0)


async def test_two_keys_on_one_request_are_none(alice: User) -> None:
    await alice.create("hello", HELLO)

    answer = await alice.http.post(
        alice.path("hello"), json={}, headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_idempotency_key")


async def test_whoever_proves_nothing_learns_nothing_of_keys(alice: User, anonymous: httpx.AsyncClient) -> None:
    await alice.create("hello", HELLO)
    await alice.http.post(alice.path("hello"), json={}, headers=keyed("k"))

    nobody = await anonymous.post(alice.path("hello"), json={}, headers=keyed("k"))
    foreign = await alice.http.post(f"/agents/{uuid4()}/hello", json={}, headers=keyed("k" * 256))

    assert nobody.status_code == 401
    assert (foreign.status_code, foreign.json()["code"]) == (403, "forbidden")


async def test_a_refusal_without_effect_is_not_kept(alice: User) -> None:
    refused = await alice.http.post(alice.path("hello"), json={}, headers=keyed("k"))
    await alice.create("hello", HELLO)

    answer = await alice.http.post(alice.path("hello"), json={}, headers=keyed("k"))

    assert (refused.status_code, answer.status_code) == (404, 200)
    assert "idempotency-replayed" not in answer.headers


async def test_an_agent_is_created_once(alice: User) -> None:
    async def create() -> httpx.Response:
        return await alice.http.post("/agents", json={"agent_name": "once", "code": HELLO}, headers=keyed("make"))

    first, repeat = await create(), await create()
    without_key = await alice.http.post("/agents", json={"agent_name": "once", "code": HELLO})

    assert first.status_code == 201
    assert same(first, repeat)
    assert without_key.status_code == 409


async def test_a_run_that_nobody_waits_for_is_begun_once(alice: User) -> None:
    await alice.create("slow", SLOW)

    async def begin() -> httpx.Response:
        return await alice.http.post(alice.path("slow"), json={}, headers=keyed("later") | {"Prefer": "respond-async"})

    first, at_once = await begin(), await begin()
    await alice.finished(first.json()["id"])
    afterwards = await begin()

    assert first.status_code == 202
    assert same(first, at_once)
    assert same(first, afterwards)
    assert len(await alice.runs()) == 1


async def test_a_cancelled_run_stays_cancelled_for_its_key(alice: User) -> None:
    await alice.create("endless", ENDLESS, limits=LONG)

    async def call() -> httpx.Response:
        return await alice.http.post(alice.path("endless"), json={}, headers=keyed("k"))

    calling = asyncio.create_task(call())
    (run,) = await eventually(alice.runs)
    in_flight = await call()
    await alice.http.post(f"/runs/{run['id']}/cancel")
    first = await calling

    assert in_flight.json()["code"] == "idempotency_in_flight"
    assert (first.status_code, first.json()["code"]) == (409, "cancelled")
    assert same(first, await call())


async def test_an_answer_that_holds_a_secret_takes_no_key(alice: User) -> None:
    answer = await alice.http.post("/api-keys", json={"name": "laptop"}, headers=keyed("k"))

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_unsupported")
    assert (await alice.http.get("/api-keys")).json()["items"] == []


async def test_a_server_killed_in_the_middle_of_a_request_leaves_one_run_for_its_key(tmp_path: Path) -> None:
    shell, user_id = Shell(tmp_path, {}), uuid4()
    with (
        reachable_directory() as data_dir,
        serving(shell, data_dir) as (process, url),
        serving(shell, data_dir) as (_, other),
    ):
        token = shell("token", "--user", str(user_id), "--data-dir", data_dir).out.strip()
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as first,
            httpx.AsyncClient(base_url=other, headers=headers, timeout=60) as second,
        ):
            alice = User(user_id, second)
            await alice.create("endless", ENDLESS, limits=LONG)
            calling = asyncio.create_task(first.post(alice.path("endless"), json={}, headers=keyed("k")))
            (run,) = await eventually(alice.runs)
            meanwhile = await second.post(alice.path("endless"), json={}, headers=keyed("k"))
            process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(process.wait, COMMAND_S_MAX)
            with pytest.raises(httpx.TransportError):
                await calling

            async def answered() -> httpx.Response | None:
                answer = await second.post(alice.path("endless"), json={}, headers=keyed("k"))
                return None if answer.status_code == 409 else answer

            answer = await eventually(answered)
            again = await second.post(alice.path("endless"), json={}, headers=keyed("k"))
            balance, runs = await alice.balance(), await alice.runs()

    assert meanwhile.json()["code"] == "idempotency_in_flight"
    assert (answer.status_code, answer.json()["code"]) == (503, "lost")
    assert answer.headers["glovebox-run-id"] == run["id"]
    assert same(answer, again)
    assert [found["id"] for found in runs] == [run["id"]]
    assert balance == {"available_microcredits": 10_000_000, "held_microcredits": 0}
