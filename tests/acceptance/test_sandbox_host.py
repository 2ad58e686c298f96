"""`glovebox sandbox-host`: servers whose programs run in another process, which may go away and come back."""

import asyncio
import json
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.acceptance.processes import GRANT_MICROCREDITS, Caller, Process, server_process
from tests.acceptance.running import eventually
from tests.acceptance.shell import COMMAND_S_MAX, START_S_MAX, Shell
from tests.support.database import Database
from tests.support.processes import children_of

NAP = """
import time
def run(inputs):
    print("sleeps")
    time.sleep(float(inputs["seconds"]))
    return {"slept": True}
"""
TIERS = '["restricted"]'


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    quiet = {"GLOVEBOX_TIERS": TIERS, "GLOVEBOX_SANDBOX_POOL_SIZE": "2", "GLOVEBOX_SHUTDOWN_GRACE_S": "1"}
    return Shell(tmp_path, quiet)


@pytest.fixture
def socket_path(tmp_path: Path) -> Path:
    return tmp_path / "sandbox.sock"


@contextmanager
def hosting(shell: Shell, socket_path: Path) -> Iterator["subprocess.Popen[str]"]:
    process = shell.start("sandbox-host", "--socket", socket_path, stdout=subprocess.DEVNULL)
    try:
        await_listening(process)
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=COMMAND_S_MAX)


def await_listening(process: "subprocess.Popen[str]") -> None:
    assert process.stderr is not None
    deadline = time.monotonic() + START_S_MAX
    while not select.select([process.stderr], [], [], 0.5)[0]:
        assert time.monotonic() < deadline
    line = process.stderr.readline()
    assert line.startswith("sandbox host listens on "), line + (process.stderr.read() if process.poll() else "")


@contextmanager
def serving(database: Database, home: Path, socket_path: Path) -> Iterator[Process]:
    with server_process(database, home, GLOVEBOX_SANDBOX_SOCKET=str(socket_path), GLOVEBOX_TIERS=TIERS) as process:
        yield process


async def created(client: httpx.AsyncClient) -> None:
    answer = await client.post("/agents", json={"agent_name": "nap", "code": NAP})
    assert answer.status_code == 201, answer.text


async def ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/health/ready")).status_code == 200


async def not_ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/health/ready")).status_code == 503


async def test_two_servers_share_one_host_and_hold_no_sandbox_of_their_own(
    shell: Shell, database: Database, tmp_path: Path, socket_path: Path
) -> None:
    user = Caller.new()
    with (
        hosting(shell, socket_path) as host,
        serving(database, tmp_path, socket_path) as first,
        serving(database, tmp_path, socket_path) as second,
    ):
        async with user.at(first) as here, user.at(second) as there:
            await created(here)
            answers = [await client.get(user.path("nap"), params={"seconds": 0}) for client in (here, there)]
            refused = await here.post("/agents", json={"agent_name": "bad", "code": "import os\ndef run(): pass"})
            run = (await there.get(f"/runs/{answers[0].headers['glovebox-run-id']}")).json()
            metrics = (await here.get("/metrics")).text

        assert [answer.json() for answer in answers] == [{"slept": True}] * 2
        assert refused.json()["code"] == "code_rejected"
        assert run["wall"] in ("full", "minimum")
        assert not children_of(first.popen.pid, zombies=True) + children_of(second.popen.pid, zombies=True)
        assert children_of(host.pid)
        assert 'glovebox_sandbox_children{state="ready",tier="restricted"}' in metrics


async def test_host_that_is_killed_loses_its_runs_and_its_successor_serves(
    shell: Shell, database: Database, tmp_path: Path, socket_path: Path
) -> None:
    user = Caller.new()
    with hosting(shell, socket_path) as host, serving(database, tmp_path, socket_path) as server:
        async with user.at(server) as client:
            await created(client)
            calls = [asyncio.create_task(client.get(user.path("nap"), params={"seconds": 8})) for _ in range(3)]

            async def sleeping() -> bool:
                runs = (await client.get("/runs", params={"state": "executing"})).json()["items"]
                return len(runs) == 3 and bool((await client.get("/credits")).json()["held_microcredits"])

            await eventually(sleeping)
            await asyncio.sleep(0.2)
            host.send_signal(signal.SIGKILL)
            lost = [await call for call in calls]
            await eventually(lambda: not_ready(client))
            refused = await client.get(user.path("nap"), params={"seconds": 0})
            balance = (await client.get("/credits")).json()
            await asyncio.to_thread(host.wait, COMMAND_S_MAX)
            with hosting(shell, socket_path):
                await eventually(lambda: ready(client))
                again = await client.get(user.path("nap"), params={"seconds": 0})

    assert [(answer.status_code, answer.json()["code"]) for answer in lost] == [(503, "lost")] * 3
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) >= 1
    assert balance == {"available_microcredits": GRANT_MICROCREDITS, "held_microcredits": 0}
    assert again.json() == {"slept": True}


async def test_server_that_starts_first_waits_for_its_host(
    shell: Shell, database: Database, tmp_path: Path, socket_path: Path
) -> None:
    user = Caller.new()
    with serving(database, tmp_path, socket_path) as server:
        async with user.at(server) as client:
            assert await not_ready(client)
            refused = await client.post("/agents", json={"agent_name": "nap", "code": NAP})
            with hosting(shell, socket_path):
                await eventually(lambda: ready(client))
                await created(client)

    assert refused.status_code == 503
    assert str(socket_path) not in refused.text


async def test_cancelled_run_and_killed_server_free_the_host(
    shell: Shell, database: Database, tmp_path: Path, socket_path: Path
) -> None:
    user = Caller.new()
    with hosting(shell, socket_path), serving(database, tmp_path, socket_path) as witness:
        async with user.at(witness) as client:

            async def live(count: int) -> bool:
                text = (await client.get("/metrics")).text
                return f'glovebox_sandbox_children{{state="live",tier="restricted"}} {count}.0' in text

            await created(client)
            with serving(database, tmp_path, socket_path) as server:
                async with user.at(server) as other:
                    napping = {"Prefer": "respond-async"}
                    begun = await other.get(user.path("nap"), params={"seconds": 9}, headers=napping)
                    await other.get(user.path("nap"), params={"seconds": 9}, headers=napping)
                    await eventually(lambda: live(2))
                    await other.post(f"/runs/{begun.json()['id']}/cancel")
                    await eventually(lambda: live(1))
                    server.signal(signal.SIGKILL)
                    await eventually(lambda: live(0))


def test_host_stops_in_good_order_and_leaves_nothing(shell: Shell, socket_path: Path) -> None:
    with hosting(shell, socket_path) as host:
        children = children_of(host.pid)
        second = shell("sandbox-host", "--socket", socket_path)
        host.terminate()
        host.wait(COMMAND_S_MAX)

    assert host.returncode == 0
    assert not socket_path.exists()
    assert not [child for child in children if Path(f"/proc/{child}").exists()]
    assert second.exit_code == 1
    assert "another sandbox host serves" in second.err


def test_host_without_a_socket_says_what_to_give(shell: Shell) -> None:
    done = shell("sandbox-host")

    assert done.exit_code == 1
    assert "GLOVEBOX_SANDBOX_SOCKET" in done.err


def test_doctor_asks_the_host_that_the_server_would_use(shell: Shell, socket_path: Path) -> None:
    shell = shell.with_(GLOVEBOX_SANDBOX_SOCKET=str(socket_path))

    def finding() -> dict[str, str]:
        findings = json.loads(shell("doctor", "--json").out)["findings"]
        return next(found for found in findings if found["check"] == "tier restricted")

    absent = finding()
    with hosting(shell, socket_path):
        present = finding()

    assert (absent["level"], present["level"] in ("ok", "warn")) == ("fail", True)
    assert "glovebox sandbox-host" in absent["detail"]
