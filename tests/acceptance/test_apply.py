"""Dry runs carried out: exactly what they listed, each effect once, whatever fails or is killed in between."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from server.gloves.fetch import RunFetch
from tests.acceptance.running import Json, RunningServer, User
from tests.acceptance.worn import EVERYTHING, MOCKS, dry_run, glove_server, user_of
from tests.support.http_server import Received, Served, answering, http_server, raw


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
    async with http_server(answering(b"sunny")) as served:
        yield served


def origin(site: Served) -> str:
    return site.url("").rstrip("/")


async def everything(user: User, site: Served, **inputs: str) -> Json:
    """An agent that uses every glove, and a dry run of it."""
    await user.create("every", EVERYTHING, allowed_hosts=[origin(site)], tier="restricted")
    secret = {"value": "s3cr3t-value", "hosts": [origin(site)]}
    assert (await user.http.put("/agents/every/secrets/TOKEN", json=secret)).status_code == 200
    await user.http.put("/agents/every/memory/old", json={"value": 1})
    return await dry_run(user, "every", {"url": origin(site), **inputs}, MOCKS)


async def state_of(user: User, agent_name: str) -> Json:
    keys = (await user.http.get(f"/agents/{agent_name}/memory")).json()["items"]
    return {
        item["key"]: (await user.http.get(f"/agents/{agent_name}/memory/{item['key']}")).json()["value"]
        for item in keys
    }


async def test_apply_carries_out_what_the_dry_run_listed_and_nothing_twice(user: User, site: Served) -> None:
    dry = await everything(user, site)
    assert dry["complete"], dry
    assert dry["result"]["now"] == 1
    assert dry["result"]["found"] == ["note"]
    assert await state_of(user, "every") == {"old": 1}
    assert [request.method for request in site.requests] == ["GET"]
    before = await user.balance()

    applied = await user.http.post(f"/runs/{dry['run_id']}/apply")

    assert applied.status_code == 200, applied.text
    report = applied.json()
    assert report["complete"]
    assert {effect["status"] for effect in report["effects"]} == {"performed"}
    assert [effect["glove"] for effect in report["effects"]] == [
        "memory.put", "memory.put", "fetch", "memory.delete", "files.write"
    ]  # fmt: skip
    assert await state_of(user, "every") == {"count": 1, "note": "the cat sat on the mat"}
    posted = site.requests[-1]
    assert (posted.method, posted.target, posted.body) == ("POST", "/orders", b'{"seen":0}')
    place = next(effect["seq"] for effect in report["effects"] if effect["glove"] == "fetch")
    assert posted.headers["idempotency-key"] == f"{dry['run_id']}:{place}"
    file = await user.http.get(f"/runs/{report['run_id']}/files/report.txt")
    assert (file.text, file.headers["x-content-type-options"]) == ("seen 0", "nosniff")
    assert file.headers["content-disposition"].startswith("attachment;")
    assert report["charge_microcredits"] > 0
    balance = await user.balance()
    assert balance["held_microcredits"] == 0
    assert balance["available_microcredits"] == before["available_microcredits"] - report["charge_microcredits"]
    run = (await user.http.get(f"/runs/{report['run_id']}")).json()
    assert (run["kind"], run["state"], run["inputs"]) == ("apply", "completed", {"run_id": dry["run_id"]})

    again = (await user.http.post(f"/runs/{dry['run_id']}/apply")).json()

    assert (again["run_id"], again["complete"], again["charge_microcredits"]) == (None, True, 0)
    assert again["effects"] == report["effects"]
    assert len(site.requests) == 2
    assert await user.balance() == balance


async def test_secret_goes_into_applied_requests_and_nowhere_else(user: User, site: Served) -> None:
    code = """
def run(inputs, ctx):
    token = ctx.secrets.use("TOKEN")
    ctx.fetch(inputs["url"], method="POST", headers={"X-Token": token}, json={"token": token})
"""
    await user.create("sends", code, allowed_hosts=[origin(site)])
    await user.http.put("/agents/sends/secrets/TOKEN", json={"value": "s3cr3t-value", "hosts": [origin(site)]})
    dry = await dry_run(user, "sends", {"url": origin(site)}, MOCKS)

    applied = await user.http.post(f"/runs/{dry['run_id']}/apply")

    assert applied.json()["complete"], applied.text
    assert site.requests[-1].headers["x-token"] == "s3cr3t-value"
    assert b"s3cr3t-value" in site.requests[-1].body
    shown = await user.http.get(f"/runs/{applied.json()['run_id']}/effects")
    assert "s3cr3t-value" not in applied.text + shown.text + str(dry)


async def test_request_that_a_mock_let_fail_is_not_sent(user: User, site: Served) -> None:
    code = """
def run(inputs, ctx):
    try:
        ctx.fetch(inputs["url"], method="POST")
    except ConnectionError:
        ctx.memory.put("sent", False)
"""
    await user.create("sends", code, allowed_hosts=[origin(site)])
    mocks = [{"glove": "fetch", "match": {"method": "POST"}, "error": {"type": "ConnectionError"}}]
    dry = await dry_run(user, "sends", {"url": origin(site)}, mocks)

    applied = (await user.http.post(f"/runs/{dry['run_id']}/apply")).json()

    assert applied["complete"]
    assert [effect["glove"] for effect in applied["effects"]] == ["memory.put"]
    assert await state_of(user, "sends") == {"sent": False}
    assert site.requests == []


async def test_what_an_agent_called_is_applied_too(user: User, site: Served) -> None:
    child = 'def run(inputs, ctx):\n    ctx.memory.put("k", inputs["n"])\n    return inputs["n"]\n'
    parent = (
        'def run(inputs, ctx):\n    one = ctx.call("child", {"n": 1})\n    ctx.memory.put("sum", one)\n    return one\n'
    )
    await user.create("child", child)
    await user.create("parent", parent)
    dry = await dry_run(user, "parent", {})

    applied = (await user.http.post(f"/runs/{dry['run_id']}/apply")).json()

    assert applied["complete"]
    assert await state_of(user, "child") == {"k": 1}
    assert await state_of(user, "parent") == {"sum": 1}
    runs = [run for run in await user.runs() if run["agent_name"] == "child"]
    refused = await user.http.post(f"/runs/{runs[0]['id']}/apply")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_applicable")


async def test_dry_run_that_lacks_an_answer_is_not_applicable(user: User, site: Served) -> None:
    code = 'def run(inputs, ctx):\n    ctx.memory.put("k", 1)\n    ctx.fetch(inputs["url"], method="POST")\n'
    await user.create("stops", code, allowed_hosts=[origin(site)])
    dry = await dry_run(user, "stops", {"url": origin(site)})
    assert not dry["complete"]

    refused = await user.http.post(f"/runs/{dry['run_id']}/apply")

    assert (refused.status_code, refused.json()["code"]) == (409, "not_applicable")
    assert site.requests == []
    assert await state_of(user, "stops") == {}


async def test_mocked_call_is_not_applicable(user: User) -> None:
    code = 'def run(inputs, ctx):\n    ctx.memory.put("k", ctx.call("other", {}))\n'
    await user.create("calls", code)
    dry = await dry_run(user, "calls", {}, [{"glove": "call", "answer": {"result": 1}}])
    assert dry["complete"]

    refused = await user.http.post(f"/runs/{dry['run_id']}/apply")

    assert (refused.status_code, refused.json()["code"]) == (409, "not_applicable")
    assert await state_of(user, "calls") == {}


async def test_failed_dry_run_is_not_applicable(user: User) -> None:
    await user.create("fails", 'def run(inputs, ctx):\n    ctx.memory.put("k", 1)\n    raise ValueError\n')
    dry = await user.http.post(f"{user.path('fails')}/dry-runs", json={"inputs": {}})
    assert dry.status_code == 502

    refused = await user.http.post(f"/runs/{dry.headers['glovebox-run-id']}/apply")

    assert (refused.status_code, refused.json()["code"]) == (409, "not_applicable")


async def test_secret_that_is_gone_makes_a_dry_run_stale(user: User, site: Served) -> None:
    code = 'def run(inputs, ctx):\n    ctx.secrets.use("TOKEN")\n    ctx.memory.put("k", 1)\n'
    await user.create("sends", code)
    await user.http.put("/agents/sends/secrets/TOKEN", json={"value": "s3cr3t-value", "hosts": ["a.example"]})
    dry = await dry_run(user, "sends", {})
    await user.http.delete("/agents/sends/secrets/TOKEN")

    refused = await user.http.post(f"/runs/{dry['run_id']}/apply")

    assert (refused.status_code, refused.json()["code"]) == (409, "not_applicable")
    assert await state_of(user, "sends") == {}


async def test_live_run_is_not_applicable(user: User) -> None:
    await user.create("plain", "def run(inputs):\n    return 1\n")
    answer = await user.http.post(user.path("plain"), json={})

    refused = await user.http.post(f"/runs/{answer.headers['glovebox-run-id']}/apply")

    assert (refused.status_code, refused.json()["code"]) == (409, "not_applicable")


@pytest.mark.parametrize(
    "read", ['ctx.memory.get("k")', "ctx.memory.list()", 'ctx.memory.search("cat")', 'ctx.memory.delete("k")']
)
async def test_changed_memory_that_was_read_makes_a_dry_run_stale(user: User, read: str) -> None:
    await user.create("reads", f'def run(inputs, ctx):\n    {read}\n    ctx.memory.put("w", 1)\n')
    await user.http.put("/agents/reads/memory/k", json={"value": "cat"})
    dry = await dry_run(user, "reads", {})
    before = await user.balance()
    await user.http.put("/agents/reads/memory/k", json={"value": "cat"})

    refused = await user.http.post(f"/runs/{dry['run_id']}/apply")

    assert (refused.status_code, refused.json()["code"]) == (409, "not_applicable")
    assert "w" not in await state_of(user, "reads")
    assert await user.balance() == before


async def test_memory_that_was_not_read_may_change_meanwhile(user: User) -> None:
    await user.create("reads", 'def run(inputs, ctx):\n    ctx.memory.get("k")\n    ctx.memory.put("k", 1)\n')
    dry = await dry_run(user, "reads", {})
    await user.http.put("/agents/reads/memory/other", json={"value": 1})

    applied = (await user.http.post(f"/runs/{dry['run_id']}/apply")).json()

    assert applied["complete"]
    assert await state_of(user, "reads") == {"k": 1, "other": 1}


async def test_changed_agent_makes_a_dry_run_stale(user: User) -> None:
    await user.create("moves", 'def run(inputs, ctx):\n    ctx.memory.put("k", 1)\n')
    dry = await dry_run(user, "moves", {})
    code = "def run(inputs):\n    return 2\n"
    await user.http.patch("/agents/moves", json={"code": code}, headers={"If-Match": "*"})

    refused = await user.http.post(f"/runs/{dry['run_id']}/apply")

    assert (refused.status_code, refused.json()["code"]) == (409, "not_applicable")


async def unsure(request: Received, writer: asyncio.StreamWriter) -> None:
    """Takes a request and breaks off before it answers."""
    writer.close()


async def test_uncertain_send_is_unknown_and_never_sent_again(user: User, site: Served) -> None:
    code = """
def run(inputs, ctx):
    ctx.memory.put("before", 1)
    ctx.fetch(inputs["url"], method="POST")
    ctx.memory.put("after", 1)
"""
    await user.create("doubts", code, allowed_hosts=[origin(site)])
    dry = await dry_run(user, "doubts", {"url": origin(site)}, MOCKS)
    site.answer = unsure

    first = (await user.http.post(f"/runs/{dry['run_id']}/apply")).json()
    assert [effect["status"] for effect in first["effects"]] == ["performed", "unknown"]
    assert (first["complete"], first["left"]) == (False, 1)
    site.answer = answering(b"", status=201)
    second = (await user.http.post(f"/runs/{dry['run_id']}/apply")).json()
    third = (await user.http.post(f"/runs/{dry['run_id']}/apply")).json()

    assert [effect["status"] for effect in second["effects"]] == ["performed", "unknown", "performed"]
    assert third["effects"] == second["effects"]
    assert third["run_id"] is None
    assert len(site.requests) == 1
    assert await state_of(user, "doubts") == {"before": 1, "after": 1}


async def test_request_that_surely_was_not_sent_may_be_tried_again(user: User, site: Served) -> None:
    code = 'def run(inputs, ctx):\n    ctx.fetch(inputs["url"], method="POST")\n    ctx.memory.put("after", 1)\n'
    async with http_server(answering()) as gone:
        closed = origin(gone)
    await user.create("fails", code, allowed_hosts=[closed])
    dry = await dry_run(user, "fails", {"url": closed}, MOCKS)

    first = (await user.http.post(f"/runs/{dry['run_id']}/apply")).json()

    assert [effect["status"] for effect in first["effects"]] == ["failed"]
    assert (first["complete"], first["left"]) == (False, 2)
    run = (await user.http.get(f"/runs/{first['run_id']}")).json()
    assert (run["state"], run["outcome"]) == ("failed", "failed")
    assert await state_of(user, "fails") == {}


@pytest.mark.parametrize("broken", ["close", "send"])
async def test_connection_that_breaks_in_a_way_nobody_foresaw_leaves_no_hold_and_is_charged(
    user: User, site: Served, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    code = 'def run(inputs, ctx):\n    ctx.fetch(inputs["url"], method="POST")\n'
    await user.create(f"breaks-{broken}", code, allowed_hosts=[origin(site)])
    dry = await dry_run(user, f"breaks-{broken}", {"url": origin(site)}, MOCKS)

    close = RunFetch.close

    async def fail(fetch: RunFetch, *_: object) -> None:
        await close(fetch)
        raise OSError("bad record mac")

    monkeypatch.setattr(RunFetch, broken, fail)
    report = await user.http.post(f"/runs/{dry['run_id']}/apply")

    assert report.status_code == 200, report.text
    expected = {"close": ["performed"], "send": ["unknown"]}[broken]
    assert [effect["status"] for effect in report.json()["effects"]] == expected
    assert report.json()["charge_microcredits"] > 0
    assert (await user.balance())["held_microcredits"] == 0


async def test_limits_that_cannot_be_read_are_found_before_anything_is_held(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    await user.create("limits", 'def run(inputs, ctx):\n    ctx.memory.put("k", 1)\n')
    dry = await dry_run(user, "limits", {})

    def unreadable(**limits: int) -> None:
        raise TypeError("unexpected keyword argument")

    monkeypatch.setattr("server.runs.applying.Limits", unreadable)
    refused = await user.http.post(f"/runs/{dry['run_id']}/apply")

    assert refused.status_code == 500
    assert [run["kind"] for run in await user.runs()] == ["invocation"]
    assert (await user.balance())["held_microcredits"] == 0


async def test_two_applies_at_once_carry_it_out_once(user: User, site: Served) -> None:
    code = 'def run(inputs, ctx):\n    ctx.fetch(inputs["url"], method="POST")\n    ctx.memory.put("after", 1)\n'
    await user.create("races", code, allowed_hosts=[origin(site)])
    dry = await dry_run(user, "races", {"url": origin(site)}, MOCKS)
    site.answer = raw(b"HTTP/1.1 200 X\r\nContent-Length: 1\r\n\r\n", b"x", pause_s=0.2, close=False)

    answers = await asyncio.gather(*(user.http.post(f"/runs/{dry['run_id']}/apply") for _ in range(6)))

    assert len(site.requests) == 1
    for answer in answers:
        assert answer.status_code == 200 or answer.json()["code"] == "apply_live"
    assert sum(bool(answer.json().get("run_id")) for answer in answers if answer.status_code == 200) == 1
    assert (await user.balance())["held_microcredits"] == 0


async def test_cancelled_apply_is_gone_on_with_by_the_next(user: User, site: Served) -> None:
    code = 'def run(inputs, ctx):\n    ctx.fetch(inputs["url"], method="POST")\n    ctx.memory.put("after", 1)\n'
    await user.create("slow", code, allowed_hosts=[origin(site)])
    dry = await dry_run(user, "slow", {"url": origin(site)}, MOCKS)
    site.answer = raw(b"HTTP/1.1 200 X\r\n", pause_s=60)

    first = asyncio.create_task(user.http.post(f"/runs/{dry['run_id']}/apply"))
    await asyncio.wait_for(site.asked.wait(), 30)
    (live,) = [run for run in await user.runs() if run["kind"] == "apply"]
    await user.http.post(f"/runs/{live['id']}/cancel")
    report = (await first).json()
    assert report["left"] == 1, report
    second = (await user.http.post(f"/runs/{dry['run_id']}/apply")).json()

    assert [effect["status"] for effect in second["effects"]] == ["unknown", "performed"]
    assert len(site.requests) == 1
    assert (await user.finished(live["id"]))["outcome"] == "cancelled"


async def test_foreign_runs_are_unknown(user: User, worn: RunningServer) -> None:
    await user.create("mine", 'def run(inputs, ctx):\n    ctx.memory.put("k", 1)\n')
    dry = await dry_run(user, "mine", {})

    async with user_of(worn) as other:
        for what in ("apply", "replay"):
            answer = await other.http.post(f"/runs/{dry['run_id']}/{what}")
            assert (answer.status_code, answer.json()["code"]) == (404, "unknown_run")
