"""Fixtures of the tests of generations in the store: a user, and an operator's connection."""

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest

from agents_store.postgres.store import PostgresStore
from agents_store.types import Principal
from tests.support.database import Database
from tests.support.records import SERVER_ID


@pytest.fixture
def owner(database: Database) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.owner_url, autocommit=True) as conn:
        yield conn


@pytest.fixture
async def alice(store: PostgresStore) -> Principal:
    await store.register_server(SERVER_ID)
    return Principal(uuid4())
