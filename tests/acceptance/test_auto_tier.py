"""The tier that an agent comes to: proven at creation, shown with its reasons, raised by a run that needs more."""

from typing import Any

import pytest

from tests.acceptance.running import Json, User

PLAIN = "def run(inputs):\n    return inputs['n'] + 1"
NEEDS_STATISTICS = "import statistics\ndef run(inputs):\n    return statistics.mean(inputs['numbers'])"
# What it lacks shows only where it runs.
SHOWS_LATE = """
import re

def run(inputs, ctx):
    print("looking")
    if inputs.get("remember"):
        ctx.memory.put("seen", True)
    if inputs.get("plain"):
        return "plain"
    return re.compile("a").match(inputs["text"], 1) is not None
"""


async def create(user: User, name: str, code: str, **contract: Any) -> Json:
    return await user.create(name, code, **contract)


async def test_an_agent_comes_to_the_smallest_tier_that_its_examples_prove(alice: User) -> None:
    plain = await create(alice, "plain", PLAIN, examples=[{"inputs": {"n": 1}, "expect": 2}, {"inputs": {"n": 2}}])
    larger = await create(alice, "larger", NEEDS_STATISTICS, examples=[{"inputs": {"numbers": [1, 3]}, "expect": 2}])

    assert (plain["tier"], plain["tier_reasons"]) == ("monty", {})
    assert (larger["tier"], larger["tier_reasons"]) == (
        "restricted",
        {"monty": "module statistics is not available"},
    )
    answer = await alice.http.post(alice.path("larger"), json={"numbers": [1, 2]})
    assert (answer.json(), answer.headers["glovebox-tier"]) == (1.5, "restricted")


async def test_an_example_without_an_expectation_is_kept_without_one(alice: User) -> None:
    created = await create(
        alice, "unsure", PLAIN, examples=[{"inputs": {"n": 1}}, {"inputs": {"n": 1}, "expect": None}]
    )

    assert created["examples"] == [{"inputs": {"n": 1}}, {"inputs": {"n": 1}, "expect": None}]


async def test_a_new_version_is_chosen_for_anew(alice: User) -> None:
    await create(alice, "grows", PLAIN)
    path = "/agents/grows"
    tag = (await alice.http.get(path)).headers["etag"]

    edited = await alice.http.patch(path, json={"code": NEEDS_STATISTICS}, headers={"If-Match": tag})

    assert edited.status_code == 200, edited.text
    assert (edited.json()["tier"], edited.json()["version"]) == ("restricted", 2)


@pytest.mark.parametrize("tier", ["monty", "restricted"])
async def test_a_pinned_tier_is_the_one_that_runs(alice: User, tier: str) -> None:
    name = f"pinned-{tier}"
    created = await create(alice, name, PLAIN, tier=tier)

    answer = await alice.http.post(alice.path(name), json={"n": 1})

    assert (created["tier"], answer.headers["glovebox-tier"], answer.json()) == (tier, tier, 2)


async def test_a_pinned_tier_that_refuses_the_code_is_not_replaced(alice: User) -> None:
    body = {"agent_name": "stays", "code": NEEDS_STATISTICS, "tier": "monty"}
    refused = await alice.http.post("/agents", json=body)

    assert (refused.status_code, refused.json()["code"]) == (422, "code_rejected")
    assert refused.json()["errors"][0]["message"] == "module statistics is not available"
    assert (await alice.http.get("/agents/stays")).status_code == 404


async def test_a_tier_that_is_not_there_is_not_replaced(alice: User) -> None:
    refused = await alice.http.post("/agents", json={"agent_name": "boxed", "code": PLAIN, "tier": "docker"})

    assert (refused.status_code, refused.json()["code"]) == (503, "tier_unavailable")


@pytest.mark.parametrize(
    ("tier", "limit"),
    [("monty", "cpu_ms_max"), ("monty", "processes_max"), ("monty", "disk_bytes_max"), ("restricted", "processes_max")],
)
async def test_a_limit_without_meaning_in_the_pinned_tier_is_refused(alice: User, tier: str, limit: str) -> None:
    body = {"agent_name": "limited", "code": PLAIN, "tier": tier, "limits": {limit: 3}}
    refused = await alice.http.post("/agents", json=body)

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["path"] == f"/limits/{limit}"
    auto = await alice.http.post("/agents", json=body | {"tier": "auto", "agent_name": "free"})
    assert auto.status_code == 201


async def test_a_run_that_needs_more_moves_up_in_the_same_run_and_hold(alice: User) -> None:
    assert (await create(alice, "late", SHOWS_LATE))["tier"] == "monty"
    before = await alice.balance()

    answer = await alice.http.post(alice.path("late"), json={"text": "ba"})
    again = await alice.http.post(alice.path("late"), json={"text": "ba"})

    assert (answer.status_code, answer.json(), answer.headers["glovebox-tier"]) == (200, True, "restricted")
    run = (await alice.http.get(f"/runs/{answer.headers['glovebox-run-id']}")).json()
    assert (run["tier"], run["outcome"]) == ("restricted", "succeeded")
    logs = (await alice.http.get(f"/runs/{run['id']}/logs")).json()["items"]
    assert [line["message"] for line in logs] == ["looking"]
    shown = (await alice.http.get("/agents/late")).json()
    assert shown["tier"] == "restricted"
    assert shown["tier_reasons"] == {"monty": "match() with 2 arguments is not available"}
    assert (again.headers["glovebox-tier"], len(await alice.runs())) == ("restricted", 2)
    after = await alice.balance()
    spent = before["available_microcredits"] - after["available_microcredits"]
    assert spent == int(answer.headers["glovebox-charge"]) + int(again.headers["glovebox-charge"])
    assert after["held_microcredits"] == 0


async def test_after_an_effect_nothing_is_run_again_and_the_run_is_charged(alice: User) -> None:
    await create(alice, "acted", SHOWS_LATE)
    before = await alice.balance()

    answer = await alice.http.post(alice.path("acted"), json={"text": "ba", "remember": True})

    assert (answer.status_code, answer.json()["code"]) == (502, "tier_unsuited")
    after = await alice.balance()
    charge = int(answer.headers["glovebox-charge"])
    assert charge > 0
    assert after["available_microcredits"] == before["available_microcredits"] - charge
    assert after["held_microcredits"] == 0
    assert (await alice.http.get("/agents/acted")).json()["tier"] == "restricted"
    again = await alice.http.post(alice.path("acted"), json={"text": "ba", "remember": True})
    assert (again.status_code, again.json()) == (200, True)


async def test_a_pinned_tier_is_never_raised(alice: User) -> None:
    await create(alice, "held", SHOWS_LATE, tier="monty")

    answer = await alice.http.post(alice.path("held"), json={"text": "ba"})

    assert (answer.status_code, answer.json()["code"]) == (502, "tier_unsuited")
    assert answer.headers["glovebox-charge"] == "0"  # it called no glove
    assert (await alice.http.get("/agents/held")).json()["tier"] == "monty"
    assert (await alice.http.post(alice.path("held"), json={"plain": True})).json() == "plain"


async def test_a_dry_run_moves_up_as_a_live_one_does(alice: User) -> None:
    await create(alice, "dry", SHOWS_LATE)

    answer = await alice.http.post(alice.path("dry") + "?test=1", json={"text": "ba"})

    assert (answer.status_code, answer.json()["result"], answer.headers["glovebox-tier"]) == (200, True, "restricted")


async def test_examples_without_an_expectation_pass_when_they_come_to_a_result(alice: User) -> None:
    await create(alice, "checked", PLAIN, examples=[{"inputs": {"n": 1}}, {"inputs": {}}])

    report = (await alice.http.post("/agents/checked/check")).json()

    assert [(row["passed"], row["expected"]) for row in report["results"]] == [(True, None), (False, None)]
