"""Fixtures of the store's tests: an operator's connection, and a user with an agent."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import psycopg
import pytest

from agents_store.postgres.store import PostgresStore
from agents_store.types import AgentDetail, Principal
from tests.support.database import Database
from tests.support.records import SERVER_ID, new_version


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
