"""A server whose model is a local one, on a database that the tests may look into, and users of it."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg

from agents_store.postgres.admin import audit_balances
from server.auth.testing import ISSUER, SECRET
from tests.acceptance.processes import GRANT_MICROCREDITS, token_of
from tests.acceptance.running import RunningServer, User, client_for, running, settings_for
from tests.support.database import Cluster, Database, database_from
from tests.support.messages_api import MessagesServer, Usage, messages_server

Json = dict[str, Any]

# What the migrations set for claude-sonnet-5-5: microcredits for a million tokens.
PRICES = {
    "input_tokens": 2_000_000,
    "output_tokens": 10_000_000,
    "cache_read_input_tokens": 200_000,
    "cache_creation_input_tokens": 4_000_000,
}
DOUBLE = "def run(inputs):\n    return {'n': inputs['n'] * 2}\n"
DOUBLED: list[tuple[Json, Any]] = [({"n": 1}, {"n": 2}), ({"n": 0}, {"n": 0}), ({"n": -3}, {"n": -6})]


def price(*usages: Usage) -> int:
    """What these requests cost together, each begun microcredit counted once."""
    millionths: int = sum(getattr(usage, kind) * price for usage in usages for kind, price in PRICES.items())
    return -(-millionths // 1_000_000)


@dataclass
class Generating:
    """The server, its model and its database."""

    server: RunningServer
    model: MessagesServer
    database: Database

    @asynccontextmanager
    async def user(self) -> AsyncIterator[User]:
        """Somebody whom nobody has seen before."""
        user_id = uuid4()
        async with client_for(self.server, token_of(user_id)) as http:
            yield User(user_id, http)

    def change(self, statement: str, *values: object) -> None:
        """What an operator changes, while the server runs."""
        with psycopg.connect(self.database.owner_url) as conn:
            conn.execute(statement.encode(), values)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What the database has, whoever it belongs to."""
        with psycopg.connect(self.database.superuser_url) as conn:
            return conn.execute(statement.encode()).fetchall()

    async def agree(self, user: User, charge: int) -> None:
        """The ledger agrees: nothing is held, `charge` is gone, and the books balance."""
        assert await user.balance() == {
            "available_microcredits": GRANT_MICROCREDITS - charge,
            "held_microcredits": 0,
        }
        assert await audit_balances(self.database.owner_url) == []


@contextmanager
def generating(cluster: Cluster, template: str, data_dir: Path, **changes: Any) -> Iterator[Generating]:
    with messages_server() as model, database_from(cluster, template) as database:
        own: Json = {
            "database_url": database.login_url,
            "supabase_jwt_secret": SECRET,
            "jwt_issuer": ISSUER,
            "anthropic_api_key": "sk-ant-test",
            "anthropic_base_url": model.base_url,
            "tiers": ("monty", "restricted"),
            "sandbox_pool_size": 2,
        }
        with running(settings_for(data_dir, **(own | changes))) as server:
            yield Generating(server, model, database)


async def ask(user: User, agent_name: str = "double", **contract: Any) -> httpx.Response:
    body = {"agent_name": agent_name, "description": "doubles n", **contract}
    return await user.http.post("/agents", json=body)


async def generations(user: User) -> list[Json]:
    """The caller's generations with their attempts, newest first."""
    items = (await user.http.get("/generations")).json()["items"]
    return [(await user.http.get(f"/generations/{item['id']}")).json() for item in items]


async def events_of(answer: httpx.Response) -> AsyncIterator[tuple[str, Json]]:
    """Name and data of each event of a stream, as they come."""
    name = ""
    async for line in answer.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))
