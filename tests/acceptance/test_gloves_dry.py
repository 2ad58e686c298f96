"""Dry runs with gloves: each effect listed in order, nothing changed, mocks for what is not sent."""

from typing import Any

import pytest

from tests.acceptance.running import Json, User
from tests.support.http_server import answering, http_server

EVERYTHING = """
def run(inputs, ctx):
    page = ctx.fetch(inputs["url"])
    ctx.memory.put("last", page.text)
    ctx.files.write("page.txt", page.text)
    order = ctx.fetch(inputs["url"], "POST", json={"order": 17})
    return {"page": page.text, "remembered": ctx.memory.get("last"), "order": order.json(), "dry": ctx.test}
"""
TIER: Json = {"tier": "restricted"}


async def dry(user: User, name: str, **body: Any) -> Json:
    answer = await user.http.post(f"{user.path(name)}/dry-runs", json=body)
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


async def test_a_dry_run_lists_each_effect_and_changes_nothing(alice: User) -> None:
    async with http_server(answering(b"hello")) as served:
        url = served.url(host="localhost")
        await alice.create("all", EVERYTHING, allowed_hosts=[url.rstrip("/")], **TIER)
        before = await alice.balance()
        mocks = [{"glove": "fetch", "match": {"method": "POST"}, "answer": {"status": 201, "json": {"id": 9}}}]

        told = await dry(alice, "all", inputs={"url": url}, mocks=mocks)

    assert told["result"] == {"page": "hello", "remembered": "hello", "order": {"id": 9}, "dry": True}
    assert (told["test"], told["complete"]) == (True, True)
    assert "stopped_at" not in told
    assert [(effect["seq"], effect["glove"], effect["status"]) for effect in told["effects"]] == [
        (1, "fetch", "performed"),
        (2, "memory.put", "withheld"),
        (3, "files.write", "withheld"),
        (4, "fetch", "mocked"),
        (5, "memory.get", "performed"),
    ]
    assert told["would_charge"] > 0
    assert [request.method for request in served.requests] == ["GET"]
    assert await alice.balance() == before
    (run,) = await alice.runs()
    assert (run["test"], run["charge_microcredits"]) == (True, 0)
    assert (await alice.http.get(f"/runs/{run['id']}/files")).json()["items"] == []
    stored = (await alice.http.get(f"/runs/{run['id']}/effects")).json()["items"]
    assert [effect["seq"] for effect in stored] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("way", ["query", "route"])
async def test_a_dry_run_ends_at_an_effect_that_nothing_answers(alice: User, way: str) -> None:
    async with http_server(answering(b"hello")) as served:
        url = served.url(host="localhost")
        await alice.create("all", EVERYTHING, allowed_hosts=[url.rstrip("/")], **TIER)
        if way == "route":
            told = await dry(alice, "all", inputs={"url": url})
        else:
            told = (await alice.http.post(alice.path("all"), params={"test": ""}, json={"url": url})).json()

    assert (told["result"], told["complete"], told["stopped_at"]) == (None, False, 4)
    assert told["effects"][-1]["status"] == "withheld"
    assert told["effects"][-1]["request"] == {"url": url, "method": "POST", "json": {"order": 17}}
    assert [request.method for request in served.requests] == ["GET"]
    (run,) = await alice.runs()
    assert run["outcome"] == "succeeded"


async def test_a_called_agent_has_the_same_mocks_and_stops_its_caller(alice: User) -> None:
    await alice.create("child", "def run(inputs, ctx):\n    return ctx.fetch('https://a.example.com', 'POST').status",
                       allowed_hosts=["a.example.com"], **TIER)  # fmt: skip
    await alice.create("parent", "def run(inputs, ctx):\n    return ctx.call('child', {})", **TIER)

    mocked = await dry(alice, "parent", mocks=[{"glove": "fetch", "answer": {"status": 204}}])
    stopped = await dry(alice, "parent")
    called = await dry(
        alice, "parent", mocks=[{"glove": "call", "match": {"agent_name": "child"}, "answer": {"result": 7}}]
    )

    assert (mocked["result"], mocked["complete"]) == (204, True)
    assert (stopped["result"], stopped["complete"], stopped["stopped_at"]) == (None, False, 1)
    child = (await alice.http.get(f"/runs/{stopped['effects'][0]['request']['run_id']}")).json()
    assert (child["agent_name"], child["test"]) == ("child", True)
    assert (called["result"], called["effects"][0]["status"]) == (7, "mocked")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"inputs": []}, "/inputs"),
        ({"input": {}}, "/input"),
        ({"mocks": {}}, "/mocks"),
        ({"mocks": [{"glove": "memory.get", "answer": {}}]}, "/mocks/0"),
        ({"mocks": [{"glove": "fetch"}]}, "/mocks/0/fetch"),
        ({"mocks": [{"glove": "fetch", "answer": {}, "error": {"type": "TimeoutError"}}]}, "/mocks/0/fetch"),
        ({"mocks": [{"glove": "fetch", "answer": {"status": 99}}]}, "/mocks/0/fetch/answer/status"),
        ({"mocks": [{"glove": "fetch", "answer": {"json": 1, "text": "x"}}]}, "/mocks/0/fetch/answer"),
        ({"mocks": [{"glove": "fetch", "answer": {"base64": "%"}}]}, "/mocks/0/fetch/answer"),
        ({"mocks": [{"glove": "fetch", "error": {"type": "SystemExit"}}]}, "/mocks/0/fetch/error/type"),
        ({"mocks": [{"glove": "call", "answer": {}}]}, "/mocks/0/call/answer/result"),
        ({"mocks": [{"glove": "fetch", "answer": {}}] * 51}, "/mocks"),
    ],
)
async def test_what_is_no_mock_is_refused(alice: User, body: Json, path: str) -> None:
    await alice.create("child", "def run(inputs, ctx):\n    return 1", **TIER)

    answer = await alice.http.post(f"{alice.path('child')}/dry-runs", json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == path
    assert await alice.runs() == []


async def test_the_route_takes_no_query_and_inputs_that_fit(alice: User) -> None:
    schema = {"type": "object", "required": ["n"]}
    await alice.create("child", "def run(inputs, ctx):\n    return 1", inputs_schema=schema, **TIER)
    path = f"{alice.path('child')}/dry-runs"

    query = await alice.http.post(path, params={"test": "0"}, json={"inputs": {"n": 1}})
    unfit = await alice.http.post(path, json={"inputs": {}})
    fit = await alice.http.post(path, json={"inputs": {"n": 1}})

    assert (query.status_code, query.json()["code"]) == (422, "invalid_request")
    assert (unfit.status_code, unfit.json()["code"]) == (422, "invalid_inputs")
    assert fit.json()["test"] is True
