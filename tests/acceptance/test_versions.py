"""Versions over HTTP: edited under If-Match, listed, rolled back to, seen at once everywhere, checked by examples."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from server.agents import example_runs
from tests.acceptance.conftest import User
from tests.acceptance.running import Json, RunningServer, client_for, eventually, running
from tests.acceptance.shell import Shell

ONE = "def run(inputs):\n    return {'version': 1, 'inputs': inputs}\n"
TWO = "def run(inputs):\n    return {'version': 2, 'inputs': inputs}\n"
REFUSED = "import socket\ndef run(inputs):\n    return 1\n"
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "additionalProperties": False}


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def etag(user: User, agent_name: str = "hello") -> str:
    return str((await user.http.get(f"/agents/{agent_name}")).headers["etag"])


async def edit(user: User, agent_name: str = "hello", *, match: str | None = None, **changes: Any) -> httpx.Response:
    headers = {"If-Match": await etag(user, agent_name) if match is None else match}
    return await user.http.patch(f"/agents/{agent_name}", json=changes, headers=headers)


@pytest.fixture
async def hello(alice: User) -> Json:
    return await alice.create("hello", ONE, description="greets", inputs_schema=SCHEMA, limits={"wall_ms_max": 3_000})


@pytest.fixture
def second_server(server: RunningServer) -> Iterator[RunningServer]:
    """Another server process's worth of application on the same database."""
    with running(server.settings) as started:
        yield started


@pytest.fixture
async def alice_there(second_server: RunningServer, alice: User) -> AsyncIterator[User]:
    async with client_for(second_server, second_server.token_for(alice.id)) as client:
        yield User(alice.id, client)


@pytest.mark.usefixtures("hello")
async def test_agent_has_a_tag_that_every_change_renews(alice: User) -> None:
    first = await alice.http.get("/agents/hello")
    renamed = await edit(alice, description="greets warmly")

    assert first.headers["etag"] == '"v1"'
    assert (renamed.status_code, renamed.headers["etag"]) == (200, '"v2"')
    assert (renamed.json()["version"], renamed.json()["revision"]) == (1, 2)
    assert await etag(alice) == '"v2"'


@pytest.mark.usefixtures("hello")
@pytest.mark.parametrize("tags", ['"v1"', 'W/"v1"', "*", '"other", W/"v1"'])
async def test_agent_that_the_caller_has_is_not_sent_again(alice: User, tags: str) -> None:
    answer = await alice.http.get("/agents/hello", headers={"If-None-Match": tags})

    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"v1"')


@pytest.mark.usefixtures("hello")
@pytest.mark.parametrize("tags", ['"v2"', '"V1"', '"v1x"'])
async def test_agent_that_the_caller_has_not_is_sent(alice: User, tags: str) -> None:
    assert (await alice.http.get("/agents/hello", headers={"If-None-Match": tags})).status_code == 200


@pytest.mark.usefixtures("hello")
async def test_change_wants_to_know_what_the_caller_saw(alice: User) -> None:
    for method, path, body in (
        ("PATCH", "/agents/hello", {"code": TWO}),
        ("POST", "/agents/hello/versions/1/activate", None),
    ):
        missing = await alice.http.request(method, path, json=body)
        assert code(missing) == (428, "precondition_required")
        for outdated in ('"v2"', 'W/"v1"', '""', '"v01"', '"v0", "v3"'):
            answer = await alice.http.request(method, path, json=body, headers={"If-Match": outdated})
            assert code(answer) == (412, "precondition_failed")
        for malformed in ("v1", '"v1', "'v1'", '*, "v1"', ""):
            answer = await alice.http.request(method, path, json=body, headers={"If-Match": malformed})
            assert code(answer) == (422, "invalid_request")
    assert await etag(alice) == '"v1"'


@pytest.mark.usefixtures("hello")
@pytest.mark.parametrize("match", ["*", '"v1"', '"v7", "v1"'])
async def test_change_of_what_the_caller_saw_is_stored(alice: User, match: str) -> None:
    answer = await edit(alice, match=match, code=TWO)

    assert answer.status_code == 200, answer.text
    assert (answer.json()["version"], answer.json()["revision"], answer.json()["code"]) == (2, 2, TWO)


async def test_what_is_not_named_stays(alice: User, hello: Json) -> None:
    edited = (await edit(alice, code=TWO)).json()
    limited = (await edit(alice, limits={"cpu_ms_max": 1_000})).json()

    for name in ("id", "url", "description", "inputs_schema", "examples", "limits", "created_at"):
        assert edited[name] == hello[name]
    assert limited["limits"] == {**hello["limits"], "cpu_ms_max": 1_000}
    assert (limited["version"], limited["code"]) == (3, TWO)


@pytest.mark.usefixtures("hello")
async def test_null_clears_what_can_be_without(alice: User) -> None:
    defaults = (await alice.create("bare", ONE))["limits"]
    one_limit = (await edit(alice, limits={"wall_ms_max": None})).json()
    cleared = (await edit(alice, inputs_schema=None, examples=None, limits=None)).json()

    assert one_limit["limits"] == defaults
    assert (cleared["inputs_schema"], cleared["examples"], cleared["limits"]) == (None, [], defaults)
    for name in ("code", "description", "tier"):
        nothing: Json = {name: None}
        assert code(await edit(alice, **nothing)) == (422, "invalid_request")


@pytest.mark.usefixtures("hello")
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"agent_name": "other"},
        {"user_id": str(uuid4())},
        {"version": 7, "description": "x"},
        {"revision": 7},
        {"status": "deleted"},
        {"code": ""},
        {"code": 1},
        {"tier": "none"},
        {"limits": {"wall_ms_max": 0}},
        {"limits": {"wall_ms_max": 10**9}},
        {"limits": {"unknown": 1}},
        {"inputs_schema": {"pattern": "a"}},
        {"examples": [{"inputs": {"n": "no integer"}, "expect": 1}]},
        {"examples": [{"expect": {}}]},
        {"inputs_schema": {"properties": {"test": {}}}},
    ],
)
async def test_unacceptable_change_changes_nothing(alice: User, hello: Json, changes: Json) -> None:
    answer = await edit(alice, match="*", **changes)

    assert code(answer) == (422, "invalid_request"), answer.text
    shown = (await alice.http.get("/agents/hello")).json()
    assert shown == hello


async def test_code_that_the_policy_refuses_makes_no_version(alice: User, hello: Json) -> None:
    answer = await edit(alice, code=REFUSED)

    assert code(answer) == (422, "code_rejected")
    assert answer.json()["errors"][0]["line"] == 1
    assert (await alice.http.get("/agents/hello")).json() == hello


@pytest.mark.usefixtures("hello")
async def test_of_changes_at_once_one_wins_and_the_others_are_told(alice: User) -> None:
    answers = await asyncio.gather(
        *(edit(alice, match='"v1"', code=f"def run(inputs):\n    return {n}\n") for n in range(6))
    )

    (won,) = [answer for answer in answers if answer.status_code == 200]
    assert {code(answer) for answer in answers if answer is not won} == {(412, "precondition_failed")}
    assert (await alice.http.get("/agents/hello")).json() == won.json()


@pytest.mark.usefixtures("hello")
async def test_changes_of_whatever_it_is_at_once_are_all_stored(alice: User) -> None:
    answers = await asyncio.gather(*(edit(alice, match="*", description=str(n)) for n in range(3)))

    assert [answer.status_code for answer in answers] == [200] * 3
    assert (await alice.http.get("/agents/hello")).json()["revision"] == 4


@pytest.mark.usefixtures("hello")
async def test_versions_are_listed_and_shown(alice: User) -> None:
    await edit(alice, code=TWO, tier="restricted")

    listed = (await alice.http.get("/agents/hello/versions")).json()
    page = (await alice.http.get("/agents/hello/versions", params={"limit": 1})).json()
    rest = (await alice.http.get("/agents/hello/versions", params={"cursor": page["next_cursor"]})).json()
    shown = (await alice.http.get("/agents/hello/versions/1")).json()

    assert [(item["version"], item["current"], item["asked_tier"]) for item in listed["items"]] == [
        (2, True, "restricted"),
        (1, False, "auto"),
    ]
    assert listed["items"][0]["code_sha256"] == hashlib.sha256(TWO.encode()).hexdigest()
    assert page["items"] + rest["items"] == listed["items"]
    assert (shown["code"], shown["inputs_schema"], shown["current"]) == (ONE, SCHEMA, False)
    assert {name: shown[name] for name in listed["items"][1]} == listed["items"][1]


@pytest.mark.usefixtures("hello")
@pytest.mark.parametrize("version", ["0", "2", "-1", "1.0", "one", "٣", "99999999999", "1e3"])
async def test_version_that_is_not_there_is_unknown(alice: User, version: str) -> None:
    shown = await alice.http.get(f"/agents/hello/versions/{version}")
    activated = await alice.http.post(f"/agents/hello/versions/{version}/activate", headers={"If-Match": "*"})

    assert code(shown) == code(activated) == (404, "unknown_version")


@pytest.mark.usefixtures("hello")
async def test_another_users_agent_looks_unknown(alice: User, bob: User) -> None:
    async def answers(agent_name: str) -> list[Json]:
        path = f"/agents/{agent_name}"
        found = [
            await bob.http.patch(path, json={"code": TWO}, headers={"If-Match": '"v1"'}),
            await bob.http.get(path, headers={"If-None-Match": '"v1"'}),
            await bob.http.get(f"{path}/versions"),
            await bob.http.get(f"{path}/versions/1"),
            await bob.http.post(f"{path}/versions/1/activate", headers={"If-Match": "*"}),
            await bob.http.post(f"{path}/check"),
        ]
        return [{**answer.json(), "instance": None} for answer in found]

    foreign, unknown = await answers("hello"), await answers("nobody-has-this")

    assert foreign == unknown
    assert {answer["code"] for answer in foreign} == {"unknown_agent"}
    assert await etag(alice) == '"v1"'


@pytest.mark.usefixtures("hello")
async def test_old_version_runs_as_it_did_after_a_rollback(alice: User) -> None:
    before = await alice.http.post(alice.path("hello"), json={"n": 3})
    await edit(alice, code=TWO, inputs_schema=None)
    between = await alice.http.post(alice.path("hello"), json={"n": 3, "free": "x"})
    rolled_back = await alice.http.post("/agents/hello/versions/1/activate", headers={"If-Match": await etag(alice)})
    after = await alice.http.post(alice.path("hello"), json={"n": 3})
    refused = await alice.http.post(alice.path("hello"), json={"n": 3, "free": "x"})

    assert (rolled_back.json()["version"], rolled_back.headers["etag"]) == (1, '"v3"')
    assert before.json() == after.json() == {"version": 1, "inputs": {"n": 3}}
    assert between.json() == {"version": 2, "inputs": {"n": 3, "free": "x"}}
    assert code(refused) == (422, "invalid_inputs")
    runs = [run["version"] for run in await alice.runs()]
    assert runs == [1, 2, 1]


@pytest.mark.usefixtures("hello")
async def test_new_version_answers_at_once_on_every_server(alice: User, alice_there: User) -> None:
    for user in (alice, alice_there):
        assert (await user.http.get(user.path("hello"), params={"n": "1"})).json()["version"] == 1

    for version, editor in ((2, alice), (3, alice_there), (4, alice)):
        changed = await edit(editor, code=ONE.replace("1", str(version), 1))
        assert changed.status_code == 200, changed.text
        for user in (alice_there, alice):
            answer = await user.http.get(user.path("hello"), params={"n": "1"})
            assert (answer.status_code, answer.json()["version"]) == (200, version)


@pytest.mark.usefixtures("hello")
async def test_every_run_is_of_the_version_that_it_records(alice: User, alice_there: User) -> None:
    await edit(alice, code=TWO)

    async def flip() -> None:
        for number in range(12):
            path = f"/agents/hello/versions/{1 + number % 2}/activate"
            assert (await alice.http.post(path, headers={"If-Match": "*"})).status_code == 200

    async def call(user: User) -> list[tuple[str, int]]:
        answers = [await user.http.get(user.path("hello"), params={"n": str(n)}) for n in range(12)]
        return [
            (answer.headers["glovebox-run-id"], answer.json()["version"])
            for answer in answers
            if answer.status_code != 409
        ]

    _, *seen = await asyncio.gather(flip(), call(alice), call(alice_there), call(alice_there))
    ran = {run["id"]: run["version"] for run in await alice.runs()}
    answered = dict(pair for pairs in seen for pair in pairs)
    assert len(answered) > 12
    assert {run_id: ran[run_id] for run_id in answered} == answered


async def test_names_of_subresources_are_never_taken_for_users(alice: User) -> None:
    for agent_name in ("versions", "check", "hello"):
        await alice.create(agent_name, ONE)

    assert (await alice.http.get("/agents/versions/versions")).json()["items"][0]["version"] == 1
    assert (await alice.http.get(alice.path("versions"))).json()["version"] == 1
    assert (await alice.http.post(alice.path("check"), json={})).json()["version"] == 1
    assert (await alice.http.post("/agents/check/check")).json()["passed"] is True


EXAMPLES = [
    {"inputs": {"n": 1}, "expect": {"n": 1.0, "list": [1, {"b": None, "a": True}]}},
    {"inputs": {"n": 2}, "expect": {"list": [1, {"a": 1, "b": None}], "n": 2}},
    {"inputs": {"n": 0}, "expect": 0},
]
CHECKED = """
def run(inputs, ctx):
    assert ctx.test
    1 / inputs["n"]
    return {"list": [1, {"a": True, "b": None}], "n": inputs["n"]}
"""


async def test_check_compares_each_example_and_charges_nothing(alice: User) -> None:
    await alice.create("checked", CHECKED, examples=EXAMPLES)
    balance = await alice.balance()

    answer = await alice.http.post("/agents/checked/check")

    report = answer.json()
    assert (answer.status_code, report["passed"], report["version"]) == (200, False, 1)
    assert [(result["index"], result["passed"], result["outcome"]) for result in report["results"]] == [
        (0, True, "succeeded"),
        (1, False, "succeeded"),
        (2, False, "failed"),
    ]
    assert report["results"][1]["got"] == {"list": [1, {"a": True, "b": None}], "n": 2}
    assert report["results"][1]["expected"] == EXAMPLES[1]["expect"]
    assert report["results"][2]["error"]["type"] == "ZeroDivisionError"
    assert await alice.balance() == balance
    runs = await alice.runs()
    assert [(run["id"], run["test"], run["charge_microcredits"]) for run in runs[::-1]] == [
        (result["run_id"], True, 0) for result in report["results"]
    ]


async def test_agent_without_examples_passes(alice: User, hello: Json) -> None:
    assert hello["examples"] == []
    assert (await alice.http.post("/agents/hello/check")).json() == {"version": 1, "passed": True, "results": []}


async def test_check_that_takes_too_long_says_which_examples_were_not_run(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    await alice.create("checked", CHECKED, examples=EXAMPLES)
    monkeypatch.setattr(example_runs, "CHECK_S_MAX", -1.0)

    report = (await alice.http.post("/agents/checked/check")).json()

    assert (report["passed"], len(report["results"])) == (False, 3)
    assert {(result["outcome"], result["run_id"], result["error"]["type"]) for result in report["results"]} == {
        (None, None, "not_run")
    }
    assert await alice.runs() == []


async def test_result_that_is_too_large_to_show_is_compared_all_the_same(alice: User) -> None:
    text = "x" * 100_000
    await alice.create(
        "large",
        "def run(inputs):\n    return 'x' * inputs['n']\n",
        examples=[{"inputs": {"n": 100_000}, "expect": text}, {"inputs": {"n": 100_001}, "expect": text}],
    )

    one, other = (await alice.http.post("/agents/large/check")).json()["results"]

    assert (one["passed"], one["got"]) == (True, text)
    assert (other["passed"], other["got"], other["outcome"]) == (False, None, "succeeded")
    assert len((await alice.http.get(f"/runs/{other['run_id']}")).json()["result"]) == 100_001


@pytest.mark.parametrize("schema", [None, {"type": "object", "required": ["other"]}])
async def test_check_of_an_agent_that_changes_meanwhile_is_about_no_version(alice: User, schema: Json | None) -> None:
    slow = "import time\ndef run(inputs):\n    time.sleep(0.3)\n    return 1\n"
    await alice.create("slow", slow, examples=[{"inputs": {"n": n}, "expect": 1} for n in range(4)])
    check = asyncio.create_task(alice.http.post("/agents/slow/check"))

    async def begun() -> bool:
        return bool(await alice.runs())

    await eventually(begun)
    changed = await edit(alice, "slow", match="*", code=slow + "#", inputs_schema=schema, examples=[])

    assert changed.status_code == 200, changed.text
    assert code(await check) == (409, "version_moved")


async def test_check_is_bounded_as_dry_runs_are(alice: User, server: RunningServer) -> None:
    await alice.create("checked", CHECKED, examples=EXAMPLES[:1])
    admission = server.services.admission
    taken = [admission.call(alice.id, dry=True) for _ in range(server.settings.user_dry_runs_live_max)]
    for call in taken:
        call.__enter__()
    try:
        answer = await alice.http.post("/agents/checked/check")
    finally:
        for call in taken:
            call.__exit__(None, None, None)

    assert code(answer) == (429, "too_many_runs")
    assert (await alice.http.post("/agents/checked/check")).json()["passed"] is True


@pytest.fixture
def glovebox(tmp_path: Path, server: RunningServer) -> Shell:
    return Shell(tmp_path, {"GLOVEBOX_URL": server.base_url, "GLOVEBOX_TOKEN": server.token_for(uuid4())})


def write(shell: Shell, name: str, text: str) -> Path:
    path = shell.home / name
    path.write_text(text)
    return path


def test_agent_is_edited_compared_and_rolled_back_from_the_command_line(glovebox: Shell) -> None:
    glovebox("agents", "create", "hello", "--file", write(glovebox, "one.py", ONE))
    (glovebox.home / "folder").mkdir()
    write(glovebox, "folder/agent.py", TWO)
    write(glovebox, "folder/agent.toml", 'description = "second"\n[limits]\nwall_ms_max = 2000\n')

    edited = glovebox("agents", "edit", "hello", "--file", glovebox.home / "folder")
    versions = glovebox("agents", "versions", "hello")
    diff = glovebox("agents", "diff", "hello")
    same = glovebox("agents", "diff", "hello", "1", "1")
    activated = glovebox("agents", "activate", "hello", "1")
    ran = glovebox("agents", "run", "hello", "n=1")
    shown = glovebox("agents", "show", "hello", "--json").object

    assert (edited.exit_code, edited.out.endswith("/hello\n")) == (0, True)
    assert "runs version 2" in edited.err
    assert [line.split("\t")[:4] for line in versions.out.splitlines()] == [
        ["VERSION", "CURRENT", "TIER", "ASKED"],
        ["2", "*", "monty", "auto"],
        ["1", "", "monty", "auto"],
    ]
    assert "-    return {'version': 1, 'inputs': inputs}\n+    return {'version': 2, 'inputs': inputs}\n" in diff.out
    assert '-    "wall_ms_max": 10000\n+    "wall_ms_max": 2000\n' in diff.out
    assert (same.out, same.exit_code) == ("", 0)
    assert activated.exit_code == 0
    assert ran.object["version"] == 1
    assert (shown["version"], shown["revision"], shown["description"]) == (1, 3, "second")


def test_commands_on_versions_that_are_not_there_say_so(glovebox: Shell) -> None:
    glovebox("agents", "create", "hello", "--file", write(glovebox, "one.py", ONE))

    first = glovebox("agents", "diff", "hello")
    unknown = glovebox("agents", "diff", "hello", "1", "9")
    activated = glovebox("agents", "activate", "hello", "9")
    nobody = glovebox("agents", "versions", "nobody")

    assert (first.exit_code, "its first" in first.err) == (1, True)
    assert unknown.exit_code == activated.exit_code == nobody.exit_code == 4
    assert "[unknown_version]" in activated.err


def test_check_exits_by_what_the_examples_said(glovebox: Shell) -> None:
    (glovebox.home / "folder").mkdir()
    write(glovebox, "folder/agent.py", CHECKED)
    write(glovebox, "folder/examples.jsonl", "\n".join(json.dumps(example) for example in EXAMPLES))
    glovebox("agents", "create", "checked", "--file", glovebox.home / "folder")
    failing = glovebox("agents", "check", "checked")
    as_json = glovebox("agents", "check", "checked", "--json")
    write(glovebox, "folder/examples.jsonl", json.dumps(EXAMPLES[0]))
    glovebox("agents", "edit", "checked", "--file", glovebox.home / "folder")
    passing = glovebox("agents", "check", "checked")

    assert failing.exit_code == as_json.exit_code == 1
    assert failing.out.splitlines() == [
        "example 0: passed",
        "example 1: another result",
        "example 2: failed",
    ]
    assert "ZeroDivisionError" in failing.err
    assert as_json.object["passed"] is False
    assert (passing.exit_code, "1 of 1 examples" in passing.err) == (0, True)
