"""Signals to a server under load: those that ask it to stop end every run well or free, the others change nothing."""

import asyncio
import signal
import subprocess
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.acceptance.processes import Caller, Process, server_process
from tests.acceptance.running import eventually
from tests.acceptance.shell import COMMAND_S_MAX
from tests.faults.afterwards import assert_ended, below, tell_books, tell_callers
from tests.faults.load import Answers, create_agents
from tests.faults.matrix import NewRow
from tests.support.database import Database

GRACE_S = 2
CLIENTS = 6
NAPS_S = (0.5, 20)  # one that ends within the grace, one that does not
NAP = "import time\ndef run(inputs):\n    time.sleep(inputs['seconds'])\n    return 1"
LONG = {"wall_ms_max": 30_000}
IGNORED = (signal.SIGPIPE, signal.SIGCHLD, signal.SIGWINCH, signal.SIGCONT, signal.SIGURG)


async def call_until_refused(server: Process, user: Caller, answers: Answers) -> None:
    """Call without a pause until the server is no longer there to be called."""
    async with user.at(server) as client:
        while True:
            try:
                answers.take(await client.post(user.path("echo"), json={}))
            except (httpx.ConnectError, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
                return


async def begun(database: Database, naps: int) -> bool:
    def live() -> int:
        with psycopg.connect(database.superuser_url) as conn:
            found = conn.execute(
                "select count(*) from public.runs where outcome is null and agent_name = 'nap'"
            ).fetchone()
            assert found is not None
            return int(found[0])

    return await asyncio.to_thread(live) == naps


def leases_left(database: Database) -> int:
    with psycopg.connect(database.superuser_url) as conn:
        found = conn.execute("select count(*) from public.server_leases").fetchone()
        assert found is not None
        return int(found[0])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
async def test_server_that_is_told_to_stop_under_load_sees_its_runs_to_an_end(
    number: signal.Signals, database: Database, tmp_path: Path, temporary: Path, new_row: NewRow
) -> None:
    row = new_row(
        "Server",
        f"{number.name} under load, grace {GRACE_S} s",
        "200, 503 or `lost` free; exit status 0; lease given up",
    )
    user, answers = Caller.new(), Answers()
    variables = {"TMPDIR": str(temporary), "GLOVEBOX_SHUTDOWN_GRACE_S": str(GRACE_S)}
    with server_process(database, tmp_path, log=tmp_path / "log", **variables) as server:
        await create_agents(server, [user])
        async with user.at(server) as client, asyncio.TaskGroup() as group:
            body = {"agent_name": "nap", "code": NAP, "limits": LONG}
            assert (await client.post("/agents", json=body)).status_code == 201
            for _ in range(CLIENTS):
                group.create_task(call_until_refused(server, user, answers))
            naps = [asyncio.ensure_future(client.post(user.path("nap"), json={"seconds": s})) for s in NAPS_S]
            await eventually(lambda: begun(database, len(naps)))
            await eventually(answers.some)
            family = below(server.popen.pid)
            started = asyncio.get_running_loop().time()
            server.signal(number)
            short, long = await asyncio.gather(*naps)
            status = await asyncio.to_thread(server.popen.wait, COMMAND_S_MAX)
            took_s = asyncio.get_running_loop().time() - started

    assert status == 0
    answers.assert_only_refused_kindly()
    assert (short.status_code, long.status_code, long.json()["code"]) == (200, 503, "lost")
    await tell_books(row, database)
    assert leases_left(database) == 0
    await assert_ended(family)
    assert not files_in(temporary)
    tell_callers(row, answers)
    row.left, row.back_after = "nothing: 0 processes, 0 files, 0 leases", f"ended after {took_s:.1f} s"


def files_in(directory: Path) -> list[Path]:
    return list(directory.rglob("*"))


async def test_signals_that_ask_for_nothing_change_nothing(database: Database, tmp_path: Path) -> None:
    user = Caller.new()
    with server_process(database, tmp_path, log=tmp_path / "log") as server:
        await create_agents(server, [user])
        async with user.at(server) as client:
            for number in IGNORED:
                server.signal(number)
                assert (await client.get(user.path("echo"))).status_code == 200
        with pytest.raises(subprocess.TimeoutExpired):
            server.popen.wait(0)
