"""The disk of the database fills up under load: calls are refused, and once there is room again nothing is missing."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.processes import Caller, server_process
from tests.acceptance.running import eventually, open_directory
from tests.faults.afterwards import Possessions, tell_books, tell_callers, tell_nothing_left, tell_recovery
from tests.faults.load import Answers, calling, create_agents
from tests.faults.matrix import NewRow
from tests.support.database import bundled_binaries, database_from, make_template, running_postmaster

DISK_MB = 256
KEPT_FREE_MB = 2
LARGE = {"text": "x" * 400_000}


@contextmanager
def small_disk() -> Iterator[Path]:
    """A disk of `DISK_MB`, for root alone to make."""
    with open_directory() as place:
        options = f"size={DISK_MB}m,mode=0755"
        if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], check=False).returncode:
            if os.environ.get("CI"):  # noqa: TID251 - a test may look where it runs
                pytest.fail("a disk cannot be mounted here")
            pytest.skip("mounting a disk takes root")
        try:
            yield place
        finally:
            subprocess.run(["umount", "--lazy", place], check=True)


def fill(disk: Path) -> Path:
    """Leave `KEPT_FREE_MB` on the disk."""
    ballast = disk / "ballast"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    with ballast.open("wb") as out:
        out.write(bytes(free - KEPT_FREE_MB * 1024**2))
    return ballast


async def felt(answers: Answers) -> bool:
    return answers.statuses[503] >= 3


async def test_full_disk_refuses_calls_and_loses_nothing(tmp_path: Path, temporary: Path, new_row: NewRow) -> None:
    row = new_row("Machine", "database's disk full", "503 until there is room, nothing lost")
    users = [Caller.new(), Caller.new()]
    with (
        small_disk() as disk,
        running_postmaster(bundled_binaries(), durable=True, home=disk, max_wal_size="64MB") as postmaster,
    ):
        template = await asyncio.to_thread(make_template, postmaster.cluster)
        with (
            database_from(postmaster.cluster, template) as database,
            server_process(database, tmp_path, log=tmp_path / "log", TMPDIR=str(temporary)) as server,
        ):
            await create_agents(server, users)
            before = Possessions.of(server, temporary)
            ballast = fill(disk)

            async with calling(server, users, inputs=LARGE) as answers:
                await eventually(lambda: felt(answers))
            ballast.unlink()
            if postmaster.ended:  # PostgreSQL gives up where it cannot even write that it cannot write
                postmaster.start()
            await tell_recovery(row, server, users[0])

            answers.assert_only_refused_kindly()
            tell_callers(row, answers)
            await tell_books(row, database)
            await tell_nothing_left(row, server, before, temporary)
