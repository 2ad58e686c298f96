"""Fixtures that every kind of test may use: a real PostgreSQL, migrated, a database of its own for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from agents_store.postgres.store import PostgresStore
from tests.faults.matrix import Matrix, NewRow, Row
from tests.support.database import Cluster, Database, bundled_binaries, database_from, make_template, running_cluster
from tests.support.supabase import Lite, running_lite


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--postgres-bin", metavar="DIR", help="bin directory of another PostgreSQL to test against")
    parser.addoption("--fault-report", metavar="FILE", help="write the fault matrix of this session there")


@pytest.fixture(scope="session")
def fault_matrix(request: pytest.FixtureRequest) -> Iterator[Matrix]:
    made = Matrix()
    yield made
    if path := request.config.getoption("--fault-report"):
        made.write(Path(path))


@pytest.fixture
def new_row(fault_matrix: Matrix, request: pytest.FixtureRequest) -> NewRow:
    """Takes a group, a fault and what is promised of it."""
    form = "long" if request.node.get_closest_marker("long") else "fast"
    return lambda group, fault, promised: fault_matrix.add(Row(group, fault, promised, form))


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    chosen = request.config.getoption("--postgres-bin")
    with running_cluster(Path(chosen) if chosen else bundled_binaries()) as running:
        yield running


@pytest.fixture(scope="session")
def template(cluster: Cluster) -> str:
    return make_template(cluster)


@pytest.fixture
def database(cluster: Cluster, template: str) -> Iterator[Database]:
    with database_from(cluster, template) as made:
        yield made


@pytest.fixture(scope="session")
def lite(cluster: Cluster, template: str) -> Iterator[Lite]:
    """A Supabase-compatible server, shared: whoever wants its tables empty empties them."""
    with database_from(cluster, template) as made, running_lite(made) as running:
        yield running


@pytest.fixture
async def store(database: Database) -> AsyncIterator[PostgresStore]:
    opened = PostgresStore(database.login_url, pool_max=8)
    await opened.open()
    yield opened
    await opened.close()
