"""An account's data over HTTP: exported whole, erased whole, and only by whom it belongs to."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from tests.acceptance.conftest import User
from tests.acceptance.running import Json, RunningServer, client_for, eventually
from tests.acceptance.shell import Outcome, Shell

CODE = "def run(inputs):\n    print('line', inputs)\n    return {'hello': inputs['name'], 'odd': '\\u2028\\n'}\n"
SLOW = "import time\ndef run(inputs):\n    time.sleep(float(inputs['s']))\n    return 1\n"


async def exported(user: User) -> list[Json]:
    answer = await user.http.get("/account/export")
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.text.split("\n")[:-1]]


async def erase(user: User, confirm: str | None = None) -> httpx.Response:
    return await user.http.delete(
        "/account", headers={"Glovebox-Confirm": str(user.id) if confirm is None else confirm}
    )


async def use(user: User) -> None:
    await user.create("hello", CODE, description="greets")
    for name in ("World", "Mars"):
        assert (await user.http.get(user.path("hello"), params={"name": name})).status_code == 200
    assert (await user.http.get(user.path("hello"), params={"name": "x", "test": "true"})).status_code == 200


async def test_caller_is_told_who_they_are(alice: User) -> None:
    assert (await alice.http.get("/account")).json() == {"user_id": str(alice.id)}


async def test_export_is_what_the_other_routes_show(alice: User, bob: User) -> None:
    await use(alice)
    await use(bob)
    changed = await alice.http.patch("/agents/hello", json={"code": CODE + "#"}, headers={"If-Match": "*"})
    await alice.http.delete("/agents/hello")
    answer = await alice.http.get("/account/export")
    lines = [json.loads(line) for line in answer.text.split("\n")[:-1]]
    of = {kind: [line for line in lines if line["type"] == kind] for kind in {line["type"] for line in lines}}

    assert answer.headers["content-disposition"] == f'attachment; filename="glovebox-{alice.id}.jsonl"'
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["cache-control"] == "no-store"
    counts = {kind: count for kind, count in lines[-1].pop("counts").items() if count}
    assert lines[-1] == {"type": "end"}
    assert counts == {"agent": 1, "version": 2, "run": 3, "log": 3, "entry": 5}
    assert (of["agent"][0]["id"], of["agent"][0]["status"]) == (changed.json()["id"], "deleted")
    assert [version["code"] for version in of["version"]] == [CODE, CODE + "#"]
    assert all(version["allowed_hosts"] == [] for version in of["version"])
    runs = await alice.runs()
    for run, line in zip(runs[::-1], of["run"], strict=True):
        whole = (await alice.http.get(f"/runs/{run['id']}")).json()
        assert whole.keys() - line.keys() <= {"usage"}, "whose parts stand by themselves"
        assert {"parent_run_id", "source_run_id", "glove_calls", "complete", "replayable"} <= line.keys()
        shared = whole.keys() & line.keys() - {"created_at", "started_at", "finished_at"}
        assert {name: line[name] for name in shared} == {name: whole[name] for name in shared}
        assert line["result"]["odd"] == "\u2028\n"
    balance = await alice.balance()
    assert of["account"][0]["available_microcredits"] == balance["available_microcredits"]
    assert sum(entry["available_delta_microcredits"] for entry in of["entry"]) == balance["available_microcredits"]
    assert str(bob.id) not in answer.text


async def test_large_export_comes_in_pieces_that_are_bounded(alice: User) -> None:
    await alice.create("big", "def run(inputs):\n    return 'x' * 900_000\n")
    for _ in range(12):
        assert (await alice.http.get(alice.path("big"))).status_code == 200

    size = lines = 0
    async with alice.http.stream("GET", "/account/export") as answer:
        async for chunk in answer.aiter_raw():
            size += len(chunk)
            lines += chunk.count(b"\n")

    assert size > 12 * 900_000
    assert lines == 1 + 1 + 1 + 12 + 25 + 1


async def test_reader_who_left_frees_the_slot_of_the_export(alice: User, server: RunningServer) -> None:
    await use(alice)
    for _ in range(server.settings.user_dry_runs_live_max + 1):
        async with alice.http.stream("GET", "/account/export") as answer:
            assert answer.status_code == 200

    async def free() -> bool:
        return (await alice.http.get("/account/export")).status_code == 200

    assert await eventually(free)


async def test_erasing_wants_the_users_id_as_confirmation(alice: User, bob: User) -> None:
    await use(alice)

    for wrong in ("", "yes", str(bob.id), str(alice.id).upper()):
        answer = await erase(alice, wrong)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    missing = await alice.http.delete("/account")
    assert (missing.status_code, missing.json()["code"]) == (422, "invalid_request")
    assert (await alice.http.get("/agents/hello")).status_code == 200


async def test_nobody_but_the_user_exports_or_erases(anonymous: httpx.AsyncClient, alice: User, bob: User) -> None:
    await use(alice)

    for method, path in (("GET", "/account"), ("GET", "/account/export"), ("DELETE", "/account")):
        answer = await anonymous.request(method, path, headers={"Glovebox-Confirm": str(alice.id)})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert (await erase(bob, str(alice.id))).status_code == 422
    assert (await erase(bob)).status_code == 204
    assert (await alice.http.get("/agents/hello")).status_code == 200


async def test_erased_account_is_empty_and_gets_no_second_grant(alice: User, bob: User) -> None:
    await use(alice)
    await use(bob)
    run_id = (await alice.runs())[0]["id"]
    before = await exported(bob)

    assert (await erase(alice)).status_code == 204

    assert await alice.runs() == []
    assert (await alice.http.get("/agents")).json()["items"] == []
    assert (await alice.http.get(f"/runs/{run_id}")).json()["code"] == "unknown_run"
    assert (await alice.http.get(alice.path("hello"), params={"name": "x"})).json()["code"] == "unknown_agent"
    assert [line["type"] for line in await exported(alice)] == ["account", "end"]
    assert await alice.balance() == {"available_microcredits": 0, "held_microcredits": 0}
    assert (await alice.http.get("/credits/entries")).json()["items"] == []
    await alice.create("hello", CODE)
    refused = await alice.http.get(alice.path("hello"), params={"name": "x"})
    assert (refused.status_code, refused.json()["code"]) == (402, "insufficient_credits")
    free = await alice.http.get(alice.path("hello"), params={"name": "x", "test": "true"})
    assert free.json()["result"]["hello"] == "x"
    assert (await exported(bob))[1:] == before[1:]


@pytest.mark.parametrize("test", ["false", "true"])
async def test_account_with_a_live_run_is_not_erased(alice: User, test: str) -> None:
    await alice.create("slow", SLOW)
    params = {"s": "1.5", "test": test}
    call = asyncio.create_task(alice.http.get(alice.path("slow"), params=params))

    async def live() -> bool:
        return any(run["state"] == "executing" for run in await alice.runs())

    await eventually(live)
    refused = await erase(alice)
    done = await call

    assert (refused.status_code, refused.json()["code"]) == (409, "runs_live")
    assert done.status_code == 200
    assert len(await alice.runs()) == 1
    assert (await erase(alice)).status_code == 204


async def test_api_key_goes_with_the_account_and_cannot_erase_it(alice: User, server: RunningServer) -> None:
    await use(alice)
    made = await alice.http.post("/api-keys", json={"name": "laptop"})
    key = next(value for value in made.json().values() if str(value).startswith("gbx_"))
    async with client_for(server, key) as client:
        by_key = User(alice.id, client)
        assert (await by_key.http.get("/account")).json() == {"user_id": str(alice.id)}
        refused = await erase(by_key)
        assert (refused.status_code, refused.json()["code"]) == (403, "token_required")

        assert (await erase(alice)).status_code == 204

        async def ended() -> bool:  # the server remembers a key for 5 s at most
            return (await by_key.http.get("/account")).status_code == 401

        assert await eventually(ended)


@pytest.fixture
def glovebox(tmp_path: Path, server: RunningServer, alice: User) -> Shell:
    return Shell(tmp_path, {"GLOVEBOX_URL": server.base_url, "GLOVEBOX_TOKEN": server.token_for(alice.id)})


async def test_account_is_exported_and_erased_from_the_command_line(glovebox: Shell, alice: User) -> None:
    await use(alice)

    async def run(*arguments: str) -> Outcome:
        return await asyncio.to_thread(glovebox, *arguments)

    to_file = await run("account", "export", "--output", "mine.jsonl")
    printed = await run("account", "export")
    unsure = await run("account", "erase")
    erased = await run("account", "erase", "--yes")
    after = await run("account", "export")

    assert (to_file.exit_code, to_file.out) == (0, "")
    lines = [json.loads(line) for line in (glovebox.home / "mine.jsonl").read_text().split("\n")[:-1]]
    assert [json.loads(line) for line in printed.out.split("\n")[:-1]][1:] == lines[1:]
    assert (lines[0]["user_id"], lines[-1]["type"]) == (str(alice.id), "end")
    assert unsure.exit_code == 2
    assert (erased.exit_code, str(alice.id) in erased.err) == (0, True)
    assert after.out.count("\n") == 2
    assert list(glovebox.home.iterdir()) == [glovebox.home / "mine.jsonl"]


async def test_export_that_cannot_be_written_says_so(glovebox: Shell) -> None:
    failed = await asyncio.to_thread(glovebox, "account", "export", "--output", "no/such/folder/mine.jsonl")

    assert (failed.exit_code, "cannot write" in failed.err) == (1, True)
