"""Prices, models and limits are rows: changed in the database, in force on every server within seconds."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.acceptance.processes import Caller, Process, server_process
from tests.acceptance.running import RunningServer, User, client_for, eventually
from tests.support.database import Cluster, Database, database_from
from tests.support.supabase import Lite

SECONDS_MAX = 10
SET = (
    "insert into public.limits (name, amount) values ('wall_ms_ceiling', 1000)"
    " on conflict (name) do update set amount = excluded.amount"
)
SLOW = {"agent_name": "slow", "code": "def run():\n    return 1", "limits": {"wall_ms_max": 5000}}


@pytest.fixture
def database(cluster: Cluster, template: str) -> Iterator[Database]:
    with database_from(cluster, template) as made:
        yield made


@pytest.fixture
def two_servers(database: Database, tmp_path: Path) -> Iterator[tuple[Process, Process]]:
    """One that listens, and one that looks: behind a pooler in transaction mode nothing comes through."""
    pooled = f"{database.login_url}&pgbouncer=true"
    with server_process(database, tmp_path) as one, server_process(database, tmp_path, DATABASE_URL=pooled) as other:
        yield one, other


def operator(database: Database, statement: str) -> float:
    with psycopg.connect(database.owner_url) as conn:
        conn.execute(statement.encode())
    return time.monotonic()


async def answered(client: httpx.AsyncClient, status: int) -> httpx.Response:
    """The first answer of that status to an agent that asks for five seconds; each agent has another name."""
    names = iter(range(1000))

    async def attempt() -> httpx.Response | None:
        answer = await client.post("/agents", json={**SLOW, "agent_name": f"slow-{status}-{next(names)}"})
        return answer if answer.status_code == status else None

    return await eventually(attempt)


async def test_limits_change_on_every_server_within_seconds_and_back(
    database: Database, two_servers: tuple[Process, Process]
) -> None:
    caller = Caller.new()
    for process in two_servers:
        async with caller.at(process) as client:
            assert (await answered(client, 201)).status_code == 201

    changed_at = operator(database, SET)
    for process in two_servers:
        async with caller.at(process) as client:
            refused = await answered(client, 422)
            assert "1000" in refused.text
    assert time.monotonic() - changed_at < SECONDS_MAX

    operator(database, "delete from public.limits")
    for process in two_servers:
        async with caller.at(process) as client:
            assert (await answered(client, 201)).status_code == 201


async def test_prices_change_with_the_next_run(database: Database, two_servers: tuple[Process, Process]) -> None:
    caller = Caller.new()
    operator(database, "update public.prices set amount_microcredits = 5000 where name = 'run'")

    for process in two_servers:
        async with caller.at(process) as client:
            await client.post("/agents", json={"agent_name": "hello", "code": "def run():\n    return 1"})
            answer = await client.get(caller.path("hello"))
            assert 5_000 <= int(answer.headers["Glovebox-Charge"]) < 10_000


async def test_server_on_a_project_looks_too(lite: Lite, supabase_server: RunningServer) -> None:
    signed_in = lite.sign_up("limits@example.com")
    operator(lite.database, SET)

    async with client_for(supabase_server, signed_in.token) as client:
        user = User(signed_in.user_id, client)
        assert (await answered(user.http, 422)).status_code == 422
