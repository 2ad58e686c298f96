"""A server that is killed in the middle of runs: another one ends them, releases their holds, and the sums agree."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.acceptance.running import Json, eventually, reachable_directory
from tests.acceptance.shell import COMMAND_S_MAX, Shell, serving
from tests.faults.afterwards import assert_ended
from tests.support.processes import command_of, descendants_of

GRANT = 10_000_000
FINAL = {"completed", "failed", "cancelled"}
BUSY = """
import time
def run(inputs):
    time.sleep(0.4)
    return 1
"""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path, {})


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with reachable_directory() as path:
        yield path


async def all_entries(client: httpx.AsyncClient) -> list[Json]:
    entries: list[Json] = []
    cursor = None
    while True:
        page = (
            await client.get("/credits/entries", params={"limit": 100} | ({"cursor": cursor} if cursor else {}))
        ).json()
        entries += page["items"]
        if (cursor := page["next_cursor"]) is None:
            return entries


async def all_runs(client: httpx.AsyncClient) -> list[Json]:
    page = (await client.get("/runs", params={"limit": 100})).json()
    assert page["next_cursor"] is None
    runs: list[Json] = page["items"]
    return runs


def client_of(url: str, token: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60)


async def call_until_killed(client: httpx.AsyncClient, path: str) -> int | None:
    try:
        return (await client.get(path)).status_code
    except httpx.TransportError:  # the server died under this call
        return None


async def test_kill_in_the_middle_loses_and_doubles_nothing(shell: Shell, data_dir: Path) -> None:
    user_id = str(uuid4())
    with serving(shell, data_dir) as (process, url):
        token = shell("token", "--user", user_id, "--data-dir", data_dir).out.strip()
        async with client_of(url, token) as client:
            created = await client.post("/agents", json={"agent_name": "busy", "code": BUSY})
            assert created.status_code == 201, created.text
            path = f"/agents/{user_id}/busy"
            first = await client.get(path)
            calls = [asyncio.create_task(call_until_killed(client, path)) for _ in range(40)]

            async def held() -> bool:
                return bool((await client.get("/credits")).json()["held_microcredits"] > 0)

            await eventually(held)
            process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(process.wait, COMMAND_S_MAX)
            statuses = await asyncio.gather(*calls)
    assert None in statuses

    with serving(shell, data_dir) as (_, url):
        async with client_of(url, token) as client:

            async def released() -> bool:
                return bool((await client.get("/credits")).json()["held_microcredits"] == 0)

            await asyncio.wait_for(eventually(released), 30)
            runs, entries = await all_runs(client), await all_entries(client)
            balance = (await client.get("/credits")).json()
            after = await client.get(path)

    lost = [run for run in runs if run["reason"] == "lost"]
    assert lost
    assert {run["state"] for run in runs} <= FINAL
    assert all(run["charge_microcredits"] == 0 for run in lost)
    charged = sum(run["charge_microcredits"] for run in runs)
    assert charged >= int(first.headers["glovebox-charge"]) > 0
    assert balance == {"available_microcredits": GRANT - charged, "held_microcredits": 0}
    assert sum(entry["available_delta_microcredits"] for entry in entries) == GRANT - charged
    assert sum(entry["held_delta_microcredits"] for entry in entries) == 0
    assert len([entry for entry in entries if entry["kind"] == "hold"]) == len(runs)
    assert after.status_code == 200


def test_no_sandbox_outlives_its_killed_server(shell: Shell, data_dir: Path) -> None:
    with serving(shell, data_dir) as (process, _):
        sandboxes = [pid for pid in descendants_of(process.pid) if "sandbox.guest" in " ".join(command_of(pid))]
        assert any("sandbox.guest.zygote" in command_of(pid) for pid in sandboxes)

        process.send_signal(signal.SIGKILL)
        process.wait(COMMAND_S_MAX)

    asyncio.run(assert_ended(set(sandboxes)))
