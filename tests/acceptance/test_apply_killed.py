"""A server that is killed at each step of an apply: the next apply goes on, and nothing was done twice or left out."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.acceptance.processes import Caller, Process, server_process
from tests.acceptance.running import Json, eventually
from tests.support.database import Database
from tests.support.http_server import Served, answering, http_server

DYING = ("-m", "tests.support.dying_apply")
# Two calls each of claim_effect and conclude_effect, three of apply_memory, one each of begin_apply, reserve_file,
# apply_file and finish; before and after each.
STEPS = range(1, 2 * (2 + 2 + 3 + 4) + 1)
SOME_STEPS = (2, 6, 7, 10, 14, 22)
CODE = """
def run(inputs, ctx):
    url = inputs["url"] + "/" + inputs["name"]
    ctx.memory.put("first", 1)
    ctx.fetch(url + "/one", method="POST", json={"n": 1})
    ctx.memory.put("second", 2)
    ctx.files.write("report.txt", "done")
    ctx.fetch(url + "/two", method="PUT", data="two")
    ctx.memory.delete("old")
    return "done"
"""
MOCKS = [{"glove": "fetch", "answer": {"status": 200}}]


@pytest.fixture
async def site() -> AsyncIterator[Served]:
    async with http_server(answering(b"ok")) as served:
        yield served


def options(tmp_path: Path) -> dict[str, Any]:
    return {
        "GLOVEBOX_TIERS": '["monty"]',
        "GLOVEBOX_FETCH_PRIVATE_HOSTS": '["127.0.0.1"]',
        "GLOVEBOX_FILES_DIR": str(tmp_path / "files"),
        "GLOVEBOX_SHUTDOWN_GRACE_S": "0",
    }


async def dry_run_at(http: httpx.AsyncClient, caller: Caller, name: str, site: Served) -> str:
    origin = site.url("").rstrip("/")
    made = await http.post("/agents", json={"agent_name": name, "code": CODE, "allowed_hosts": [origin]})
    assert made.status_code == 201, made.text
    await http.put(f"/agents/{name}/memory/old", json={"value": 0})
    body = {"inputs": {"url": origin, "name": name}, "mocks": MOCKS}
    dry = await http.post(f"{caller.path(name)}/dry-runs", json=body)
    assert dry.json()["complete"], dry.text
    run_id: str = dry.headers["glovebox-run-id"]
    return run_id


async def killed_at(process: Process, caller: Caller, site: Served, armed: Path, name: str) -> str:
    """A dry run whose apply killed its server."""
    async with caller.at(process) as http:
        run_id = await dry_run_at(http, caller, name, site)
        armed.write_text("")  # noqa: ASYNC240 - a file of nothing
        with pytest.raises(httpx.TransportError):
            await http.post(f"/runs/{run_id}/apply")
        await asyncio.to_thread(process.popen.wait, 30)
    return run_id


async def applied(http: httpx.AsyncClient, run_id: str) -> Json:
    """The next apply of a dry run, once the dead one was reaped."""

    async def look() -> Json | None:
        answer = await http.post(f"/runs/{run_id}/apply")
        return None if answer.status_code == 409 and answer.json()["code"] == "apply_live" else answer.json()

    return await eventually(look)


async def check(http: httpx.AsyncClient, site: Served, name: str, report: Json) -> None:
    """Everything was done once; a request that may have been sent or not was not sent again."""
    assert report["complete"], report
    assert [effect["glove"] for effect in report["effects"]] == [
        "memory.put", "fetch", "memory.put", "files.write", "fetch", "memory.delete"
    ], report  # fmt: skip
    sent = {request.target: request for request in site.requests if request.target.startswith(f"/{name}/")}
    assert len(sent) == len([request for request in site.requests if request.target.startswith(f"/{name}/")])
    for effect in report["effects"]:
        if effect["glove"] == "fetch" and effect["status"] == "performed":
            assert effect["request"]["url"].endswith(tuple(sent)), effect
        else:
            assert effect["status"] == ("unknown" if effect["glove"] == "fetch" else "performed"), effect
    assert len([effect for effect in report["effects"] if effect["status"] == "unknown"]) <= 1
    kept = {
        key: (await http.get(f"/agents/{name}/memory/{key}")).json().get("value") for key in ("first", "second", "old")
    }
    assert kept == {"first": 1, "second": 2, "old": None}


async def files_of(http: httpx.AsyncClient, name: str) -> list[str]:
    runs = (await http.get("/runs", params={"agent_name": name, "limit": 100})).json()["items"]
    found = [(await http.get(f"/runs/{run['id']}/files")).json()["items"] for run in runs]
    return [(await http.get(file["url"])).text for files in found for file in files]


async def _kill_at(steps: Sequence[int], database: Database, tmp_path: Path, site: Served) -> None:
    caller = Caller.new()
    runs: dict[str, str] = {}
    for step in steps:
        armed = tmp_path / f"armed-{step}"
        with server_process(database, tmp_path, *DYING, str(step), str(armed), **options(tmp_path)) as process:
            runs[f"step{step}"] = await killed_at(process, caller, site, armed, f"step{step}")
    with psycopg.connect(database.superuser_url) as conn:
        conn.execute("update public.server_leases set expires_at = now()")  # what 15 s of silence do
    with server_process(database, tmp_path, **options(tmp_path)) as process:
        async with caller.at(process) as http:
            for name, run_id in runs.items():
                report = await applied(http, run_id)
                await check(http, site, name, report)
                assert await files_of(http, name) == ["done"]
                again = await applied(http, run_id)
                assert (again["run_id"], again["effects"]) == (None, report["effects"])
            assert (await http.get("/credits")).json()["held_microcredits"] == 0


async def test_apply_that_was_killed_at_a_step_is_gone_on_with(
    database: Database, tmp_path: Path, site: Served
) -> None:
    await _kill_at(SOME_STEPS, database, tmp_path, site)


@pytest.mark.long
async def test_apply_that_was_killed_at_any_step_is_gone_on_with(
    database: Database, tmp_path: Path, site: Served
) -> None:
    await _kill_at(STEPS, database, tmp_path, site)
