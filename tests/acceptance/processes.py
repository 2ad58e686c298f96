"""Server processes on one PostgreSQL, as several machines would run them, and users who call any of them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx

from server.auth.testing import ISSUER, SECRET, StubProject
from tests.acceptance.shell import COMMAND_S_MAX, ROOT, await_url
from tests.support.database import Database

GRANT_MICROCREDITS = 10_000_000
REAPED_S_MAX = 20  # a lease runs out, and the next server comes by
SERVE = ("-m", "server.cli.main", "serve", "--port", "0")
_PROJECT = StubProject(ISSUER)


@dataclass(frozen=True)
class Process:
    """One server process, and where it listens."""

    popen: "subprocess.Popen[str]"
    url: str

    def signal(self, number: int) -> None:
        self.popen.send_signal(number)


def environment_for(database: Database, home: Path, **variables: str) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": database.login_url,
        "SUPABASE_JWT_SECRET": SECRET,
        "GLOVEBOX_JWT_ISSUER": ISSUER,
        "GLOVEBOX_DATABASE_POOL_MAX": "4",
        "GLOVEBOX_SANDBOX_POOL_SIZE": "1",
        "GLOVEBOX_TIERS": '["monty", "restricted"]',
        "GLOVEBOX_SHUTDOWN_GRACE_S": "1",
        **variables,
    }


@contextmanager
def server_process(
    database: Database, home: Path, *command: str, log: Path | None = None, **variables: str
) -> Iterator[Process]:
    """A server until the block is left, then stopped, however it is by then."""
    with (log or Path(os.devnull)).open("w") as out:
        popen = subprocess.Popen(
            [sys.executable, *(command or SERVE)],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            cwd=home,
            env=environment_for(database, home, **variables),
        )
    try:
        yield Process(popen, await_url(popen))
    finally:
        if popen.poll() is None:
            popen.terminate()
        popen.communicate(timeout=COMMAND_S_MAX)


def token_of(user_id: UUID, **claims: Any) -> str:
    return _PROJECT.token(None, sub=str(user_id), **claims)


@dataclass(frozen=True)
class Caller:
    """A user, who may call any server."""

    id: UUID

    @classmethod
    def new(cls) -> "Caller":
        return cls(uuid4())

    def at(self, process: Process) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=process.url,
            headers={"Authorization": f"Bearer {token_of(self.id)}"},
            timeout=60,
            trust_env=False,
        )

    def path(self, agent_name: str) -> str:
        return f"/agents/{self.id}/{agent_name}"
