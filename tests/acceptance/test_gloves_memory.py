"""What agents remember, keep secret and leave behind, over HTTP: for their owner, within bounds, and gone with them."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.acceptance.running import Json, RunningServer, User, eventually
from tests.acceptance.worn import dry_run, glove_server, user_of

ECHO = "def run(inputs):\n    return inputs\n"
WRITES = """
def run(inputs, ctx):
    ctx.files.write("first.csv", "a,b\\n", media_type="text/csv")
    ctx.files.write("first.csv", "a,b\\n1,2\\n", media_type="text/csv")
    return ctx.files.write("page.html", b"<script>alert(1)</script>", "text/html")
"""


@pytest.fixture(scope="module")
def worn() -> Iterator[RunningServer]:
    with glove_server() as started:
        yield started


@pytest.fixture
async def user(worn: RunningServer) -> AsyncIterator[User]:
    async with user_of(worn) as made:
        await made.create("echo", ECHO)
        yield made


async def test_memory_is_put_shown_listed_and_forgotten(user: User) -> None:
    value = {"z": 1.50, "a": [None, "ü\U0001f600", 10**30]}
    put = await user.http.put("/agents/echo/memory/a/b c", json={"value": value, "tags": ["t"], "importance": 1})
    shown = await user.http.get("/agents/echo/memory/a/b%20c")

    assert put.status_code == 200, put.text
    assert shown.json() == put.json()
    assert (shown.json()["key"], shown.json()["value"], shown.json()["tags"]) == ("a/b c", value, ["t"])
    assert list(shown.json()["value"]) == ["z", "a"]
    assert (await user.http.delete("/agents/echo/memory/a/b%20c")).status_code == 204
    for gone in (await user.http.get("/agents/echo/memory/a/b%20c"), await user.http.delete("/agents/echo/memory/x")):
        assert (gone.status_code, gone.json()["code"]) == (404, "unknown_memory")


async def test_keys_come_in_pages(user: User) -> None:
    keys = sorted([f"k/{number:02}" for number in range(7)] + ["ä", "other"], key=str.encode)
    for key in keys:
        await user.http.put(f"/agents/echo/memory/{key}", json={"value": 1})

    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await user.http.get("/agents/echo/memory", params=params)).json()
        seen += [item["key"] for item in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    found = (await user.http.get("/agents/echo/memory", params={"prefix": "k/", "limit": "100"})).json()

    assert seen == keys
    assert [item["key"] for item in found["items"]] == keys[:7]
    for wrong in ("x", "", "YQ==", "AA"):
        answer = await user.http.get("/agents/echo/memory", params={"cursor": wrong})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"value": "x" * 65_536},
        {"value": 1, "tags": ["t"] * 17},
        {"value": 1, "tags": "t"},
        {"value": 1, "importance": 2},
        {"value": 1, "key": "other"},
        {"value": "\0"},
    ],
)
async def test_what_cannot_be_remembered_is_refused(user: User, body: Json) -> None:
    answer = await user.http.put("/agents/echo/memory/k", json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert (await user.http.get("/agents/echo/memory")).json()["items"] == []


async def test_program_and_owner_see_the_same_memory(user: User) -> None:
    code = (
        'def run(inputs, ctx):\n    ctx.memory.put("n", ctx.memory.get("n", 0) + 1)\n    return ctx.memory.get("n")\n'
    )
    await user.create("counts", code)
    await user.http.put("/agents/counts/memory/n", json={"value": 41})

    answer = await user.http.post(user.path("counts"), json={})

    assert answer.json() == 42
    assert (await user.http.get("/agents/counts/memory/n")).json()["value"] == 42
    (effect, *_rest) = (await user.http.get(f"/runs/{answer.headers['glovebox-run-id']}/effects")).json()["items"]
    assert (effect["glove"], effect["response"]) == ("memory.get", {"found": True, "value": 41})


async def test_effects_come_in_pages_in_order(user: User) -> None:
    await user.create("many", 'def run(inputs, ctx):\n    for n in range(5):\n        ctx.memory.put(f"k{n}", n)\n')
    run_id = (await user.http.post(user.path("many"), json={})).headers["glovebox-run-id"]

    first = (await user.http.get(f"/runs/{run_id}/effects", params={"limit": "3"})).json()
    rest = await user.http.get(f"/runs/{run_id}/effects", params={"limit": "3", "cursor": first["next_cursor"]})

    assert [effect["seq"] for effect in first["items"] + rest.json()["items"]] == [1, 2, 3, 4, 5]
    assert {effect["status"] for effect in first["items"]} == {"performed"}
    assert rest.json()["next_cursor"] is None


async def test_secret_is_written_listed_and_never_shown(user: User) -> None:
    body = {"value": "s3cr3t-value", "hosts": ["API.example.com", "*.example.org", "http://127.0.0.1:8080"]}
    put = await user.http.put("/agents/echo/secrets/TOKEN", json=body)
    again = await user.http.put("/agents/echo/secrets/TOKEN", json={**body, "hosts": ["b.example"]})
    listed = await user.http.get("/agents/echo/secrets")

    assert put.json()["hosts"] == ["api.example.com", "*.example.org", "http://127.0.0.1:8080"]
    assert listed.json() == {"items": [again.json()], "next_cursor": None}
    assert set(again.json()) == {"name", "hosts", "created_at", "updated_at"}
    assert (await user.http.get("/agents/echo/secrets/TOKEN")).status_code == 405
    assert "s3cr3t-value" not in put.text + again.text + listed.text
    assert (await user.http.delete("/agents/echo/secrets/TOKEN")).status_code == 204
    gone = await user.http.delete("/agents/echo/secrets/TOKEN")
    assert (gone.status_code, gone.json()["code"]) == (404, "unknown_secret")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("1X", {"value": "s3cr3t-value", "hosts": ["a.example"]}),
        ("TOKEN", {"value": "", "hosts": ["a.example"]}),
        ("TOKEN", {"value": "s3cr3t7", "hosts": ["a.example"]}),
        ("TOKEN", {"value": "s3cr3t" * 2_000, "hosts": ["a.example"]}),
        ("TOKEN", {"value": ["s3cr3t-value"], "hosts": ["a.example"]}),
        ("TOKEN", {"value": "s3cr3t-value", "hosts": []}),
        ("TOKEN", {"value": "s3cr3t-value", "hosts": ["https://a.example/path"]}),
        ("TOKEN", {"value": "s3cr3t-value", "hosts": ["*"]}),
        ("TOKEN", {"value": "s3cr3t-value"}),
        ("TOKEN", {"value": "s3cr3t-value", "hosts": ["a.example"], "s3cr3t": 1}),
    ],
)
async def test_what_is_no_secret_is_refused_without_repeating_it(user: User, name: str, body: Json) -> None:
    answer = await user.http.put(f"/agents/echo/secrets/{name}", json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert "s3cr3ts3cr3t" not in answer.text
    assert not any(f'"{value}"' in answer.text for value in ("s3cr3t", "s3cr3t7", "s3cr3t-value"))
    assert (await user.http.get("/agents/echo/secrets")).json()["items"] == []


async def test_files_are_listed_and_downloaded_as_attachments(user: User) -> None:
    await user.create("writes", WRITES)
    answer = await user.http.post(user.path("writes"), json={})
    run_id = answer.headers["glovebox-run-id"]

    listed = (await user.http.get(f"/runs/{run_id}/files")).json()["items"]
    page = await user.http.get(listed[1]["url"])

    assert answer.json() == {"name": "page.html", "size_bytes": 25}
    assert [(file["name"], file["media_type"], file["size_bytes"]) for file in listed] == [
        ("first.csv", "text/csv", 8),
        ("page.html", "text/html", 25),
    ]
    assert (await user.http.get(listed[0]["url"])).text == "a,b\n1,2\n"
    assert page.headers["content-disposition"].startswith('attachment; filename="page.html"')
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "private, no-store"
    for name in ("nothing", "..%2Fpage.html", "%00"):
        gone = await user.http.get(f"/runs/{run_id}/files/{name}")
        assert gone.status_code == 404


async def test_dry_run_leaves_no_file_and_lists_what_it_would(user: User) -> None:
    await user.create("writes", WRITES)

    dry = await dry_run(user, "writes", {})

    assert [effect["status"] for effect in dry["effects"]] == ["withheld"] * 3
    assert dry["effects"][1]["request"] == {
        "name": "first.csv",
        "media_type": "text/csv",
        "size_bytes": 8,
        "sha256": hashlib.sha256(b"a,b\n1,2\n").hexdigest(),
    }
    assert (await user.http.get(f"/runs/{dry['run_id']}/files")).json()["items"] == []
    shown = (await user.http.get(f"/runs/{dry['run_id']}/effects")).text
    assert "base64" not in shown


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        ('ctx.files.write("../x", "")', "ValueError"),
        ('ctx.files.write("", "")', "ValueError"),
        ('ctx.files.write("x" * 129, "")', "ValueError"),
        ('ctx.files.write("x", "", "no type")', "ValueError"),
        ('ctx.files.write("x", "", "text/html\\r\\nX: 1")', "ValueError"),
        ('ctx.files.write("x", "y" * (1024 * 1024 + 1))', "ValueError"),
        ('[ctx.files.write(f"{n}", "") for n in range(33)]', "RuntimeError"),
    ],
)
@pytest.mark.parametrize("test", [False, True])
async def test_what_is_no_file_is_an_exception(user: User, call: str, fault: str, test: bool) -> None:
    code = f"def run(inputs, ctx):\n    try:\n        {call}\n    except {fault}:\n        return 'refused'\n"
    await user.create("refused", code)

    answer = await user.http.post(user.path("refused"), json={}, params={"test": "1"} if test else {})

    result = answer.json()["result"] if test else answer.json()
    assert result == "refused", answer.text


async def test_export_has_everything_and_erasing_leaves_nothing(worn: RunningServer) -> None:
    async with user_of(worn) as user:
        await user.create("writes", WRITES)
        await user.http.put('/agents/writes/memory/k,("x")', json={"value": {"deep": ["r3m3mb3r3d"]}})
        await user.http.put("/agents/writes/secrets/TOKEN", json={"value": "s3cr3t-value", "hosts": ["a.example"]})
        await user.http.post(user.path("writes"), json={})
        exported = await user.http.get("/account/export")
        lines = [json.loads(line) for line in exported.text.splitlines()]
        erased = await user.http.delete("/account", headers={"Glovebox-Confirm": str(user.id)})

        of = {kind: [line for line in lines if line["type"] == kind] for kind in ("memory", "secret", "file", "effect")}
        assert [line["value"] for line in of["memory"]] == [{"deep": ["r3m3mb3r3d"]}]
        assert [(line["name"], line["hosts"]) for line in of["secret"]] == [("TOKEN", ["a.example"])]
        assert base64.b64decode(of["file"][0]["base64"]) == b"a,b\n1,2\n"
        assert len(of["effect"]) == 3
        assert "s3cr3t-value" not in exported.text
        assert erased.status_code == 204, erased.text

        async def removed() -> bool:
            return not (worn.settings.data_dir / "files" / str(user.id)).exists()

        assert (worn.settings.data_dir / "files").exists()
        await eventually(removed)


async def test_stored_bytes_of_files_are_private(worn: RunningServer, user: User) -> None:
    await user.create("writes", WRITES)
    await user.http.post(user.path("writes"), json={})

    kept: list[Path] = list((worn.settings.data_dir / "files").rglob("*"))
    assert kept
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept)
