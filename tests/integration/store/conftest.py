"""Fixtures of the store's tests: each implementation, an operator's connection, and a user with an agent."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import uuid4

import psycopg
import pytest

from agents_store.postgres.store import PostgresStore
from agents_store.supabase_store import SupabaseStore
from agents_store.types import AgentDetail, Principal
from tests.support.database import Cluster, Database, database_from
from tests.support.records import SERVER_ID, new_version
from tests.support.supabase import Lite


class Backend(StrEnum):
    """The implementations of the contract."""

    POSTGRES = "postgres"
    SUPABASE = "supabase"


# What every implementation passes. The other modules are about one of them, or about the schema itself.
CONTRACT = (
    "test_api_keys",
    "test_contract",
    "test_effects",
    "test_files",
    "test_generations",
    "test_idempotency",
    "test_ledger",
    "test_live_logs",
    "test_memory",
    "test_retention",
    "test_secrets",
    "test_versions",
)
# What does not apply to a store without a connection to the database, and why.
NOT_ON_SUPABASE = {
    "test_purge_goes_on_batch_by_batch": "the batch is set in the other implementation's module",
    "test_other_servers_are_told_of_lines_ends_and_requests": "the Data API tells nothing unasked: servers look",
    "test_noise_on_the_channel_is_passed_over": "no channel",
    "test_behind_a_pooler_in_transaction_mode_nobody_waits_for_notices": "no connection string",
}
# Who may change what other tests see: prices, triggers, other users' rows.
OPERATORS = {"owner", "superuser"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the contract on every implementation."""
    if "backend" in metafunc.fixturenames and "store" in metafunc.fixturenames:
        everywhere = metafunc.module.__name__.rpartition(".")[2] in CONTRACT
        if everywhere and metafunc.function.__name__ not in NOT_ON_SUPABASE:
            metafunc.parametrize("backend", list(Backend), indirect=True)


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> Backend:
    chosen: Backend = getattr(request, "param", Backend.POSTGRES)
    return chosen


@pytest.fixture
def database(backend: Backend, request: pytest.FixtureRequest, cluster: Cluster, template: str) -> Iterator[Database]:
    """A database of each test's own; the Supabase-compatible server's is emptied, and renewed after an operator."""
    if backend is Backend.SUPABASE:
        lite: Lite = request.getfixturevalue("lite")
        lite.empty()
        yield lite.database
        if not OPERATORS.isdisjoint(request.fixturenames):
            lite.renew()
        return
    with database_from(cluster, template) as made:
        yield made


@pytest.fixture
async def store(
    backend: Backend, request: pytest.FixtureRequest, database: Database
) -> AsyncIterator[PostgresStore | SupabaseStore]:
    opened: PostgresStore | SupabaseStore
    if backend is Backend.SUPABASE:
        lite: Lite = request.getfixturevalue("lite")
        opened = SupabaseStore(lite.project)
    else:
        opened = PostgresStore(database.login_url, pool_max=8)
    await opened.open()
    yield opened
    await opened.close()


@dataclass(frozen=True, slots=True)
class Author:
    """A user with one agent."""

    principal: Principal
    detail: AgentDetail


@pytest.fixture
def superuser(database: Database) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.superuser_url, autocommit=True) as conn:
        yield conn


@pytest.fixture
def owner(database: Database) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.owner_url, autocommit=True) as conn:
        yield conn


@pytest.fixture
async def author(store: PostgresStore) -> Author:
    principal = Principal(uuid4())
    await store.register_server(SERVER_ID)
    return Author(principal, await store.create_agent(principal, "hello", "", new_version()))
