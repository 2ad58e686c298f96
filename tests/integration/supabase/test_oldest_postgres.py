"""The oldest PostgreSQL that is supported: the whole schema applies, and the store works on it."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from agents_store.postgres.store import PostgresStore
from agents_store.types import Charge, NewMemory, Principal
from tests.support.database import Database, database_from, make_template, running_cluster
from tests.support.records import SERVER_ID, new_version, run_start, succeeded


@pytest.fixture(scope="module")
def oldest() -> Iterator[Database]:
    """A migrated database on PostgreSQL 15."""
    chosen = os.environ.get("GLOVEBOX_TEST_OLDEST_POSTGRES")  # noqa: TID251 - where the machine has it
    if not chosen or not (Path(chosen) / "postgres").exists():
        if os.environ.get("CI"):  # noqa: TID251 - whether a test may skip is not a setting of the product
            pytest.fail("CI has no PostgreSQL 15")
        pytest.skip("GLOVEBOX_TEST_OLDEST_POSTGRES names no PostgreSQL 15")
    with running_cluster(Path(chosen)) as cluster, database_from(cluster, make_template(cluster)) as made:
        yield made


def test_it_is_the_oldest_that_is_supported(oldest: Database) -> None:
    with psycopg.connect(oldest.owner_url) as conn:
        assert conn.info.server_version // 10_000 == 15


async def test_store_works_on_it(oldest: Database) -> None:
    store = PostgresStore(oldest.login_url, pool_max=2)
    await store.open()
    try:
        principal = Principal(uuid4())
        await store.register_server(SERVER_ID)
        detail = await store.create_agent(principal, "hello", "", new_version())
        begun = await store.begin(principal, run_start(detail))
        charge = await store.finish(principal, begun, succeeded(wall_ms=12))
        await store.put_memory(principal, detail.agent.id, NewMemory("k", 1))

        assert charge == Charge(1_012, 1_012)
        assert (await store.get_run(principal, begun.run_id)).outcome == "succeeded"
        lines = [line async for line in store.export_account(principal)]
        assert len(lines) > 5
        await store.erase_account(principal)
    finally:
        await store.close()


def test_calls_of_the_data_api_work_on_it(oldest: Database) -> None:
    with psycopg.connect(oldest.superuser_url) as conn:
        conn.execute("set role service_role")
        found = conn.execute("select public.gbx_as_user(gen_random_uuid(), 'get_balance', '{}')").fetchone()
    assert found is not None
    assert '"available_microcredits" : 10000000' in found[0]
