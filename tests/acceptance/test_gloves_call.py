"""`ctx.call` through a whole server: whose money it is, what bounds it, how it ends, and that nobody waits in vain."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.acceptance.docker_tier import docker_tier
from tests.acceptance.running import Json, RunningServer, User, eventually

CHILD = """
def run(inputs, ctx):
    if inputs.get("fail"):
        raise KeyError("no such thing")
    if inputs.get("spin"):
        while True:
            pass
    return {"doubled": inputs.get("n", 0) * 2, "dry": ctx.test}
"""
PARENT = """
def run(inputs, ctx):
    return ctx.call("child", inputs)
"""
CAREFUL = """
def run(inputs, ctx):
    try:
        return ctx.call(inputs["name"], inputs.get("inputs", {}))
    except Exception as error:
        return [type(error).__name__, str(error)]
"""
TIER: Json = {"tier": "restricted"}


async def effects_of(user: User, run_id: str) -> list[Json]:
    items: list[Json] = (await user.http.get(f"/runs/{run_id}/effects")).json()["items"]
    return items


async def run_of(user: User, run_id: str) -> Json:
    run: Json = (await user.http.get(f"/runs/{run_id}")).json()
    return run


async def test_a_called_agents_result_comes_back_and_its_charge_is_the_callers(alice: User) -> None:
    await alice.create("child", CHILD, **TIER)
    await alice.create("parent", PARENT, **TIER)
    before = await alice.balance()

    answer = await alice.http.post(alice.path("parent"), json={"n": 21})

    assert answer.json() == {"doubled": 42, "dry": False}
    after = await alice.balance()
    charge = int(answer.headers["Glovebox-Charge"])
    (effect,) = await effects_of(alice, answer.headers["Glovebox-Run-Id"])
    child = await run_of(alice, effect["request"]["run_id"])
    assert effect["response"] == {"doubled": 42, "dry": False}
    assert (child["agent_name"], child["outcome"], child["inputs"]) == ("child", "succeeded", {"n": 21})
    assert 0 < child["charge_microcredits"] < charge
    assert before["available_microcredits"] - after["available_microcredits"] == charge
    assert after["held_microcredits"] == 0


async def test_a_dry_run_calls_dry(alice: User) -> None:
    await alice.create("child", CHILD, **TIER)
    await alice.create("parent", PARENT, **TIER)
    before = await alice.balance()

    answer = (await alice.http.post(alice.path("parent"), params={"test": "1"}, json={"n": 1})).json()

    assert answer["result"] == {"doubled": 2, "dry": True}
    assert answer["complete"] is True
    child = await run_of(alice, answer["effects"][0]["request"]["run_id"])
    assert (child["test"], child["charge_microcredits"]) == (True, 0)
    assert await alice.balance() == before


async def test_a_called_agent_that_fails_is_an_exception_that_names_its_run(alice: User) -> None:
    await alice.create("child", CHILD, **TIER)
    await alice.create("parent", CAREFUL, **TIER)

    answer = await alice.http.post(alice.path("parent"), json={"name": "child", "inputs": {"fail": True}})

    kind, message = answer.json()
    (effect,) = await effects_of(alice, answer.headers["Glovebox-Run-Id"])
    assert kind == "RuntimeError"
    assert effect["response"]["run_id"] in message
    assert "KeyError" in message
    assert effect["status"] == "failed"


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        ({"name": "nobodys"}, "LookupError"),
        ({"name": "Not a name"}, "LookupError"),
        ({"name": "strict", "inputs": {"n": "x"}}, "ValueError"),
        ({"name": "parent"}, "PermissionError"),
        ({"name": 7}, "ValueError"),
        ({"name": "strict", "inputs": [1]}, "ValueError"),
    ],
)
async def test_a_call_that_cannot_be_is_refused_and_begins_no_run(alice: User, asked: Json, fault: str) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    await alice.create("strict", CHILD, inputs_schema=schema, **TIER)
    await alice.create("parent", CAREFUL, **TIER)

    answer = await alice.http.post(alice.path("parent"), json=asked)

    assert answer.json()[0] == fault, answer.text
    assert len(await alice.runs()) == 1
    (effect,) = await effects_of(alice, answer.headers["Glovebox-Run-Id"])
    assert effect["status"] == "refused"


async def test_another_users_agent_is_no_agent(alice: User, bob: User) -> None:
    await bob.create("child", CHILD, **TIER)
    await alice.create("parent", CAREFUL, **TIER)

    answer = await alice.http.post(alice.path("parent"), json={"name": "child"})

    assert answer.json()[0] == "LookupError"
    assert await bob.runs() == []


async def test_agents_do_not_call_in_circles(alice: User) -> None:
    for name, other in (("one", "two"), ("two", "three"), ("three", "one")):
        await alice.create(name, f"def run(inputs, ctx):\n    return ctx.call('{other}', {{}})", **TIER)

    answer = await alice.http.post(alice.path("one"), json={})

    assert answer.status_code == 502
    assert "circles" in answer.text
    assert sorted(run["agent_name"] for run in await alice.runs()) == ["one", "three", "two"]


async def test_calls_go_three_deep_and_no_deeper(alice: User) -> None:
    await alice.create("a0", "def run(inputs, ctx):\n    return 'the bottom'", **TIER)
    for depth in range(1, 5):
        await alice.create(f"a{depth}", f"def run(inputs, ctx):\n    return ctx.call('a{depth - 1}', {{}})", **TIER)

    assert (await alice.http.post(alice.path("a3"), json={})).json() == "the bottom"
    deeper = await alice.http.post(alice.path("a4"), json={})

    assert deeper.status_code == 502
    assert "at most 3 deep" in deeper.text
    assert (await alice.balance())["held_microcredits"] == 0


async def test_what_is_called_spends_of_the_callers_bounds(alice: User) -> None:
    await alice.create("child", CHILD, **TIER)
    often = "def run(inputs, ctx):\n    return [ctx.call('child', {}) for _ in range(inputs['times'])]"
    await alice.create("middle", often, limits={"calls_max": 100}, **TIER)
    await alice.create("top", "def run(inputs, ctx):\n    return ctx.call('middle', inputs)", **TIER)

    enough = await alice.http.post(alice.path("top"), json={"times": 9})
    too_many = await alice.http.post(alice.path("top"), json={"times": 10})

    assert len(enough.json()) == 9
    assert too_many.status_code == 502
    assert "calls_max" in too_many.text


async def test_a_called_agent_has_no_more_time_than_its_caller(alice: User) -> None:
    await alice.create("child", CHILD, limits={"wall_ms_max": 60_000, "cpu_ms_max": 60_000}, **TIER)
    await alice.create("parent", PARENT, limits={"wall_ms_max": 1_500}, **TIER)

    answer = await alice.http.post(alice.path("parent"), json={"spin": True})

    assert answer.status_code in (502, 504)
    for run in await alice.runs():
        ended = await alice.finished(run["id"])
        assert ended["usage"]["wall_ms"] < 5_000
    assert (await alice.balance())["held_microcredits"] == 0


async def test_a_cancelled_run_takes_what_it_called_with_it(alice: User) -> None:
    await alice.create("child", CHILD, limits={"wall_ms_max": 60_000, "cpu_ms_max": 60_000}, **TIER)
    await alice.create("parent", PARENT, limits={"wall_ms_max": 60_000}, **TIER)
    before = await alice.balance()
    begun = await alice.http.post(alice.path("parent"), json={"spin": True}, headers={"Prefer": "respond-async"})
    parent_id = begun.json()["id"]

    async def child_run() -> Json | None:
        return next((run for run in await alice.runs() if run["agent_name"] == "child"), None)

    child = await eventually(child_run)
    await alice.http.post(f"/runs/{parent_id}/cancel")

    ended = await alice.finished(parent_id)
    ended_child = await alice.finished(child["id"])
    assert (ended["outcome"], ended_child["outcome"]) == ("cancelled", "cancelled")
    assert ended["charge_microcredits"] > ended_child["charge_microcredits"] > 0
    after = await alice.balance()
    assert before["available_microcredits"] - after["available_microcredits"] == ended["charge_microcredits"]
    assert after["held_microcredits"] == 0
    (effect,) = await effects_of(alice, parent_id)
    assert effect["status"] == "unknown"


async def test_fifty_callers_at_full_capacity_all_end(server: RunningServer, new_user: Callable[[], User]) -> None:
    """More callers than places, each of which needs one more: none waits for itself."""
    users = [new_user() for _ in range(5)]
    for user in users:
        await user.create("child", CHILD, **TIER)
        await user.create("parent", PARENT, **TIER)

    async def call(user: User) -> Any:
        return await user.http.post(user.path("parent"), json={"n": 1})

    async with asyncio.timeout(60):
        answers = await asyncio.gather(*(call(user) for user in users for _ in range(10)))

    done = [answer for answer in answers if answer.status_code == 200]
    busy = [answer for answer in answers if answer.status_code != 200]
    assert all("busy" in answer.text for answer in busy), busy[0].text
    assert len(done) >= 25
    for user in users:
        assert (await user.balance())["held_microcredits"] == 0
        assert {run["state"] for run in await user.runs()} <= {"completed", "failed"}
    assert (await call(users[0])).status_code == 200


@pytest.mark.long
async def test_fifty_callers_in_containers_all_end() -> None:
    """Callers hold containers, of which a user has few; some are kept for what they call."""
    with docker_tier(docker_pool_size=4) as tier:
        user = tier.user()
        async with user.http:
            for name, code in (("child", CHILD), ("parent", PARENT)):
                await user.create(name, code, tier="docker", limits={"wall_ms_max": 60_000})
            calls = [user.http.post(user.path("parent"), json={"n": 1}, timeout=180) for _ in range(50)]
            async with asyncio.timeout(180):
                answers = await asyncio.gather(*calls)

            refused = [answer.text for answer in answers if answer.status_code != 200]
            assert all("busy" in text for text in refused), refused
            assert len(refused) < len(answers)
            assert (await user.balance())["held_microcredits"] == 0
