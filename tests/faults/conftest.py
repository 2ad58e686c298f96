"""A server process on a PostgreSQL that a test may hurt."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.acceptance.processes import Process, server_process
from tests.support.database import (
    Database,
    Postmaster,
    bundled_binaries,
    database_from,
    make_template,
    running_postmaster,
)

GRANT = 10**12  # microcredits, for as many calls as anybody makes meanwhile


@dataclass(frozen=True)
class Site:
    """One server, its database, the programs of that database, and where the server puts temporary files."""

    server: Process
    database: Database
    postmaster: Postmaster
    temporary: Path


@pytest.fixture(scope="module")
def postmaster() -> Iterator[Postmaster]:
    """Of this module's own: nobody else's tests are hurt."""
    with running_postmaster(bundled_binaries(), durable=True) as running:
        yield running


@pytest.fixture(scope="module")
def hurt_template(postmaster: Postmaster) -> str:
    return make_template(postmaster.cluster)


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """Where a server puts its temporary files."""
    made = tmp_path / "temporary"
    made.mkdir()
    return made


@pytest.fixture
def site(postmaster: Postmaster, hurt_template: str, tmp_path: Path, temporary: Path) -> Iterator[Site]:
    with database_from(postmaster.cluster, hurt_template) as database:
        with psycopg.connect(database.owner_url) as conn:
            conn.execute("update public.prices set amount_microcredits = %s where name = 'first_grant'", [GRANT])
        with server_process(database, tmp_path, log=tmp_path / "log", TMPDIR=str(temporary)) as server:
            yield Site(server, database, postmaster, temporary)
