"""What `pg_dump` writes while runs begin and end, restored into a new database: the same rules, books that agree."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from agents_store.postgres.store import PostgresStore
from agents_store.types import Principal
from tests.faults.books import Books, assert_books_close
from tests.integration.store.conftest import Author
from tests.support.database import Cluster, Database, bundled_binaries
from tests.support.figures import Record
from tests.support.records import SERVER_ID, new_version, run_start, succeeded

USERS = 4
RUNS_BEFORE = 50
DUMP_S_MAX = 60
# Who may do what, and which rows: nothing of it may get lost on the way. Brackets do: an expression is read anew.
RULES = """
select 'table', c.oid::regclass::text, pg_get_userbyid(c.relowner), c.relrowsecurity::text, c.relforcerowsecurity::text
from pg_class c where c.relnamespace in ('public'::regnamespace, 'glovebox'::regnamespace) and c.relkind in ('r', 'v')
union all
select 'grant', c.oid::regclass::text, coalesce(pg_get_userbyid(nullif(a.grantee, 0)), 'public'), a.privilege_type,
    a.is_grantable::text
from pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
where c.relnamespace in ('public'::regnamespace, 'glovebox'::regnamespace) and c.relkind in ('r', 'v')
union all
select 'policy', schemaname || '.' || tablename, policyname, roles::text || cmd,
    coalesce(qual, '') || coalesce(with_check, '')
from pg_policies
union all
select 'function', p.oid::regprocedure::text, pg_get_userbyid(p.proowner), p.prosecdef::text,
    coalesce(p.proconfig::text, '')
from pg_proc p where p.pronamespace in ('public'::regnamespace, 'glovebox'::regnamespace)
union all
select 'execute', p.oid::regprocedure::text, coalesce(pg_get_userbyid(nullif(a.grantee, 0)), 'public'),
    a.privilege_type, a.is_grantable::text
from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
where p.pronamespace in ('public'::regnamespace, 'glovebox'::regnamespace)
union all
select 'constraint', conrelid::regclass::text, conname, contype::text,
    translate(pg_get_constraintdef(oid), '()', '')
from pg_constraint
union all
select 'trigger', tgrelid::regclass::text, tgname, tgenabled::text, pg_get_triggerdef(oid)
from pg_trigger where not tgisinternal
"""


@pytest.fixture
def binaries(request: pytest.FixtureRequest) -> Path:
    chosen = request.config.getoption("--postgres-bin")
    return Path(chosen) if chosen else bundled_binaries()


def rules_of(database: Database) -> set[tuple[str, ...]]:
    with psycopg.connect(database.superuser_url) as conn:
        return set(conn.execute(RULES.encode()).fetchall())


@asynccontextmanager
async def load(store: PostgresStore) -> AsyncIterator[set[UUID]]:
    """Runs of several users begin and end, some without a pause and some not at all; the ids of those that ended."""
    ended: set[UUID] = set()
    enough, stop = asyncio.Event(), asyncio.Event()

    async def user() -> None:
        principal = Principal(uuid4())
        author = Author(principal, await store.create_agent(principal, "hello", "", new_version()))
        await store.begin(principal, run_start(author.detail))  # executes until its server is dead
        while not stop.is_set():
            begun = await store.begin(principal, run_start(author.detail))
            await store.finish(principal, begun, succeeded(wall_ms=12))
            ended.add(begun.run_id)
            if len(ended) >= RUNS_BEFORE:
                enough.set()

    async with asyncio.TaskGroup() as group:
        for _ in range(USERS):
            group.create_task(user())
        await enough.wait()
        try:
            yield ended
        finally:
            stop.set()


def carry_out(program: Path, *arguments: str) -> None:
    subprocess.run([program, *arguments], check=True, capture_output=True, timeout=DUMP_S_MAX)


@contextmanager
def restored(cluster: Cluster, binaries: Path, dump: Path) -> Iterator[Database]:
    """A new database made of a dump, dropped afterwards."""
    made = Database(cluster, f"restored_{uuid4().hex}")
    name = sql.Identifier(made.name)
    cluster.execute(sql.SQL("create database {} template template0 owner glovebox_owner").format(name))
    try:
        carry_out(binaries / "pg_restore", "--exit-on-error", f"--dbname={made.superuser_url}", str(dump))
        yield made
    finally:
        cluster.execute(sql.SQL("drop database {} with (force)").format(name))


async def test_dump_under_load_restores_to_books_that_agree(
    store: PostgresStore,
    database: Database,
    cluster: Cluster,
    binaries: Path,
    tmp_path: Path,
    record_property: Record,
) -> None:
    await store.register_server(SERVER_ID)
    dump = tmp_path / "dump"

    async with load(store) as ended:
        before = set(ended)
        await asyncio.to_thread(
            carry_out, binaries / "pg_dump", "--format=custom", f"--file={dump}", database.superuser_url
        )
        during = len(ended) - len(before)

    with restored(cluster, binaries, dump) as copy:
        assert rules_of(copy) == rules_of(database)
        with psycopg.connect(copy.superuser_url) as conn:
            found = {run_id for (run_id,) in conn.execute("select id from public.runs where outcome is not null")}
            conn.execute("update public.server_leases set expires_at = now() - interval '1 minute'")
        left_open = Books.of(copy).unfinished
        await _end_what_is_open(copy)
        books = await assert_books_close(copy)

    record_property("runs_restored", books.runs)
    record_property("runs_that_ended_during_the_dump", during)
    assert before <= found <= ended
    assert during > 0
    assert USERS <= left_open <= 2 * USERS
    assert books.runs == len(found) + left_open


async def _end_what_is_open(copy: Database) -> None:
    """What the next server does: it finds that the one of the dump is dead."""
    successor = PostgresStore(copy.login_url, pool_max=2)
    await successor.open()
    while await successor.reap():
        pass
    await successor.close()
