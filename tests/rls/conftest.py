"""A seeded database, and sessions as each role that may reach it."""

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from agents_store.postgres.connection import claims_of
from agents_store.postgres.store import PostgresStore
from agents_store.types import Embedding, LogRecord, NewApiKey, NewFile, NewMemory, Principal, SealedSecret
from tests.support.database import Cluster, Database, database_from
from tests.support.records import SERVER_ID, effect, generation_start, new_version, run_start, succeeded

ALICE = UUID("a11ce000-0000-4000-8000-000000000000")
BOB = UUID("b0b00000-0000-4000-8000-000000000000")
GATEWAY_PASSWORD = secrets.token_urlsafe(16)


@dataclass(frozen=True, slots=True)
class Reach:
    """What came of one statement: rows that it reached, or the SQLSTATE and constraint that refused it."""

    rows: int = 0
    sqlstate: str | None = None
    constraint: str | None = None


@dataclass(frozen=True, slots=True)
class Sessions:
    """Runs single statements as a role with claims, and undoes them."""

    database: Database

    def url(self, role: str | None) -> str:
        """Where `role` comes from: Supabase's gateway for its roles, the server's login for ours."""
        if role in ("anon", "authenticated"):
            return self.database.cluster.url("gateway", GATEWAY_PASSWORD, self.database.name)
        if role == "superuser":
            return self.database.superuser_url
        if role == "owner":
            return self.database.owner_url
        return self.database.login_url

    def ids(self) -> dict[str, object]:
        """What statements name: Alice, her agent and her finished run."""
        with psycopg.connect(self.database.superuser_url) as conn:
            found = conn.execute(
                "select a.id, r.id from public.agents a join public.runs r on r.agent_id = a.id"
                " where a.user_id = %s and r.outcome is not null",
                [ALICE],
            ).fetchone()
        assert found is not None
        return {"owner": ALICE, "agent_id": found[0], "run_id": found[1]}

    def weaken(self, statement: str) -> None:
        """Carry out what no release would."""
        with psycopg.connect(self.database.owner_url) as conn:
            conn.execute(statement.encode())

    def reach(self, role: str | None, claims: str | None, statement: str, **values: object) -> Reach:
        """What `statement` reaches; `role` None is the server's login that forgot to become anybody."""
        with psycopg.connect(self.url(role)) as conn:
            try:
                if claims is not None:
                    conn.execute("select set_config('request.jwt.claims', %s, true)", [claims])
                if role not in (None, "superuser", "owner"):
                    conn.execute(sql.SQL("set local role {}").format(sql.Identifier(str(role))))
                done = conn.execute(statement.encode(), values)
                return Reach(rows=done.rowcount)
            except psycopg.Error as exc:
                return Reach(sqlstate=exc.sqlstate, constraint=exc.diag.constraint_name)
            finally:
                conn.rollback()


async def _seed(database: Database) -> None:
    """Alice and Bob each have an agent, a finished run with a log line, a live run, an account and entries."""
    store = PostgresStore(database.login_url, pool_max=1)
    await store.open()
    await store.register_server(SERVER_ID)
    for user_id in (ALICE, BOB):
        principal = Principal(user_id)
        detail = await store.create_agent(principal, "hello", "", new_version())
        done = await store.begin(principal, run_start(detail))
        await store.finish(principal, done, succeeded(logs=[LogRecord(1, 0, "a secret", {})], effects=[effect()]))
        live = await store.begin(principal, run_start(detail))
        await store.request_cancel(principal, live.run_id)
        await store.claim_key(principal, "k", bytes(32), run_id=live.run_id, server_id=SERVER_ID)
        await store.begin(principal, run_start(detail, test=True))
        await store.create_api_key(principal, NewApiKey("laptop", sha256(user_id.bytes).digest(), "abcdEFGH", "wxyz"))
        await store.begin_generation(principal, generation_start())
        await store.put_memory(
            principal, detail.agent.id, NewMemory("k", "a secret", embedding=Embedding("m", [1.0] * 256))
        )
        await store.put_secret(
            principal, detail.agent.id, SealedSecret("TOKEN", ["a.example"], "0" * 16, bytes(12), bytes(20))
        )
        for name in ("kept", "reserved"):
            await store.reserve_file(f"{user_id}/{name}")
        file = NewFile("report.txt", "text/plain", 8, "0" * 64, f"{user_id}/kept")
        await store.add_file(principal, done.run_id, file)
    await store.close()
    with psycopg.connect(database.superuser_url) as conn:
        # One that remembers nothing, so that totals can be inserted.
        conn.execute(
            "insert into public.agents (id, user_id, agent_name) values (gen_random_uuid(), %s, 'forgetful')", [ALICE]
        )
        # A second version that has no tier yet, so that one can be inserted.
        conn.execute(
            "insert into public.agent_versions (user_id, agent_id, version, code, tier, limits)"
            " select user_id, agent_id, 2, code, tier, limits from public.agent_versions"
        )
        conn.execute("insert into public.limits (name, amount) values ('wall_ms_ceiling', 1000)")
        conn.execute("insert into public.erased_users (user_id) select user_id from public.credit_accounts")


@pytest.fixture(scope="session")
def gateway(cluster: Cluster, template: str) -> None:
    """The role that Supabase's Data API logs in as, and becomes `anon` or `authenticated` from."""
    make = sql.SQL("create role gateway login noinherit password {}").format(sql.Literal(GATEWAY_PASSWORD))
    cluster.execute(make)
    cluster.execute(sql.SQL("grant anon, authenticated to gateway"))


@pytest.fixture(scope="session")
def seeded(cluster: Cluster, template: str, gateway: None) -> Iterator[Sessions]:
    """Shared: every statement on it is undone."""
    with database_from(cluster, template) as database:
        asyncio.run(_seed(database))
        yield Sessions(database)


@pytest.fixture
def weakened(database: Database, gateway: None) -> Sessions:
    """A seeded database of one test's own, to be weakened so that a check can be seen to fail."""
    asyncio.run(_seed(database))
    return Sessions(database)


@pytest.fixture(scope="session")
def alice() -> str:
    return claims_of(ALICE)


@pytest.fixture(scope="session")
def bob() -> str:
    return claims_of(BOB)
