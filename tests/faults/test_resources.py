"""A server that gets no descriptor or no process for a while: refused kindly, and well again by itself."""

import asyncio
import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.acceptance.processes import Caller, Process, server_process
from tests.acceptance.running import eventually
from tests.faults.afterwards import Possessions, below, tell_books, tell_callers, tell_nothing_left, tell_recovery
from tests.faults.load import calling, create_agents
from tests.faults.matrix import NewRow
from tests.support.database import Database

AWAY_S = 1.0
PIDS = Path("/sys/fs/cgroup/pids")
KNOCKS = 5


@contextmanager
def no_descriptors(server: Process) -> Iterator[None]:
    """None above those that the server has now (EMFILE)."""
    pid = server.popen.pid
    files, before = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()), resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (files, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


@contextmanager
def no_processes(server: Process) -> Iterator[None]:
    """None above those that the server and all below it have now (EAGAIN), by a group of the pids controller."""
    group = PIDS / f"glovebox-test-{uuid4()}"
    try:
        group.mkdir()
    except OSError:
        if os.environ.get("CI"):  # noqa: TID251 - whether a test may skip is not a setting of the product
            pytest.fail("CI has no pids controller that a test may use")
        pytest.skip("no pids controller that a test may use")
    family = {server.popen.pid} | below(server.popen.pid)
    try:
        for pid in family:
            (group / "cgroup.procs").write_text(str(pid))
        (group / "pids.max").write_text((group / "pids.current").read_text())
        yield
    finally:
        (group / "pids.max").write_text("max")
        for member in (group / "cgroup.procs").read_text().split():
            (PIDS / "cgroup.procs").write_text(member)
        group.rmdir()


FAULTS: dict[str, Callable[[Process], AbstractContextManager[None]]] = {
    "descriptors": no_descriptors,
    "processes": no_processes,
}


async def knock(server: Process, user: Caller) -> int:
    """How many newcomers, each on a connection of its own, were answered well."""
    well = 0
    for _ in range(KNOCKS):
        async with user.at(server) as client:
            with suppress(httpx.TransportError):
                well += (await client.get(user.path("echo"), timeout=3)).status_code == 200
    return well


def cpu_s(server: Process) -> float:
    fields = Path(f"/proc/{server.popen.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("what", FAULTS)
async def test_server_that_gets_none_for_a_while_refuses_kindly_and_recovers(
    what: str, database: Database, tmp_path: Path, temporary: Path, new_row: NewRow
) -> None:
    row = new_row("Machine", f"server out of {what}", "200 or 503, no busy loop, nothing lost")
    users = [Caller.new(), Caller.new()]
    with server_process(database, tmp_path, log=tmp_path / "log", TMPDIR=str(temporary)) as server:
        await create_agents(server, users)
        async with calling(server, users) as answers:
            await eventually(answers.some)
            before = Possessions.of(server, temporary)
            with FAULTS[what](server):
                well = await knock(server, users[0])
                await asyncio.sleep(AWAY_S)
        # Nobody calls any more, but whoever was turned away at the door may still be heard of.
        with FAULTS[what](server):
            idle_s, started = cpu_s(server), time.monotonic()
            await knock(server, users[0])
            busy = (cpu_s(server) - idle_s) / (time.monotonic() - started)
        await tell_recovery(row, server, users[0])

        answers.assert_only_refused_kindly()
        tell_callers(row, answers)
        await tell_books(row, database)
        await tell_nothing_left(row, server, before, temporary)
    row.notes.append(f"{well} of {KNOCKS} newcomers answered meanwhile, CPU {busy:.0%}")
