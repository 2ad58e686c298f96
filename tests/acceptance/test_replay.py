"""Runs repeated from their record: the same line, the same numbers, nothing performed, nothing charged."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.acceptance.running import Json, RunningServer, User
from tests.acceptance.worn import EVERYTHING, MOCKS, dry_run, glove_server, user_of
from tests.support.http_server import Served, answering, http_server

TIERS = ("monty", "restricted")


@pytest.fixture(scope="module")
def worn() -> Iterator[RunningServer]:
    with glove_server() as started:
        yield started


@pytest.fixture
async def user(worn: RunningServer) -> AsyncIterator[User]:
    async with user_of(worn) as made:
        yield made


@pytest.fixture
async def site() -> AsyncIterator[Served]:
    async with http_server(answering(b'{"high":21.50,"b":1,"a":2}')) as served:
        yield served


def origin(site: Served) -> str:
    return site.url("").rstrip("/")


async def run_id_of(user: User, agent_name: str, inputs: Json | None = None) -> str:
    answer = await user.http.post(user.path(agent_name), json=inputs or {})
    return answer.headers["glovebox-run-id"]


async def replayed(user: User, run_id: str) -> Json:
    answer = await user.http.post(f"/runs/{run_id}/replay")
    assert answer.status_code == 200, answer.text
    report: Json = answer.json()
    return report


@pytest.mark.parametrize("tier", TIERS)
async def test_failed_run_fails_at_the_same_line(user: User, site: Served, tier: str) -> None:
    code = """
import random
def run(inputs, ctx):
    page = ctx.fetch(inputs["url"]).json()
    ctx.memory.put("seen", page)
    luck = random.random()
    if list(page) == ["high", "b", "a"]:
        raise ValueError(f"unlucky {luck} {page}")
    return luck
"""
    await user.create("fails", code, tier=tier, allowed_hosts=[origin(site)])
    run_id = await run_id_of(user, "fails", {"url": origin(site)})
    run = (await user.http.get(f"/runs/{run_id}")).json()
    before = await user.balance(), (await user.http.get("/agents/fails/memory/seen")).json()

    report = await replayed(user, run_id)

    assert run["outcome"] == report["outcome"] == "failed"
    assert (report["same"], report["divergence"]) == (True, None)
    assert report["error"]["line"] == run["error"]["line"] == 8
    assert report["error"]["message"] == run["error"]["message"]
    assert len(site.requests) == 1
    assert (await user.balance(), (await user.http.get("/agents/fails/memory/seen")).json()) == before
    assert len(await user.runs()) == 1


@pytest.mark.parametrize("tier", TIERS)
async def test_succeeded_run_gives_the_same_result(user: User, site: Served, tier: str) -> None:
    code = """
import random
from datetime import datetime, timezone
def run(inputs, ctx):
    print("here")
    ctx.memory.put("n", ctx.memory.get("n", 0) + 1)
    try:
        ctx.fetch("https://elsewhere.example/")
    except PermissionError as error:
        refused = str(error)
    return [random.random(), ctx.memory.get("n"), refused, ctx.test]
"""
    await user.create("lucky", code, tier=tier)
    run_id = await run_id_of(user, "lucky")
    run = (await user.http.get(f"/runs/{run_id}")).json()
    await run_id_of(user, "lucky")

    report = await replayed(user, run_id)

    assert run["outcome"] == "succeeded", run
    assert report["same"]
    assert report["result"] == run["result"]
    assert [line["message"] for line in report["logs"]] == ["here"]
    assert (await user.http.get("/agents/lucky/memory/n")).json()["value"] == 2


async def test_dry_run_is_repeated_with_all_its_gloves(user: User, site: Served) -> None:
    await user.create("every", EVERYTHING, allowed_hosts=[origin(site)])
    await user.http.put("/agents/every/secrets/TOKEN", json={"value": "s3cr3t-value", "hosts": [origin(site)]})
    dry = await dry_run(user, "every", {"url": origin(site)}, MOCKS)
    await user.http.delete("/agents/every/secrets/TOKEN")

    report = await replayed(user, dry["run_id"])

    assert report["same"], report
    assert report["result"] == dry["result"]
    assert len(site.requests) == 1


async def test_dry_run_without_an_answer_ends_there_again(user: User, site: Served) -> None:
    code = 'def run(inputs, ctx):\n    ctx.fetch(inputs["url"])\n    ctx.fetch(inputs["url"], method="POST")\n'
    await user.create("stops", code, allowed_hosts=[origin(site)])
    dry = await dry_run(user, "stops", {"url": origin(site)})

    report = await replayed(user, dry["run_id"])

    assert (report["same"], report["complete"], report["outcome"]) == (True, False, "succeeded")


async def test_older_version_is_repeated_after_the_agent_changed(user: User) -> None:
    await user.create("moves", 'def run(inputs, ctx):\n    raise ValueError("old")\n')
    run_id = await run_id_of(user, "moves")
    code = "def run(inputs):\n    return 2\n"
    await user.http.patch("/agents/moves", json={"code": code}, headers={"If-Match": "*"})

    report = await replayed(user, run_id)

    assert (report["same"], report["error"]["message"]) == (True, "old")


@pytest.mark.parametrize("tier", TIERS)
async def test_clock_stands_where_the_run_began(user: User, tier: str) -> None:
    code = (
        "from datetime import datetime\n"
        "def run(inputs, ctx):\n"
        "    return [datetime.now().isoformat(), datetime.now().isoformat()]\n"
    )
    await user.create("clock", code, tier=tier)
    run_id = await run_id_of(user, "clock")
    run = (await user.http.get(f"/runs/{run_id}")).json()

    one, other = await replayed(user, run_id), await replayed(user, run_id)

    assert one["result"] == other["result"] == [one["result"][0]] * 2
    assert run["started_at"][:19] == one["result"][0][:19]


async def test_clock_of_every_module_stands(user: User) -> None:
    code = """
import time, datetime
from datetime import date, datetime as moment
def run(inputs, ctx):
    one = moment.now(datetime.timezone.utc)
    time.sleep(0.01)
    return [
        one == moment.now(datetime.timezone.utc), time.time(), time.time_ns(), time.strftime("%Y-%m-%d %H:%M:%S"),
        str(date.today()), str(moment.utcnow()), type(one) is moment, isinstance(one, moment), time.gmtime().tm_sec,
        str(moment(2020, 1, 2) - moment(2020, 1, 1)),
    ]
"""
    await user.create("clocks", code, tier="restricted")
    run_id = await run_id_of(user, "clocks")

    one, other = await replayed(user, run_id), await replayed(user, run_id)

    assert one["outcome"] == "succeeded", one
    assert one["result"] == other["result"]
    assert (one["result"][0], one["result"][6:8]) == (True, [True, True])


async def test_program_that_leaves_the_record_is_told_where(user: User) -> None:
    code = """
import time
def run(inputs, ctx):
    ctx.memory.get("a")
    ctx.memory.get("b" if time.time() % 1e-3 else "b")
    ctx.memory.put("t", time.perf_counter())
"""
    await user.create("leaves", code, tier="restricted")
    run_id = await run_id_of(user, "leaves")

    report = await replayed(user, run_id)

    assert not report["same"]
    divergence = report["divergence"]
    assert (divergence["seq"], divergence["glove"], divergence["recorded"]["glove"]) == (3, "memory.put", "memory.put")


async def test_run_that_cannot_be_repeated_is_refused(user: User) -> None:
    await user.create(
        "kernel", "import secrets\ndef run(inputs):\n    return secrets.token_hex(4)\n", tier="restricted"
    )
    random_id = await run_id_of(user, "kernel")
    await user.create("gone", "def run(inputs):\n    return 1\n")
    applied = await dry_run(user, "gone", {})

    refused = await user.http.post(f"/runs/{random_id}/replay")

    assert (await user.http.get(f"/runs/{random_id}")).json()["outcome"] == "succeeded"
    assert (refused.status_code, refused.json()["code"]) == (409, "not_replayable")
    assert "randomness" in refused.json()["detail"]
    assert (await replayed(user, applied["run_id"]))["same"]


async def test_replays_count_as_dry_runs() -> None:
    with glove_server(user_dry_runs_per_hour_max=2) as server:
        async with user_of(server) as user:
            await user.create("plain", "def run(inputs):\n    return 1\n")
            run_id = await run_id_of(user, "plain")

            statuses = [(await user.http.post(f"/runs/{run_id}/replay")).status_code for _ in range(3)]

    assert statuses == [200, 200, 429]
