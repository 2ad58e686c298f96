"""A Supabase project, for real: users who signed up there, and nothing but its URL and its keys."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from postgrest import APIError
from supabase import AsyncClient, AsyncClientOptions, acreate_client

from tests.acceptance.running import RunningServer, User, client_for
from tests.rls.statements import API_KEY_COLUMNS, PRIVATE, TABLES
from tests.rls.test_data_api import FUNCTIONS, VIEWS
from tests.support.supabase import Lite, SignedIn

TICKER = """
import time
def run(inputs, ctx):
    ctx.memory.put("last", inputs["count"])
    for number in range(inputs["count"]):
        print("tick", number)
        time.sleep(0.02)
    return {"last": ctx.memory.get("last"), "test": ctx.test}
"""
# Nobody's rows: whoever is signed in may know them.
KNOWN = ("prices", "models")
READABLE = [name for name in (*TABLES, *VIEWS) if name not in PRIVATE]
SECRET_COLUMNS = {"api_keys": API_KEY_COLUMNS.replace(" ", ""), "agent_secrets": "user_id,agent_id,name,hosts"}


@dataclass
class Member:
    """A user of the project: what it gave them, and their way to Glovebox."""

    signed_in: SignedIn
    glovebox: User


@pytest.fixture
def server(supabase_server: RunningServer) -> RunningServer:
    return supabase_server


@pytest.fixture
async def members(lite: Lite, server: RunningServer) -> AsyncIterator[tuple[Member, Member]]:
    """Alice and Bob, who signed up a moment ago."""
    async with AsyncExitStack() as stack:
        made = []
        for name in ("alice", "bob"):
            signed_in = lite.sign_up(f"{name}-{uuid4().hex}@example.com")
            client = await stack.enter_async_context(client_for(server, signed_in.token))
            made.append(Member(signed_in, User(signed_in.user_id, client)))
        yield made[0], made[1]


Bare = Callable[[SignedIn | None], Awaitable[AsyncClient]]


@pytest.fixture
async def bare(lite: Lite) -> AsyncIterator[Bare]:
    """Makes the `supabase` client as anybody would, with the publishable key and at most a user's token."""
    async with httpx.AsyncClient(trust_env=False, timeout=20) as http:

        async def make(signed_in: SignedIn | None) -> AsyncClient:
            headers = {} if signed_in is None else {"Authorization": f"Bearer {signed_in.token}"}
            options = AsyncClientOptions(
                headers=headers, httpx_client=http, postgrest_client_retry=False, auto_refresh_token=False
            )
            return await acreate_client(lite.project.url, lite.project.publishable_key, options)

        yield make


async def walk(user: User) -> list[Any]:
    """Make, call, follow and look at everything that a user has. What it came to."""
    schema = {"type": "object", "properties": {"count": {"type": "integer"}}}
    await user.create("ticker", TICKER, inputs_schema=schema, examples=[{"inputs": {"count": 1}}])
    called = await user.http.post(user.path("ticker"), json={"count": 2})
    dry = await user.http.get(user.path("ticker"), params={"count": "1", "test": ""})
    started = await user.http.post(
        user.path("ticker"), json={"count": 20}, headers={"Prefer": "respond-async", "Idempotency-Key": "once"}
    )
    again = await user.http.post(
        user.path("ticker"), json={"count": 20}, headers={"Prefer": "respond-async", "Idempotency-Key": "once"}
    )
    ended = await user.finished(started.json()["id"])
    logs = (await user.http.get(f"/runs/{ended['id']}/logs")).json()["items"]
    remembered = await user.http.get("/agents/ticker/memory/last")
    return [
        (called.status_code, called.json()),
        (dry.status_code, dry.json()["result"], [effect["status"] for effect in dry.json()["effects"]]),
        (started.status_code, again.json()["id"] == started.json()["id"], ended["outcome"]),
        [line["message"] for line in logs][:2],
        remembered.json()["value"],
    ]


WALKED = [
    (200, {"last": 2, "test": False}),
    (200, {"last": 1, "test": True}, ["withheld", "performed"]),
    (202, True, "succeeded"),
    ["tick 0", "tick 1"],
    20,
]


async def test_two_users_of_a_project_use_glovebox_with_the_tokens_that_it_gave_them(
    members: tuple[Member, Member],
) -> None:
    alice, bob = (member.glovebox for member in members)

    for user in (alice, bob):
        assert await walk(user) == WALKED
    runs = await alice.runs()
    assert {run["agent_name"] for run in runs} == {"ticker"}
    balance, entries = await alice.balance(), (await alice.http.get("/credits/entries")).json()["items"]
    charged = sum(run["charge_microcredits"] for run in runs)
    assert balance == {"available_microcredits": 10_000_000 - charged, "held_microcredits": 0}
    assert [entry["kind"] for entry in entries] == ["settle", "hold"] * 2 + ["grant"]
    for path in (f"/runs/{runs[0]['id']}", f"/runs/{runs[0]['id']}/logs", f"/runs/{runs[0]['id']}/effects"):
        assert (await bob.http.get(path)).status_code == 404
        assert (await alice.http.get(path)).status_code == 200
    assert (await bob.http.get(alice.path("ticker"))).status_code == 403


async def test_agent_is_changed_rolled_back_and_deleted_there(members: tuple[Member, Member]) -> None:
    alice = members[0].glovebox
    await alice.create("hello", "def run():\n    return 1")
    shown = await alice.http.get("/agents/hello")

    edited = await alice.http.patch(
        "/agents/hello", json={"code": "def run():\n    return 2"}, headers={"If-Match": shown.headers["ETag"]}
    )
    late = await alice.http.patch(
        "/agents/hello", json={"description": "late"}, headers={"If-Match": shown.headers["ETag"]}
    )
    second = await alice.http.get(alice.path("hello"))
    back = await alice.http.post("/agents/hello/versions/1/activate", headers={"If-Match": edited.headers["ETag"]})
    first = await alice.http.get(alice.path("hello"))
    gone = await alice.http.delete("/agents/hello")

    assert (edited.status_code, late.status_code, back.status_code, gone.status_code) == (200, 412, 200, 204)
    assert (second.json(), first.json()) == (2, 1)
    assert (await alice.http.get(alice.path("hello"))).status_code == 404


async def test_api_key_acts_by_tokens_that_the_server_makes(
    server: RunningServer, members: tuple[Member, Member]
) -> None:
    alice = members[0].glovebox
    await alice.create("hello", "def run(inputs):\n    return inputs")
    key = (await alice.http.post("/api-keys", json={"name": "laptop"})).json()

    async with client_for(server, key["key"]) as client:
        called = await client.post(alice.path("hello"), json={"by": "key"})
        listed = await client.get("/agents")
        revoked = await alice.http.delete(f"/api-keys/{key['id']}")

    assert (called.json(), listed.json()["items"][0]["agent_name"]) == ({"by": "key"}, "hello")
    assert revoked.status_code == 204


async def test_account_is_exported_whole_and_erased(members: tuple[Member, Member]) -> None:
    alice, bob = (member.glovebox for member in members)
    for user in (alice, bob):
        await walk(user)

    exported = await alice.http.get("/account/export")
    erased = await alice.http.delete("/account", headers={"Glovebox-Confirm": str(alice.id)})

    lines = [json.loads(line) for line in exported.text.splitlines()]
    assert {line["type"] for line in lines} >= {"account", "agent", "version", "run", "log", "entry", "end"}
    assert {line.get("user_id", str(alice.id)) for line in lines} == {str(alice.id)}
    assert erased.status_code == 204
    assert await alice.runs() == []
    assert len(await bob.runs()) == 3


async def rows_seen(client: AsyncClient, name: str) -> Sequence[Any]:
    columns = SECRET_COLUMNS.get(name, "*")
    return (await client.table(name).select(columns).execute()).data


async def test_bare_client_sees_its_own_rows_and_no_others(bare: Bare, members: tuple[Member, Member]) -> None:
    for member in members:
        await walk(member.glovebox)
        await member.glovebox.http.post("/api-keys", json={})
    alice = await bare(members[0].signed_in)
    own_id = str(members[0].signed_in.user_id)

    seen = {name: await rows_seen(alice, name) for name in READABLE}

    owned = {name: rows for name, rows in seen.items() if name not in KNOWN}
    assert {row["user_id"] for rows in owned.values() for row in rows} == {own_id}
    assert {name for name, rows in owned.items() if rows} >= {
        "agents", "agent_versions", "version_tiers", "runs", "run_logs", "run_effects", "credit_accounts",
        "credit_entries", "api_keys", "agent_memory", *VIEWS,
    }  # fmt: skip
    for name in PRIVATE:
        with pytest.raises(APIError) as refused:
            await rows_seen(alice, name)
        assert refused.value.code == "42501"
    for name, column in (("api_keys", "key_hash"), ("agent_secrets", "ciphertext"), ("agent_secrets", "nonce")):
        with pytest.raises(APIError):
            await alice.table(name).select(column).execute()
    bob_id = str(members[1].signed_in.user_id)
    for name in ("agents", "runs", "agent_details"):
        assert (await alice.table(name).select("*").eq("user_id", bob_id).execute()).data == []
        assert (await alice.table(name).select("*").eq("user_id", own_id).execute()).data != []


async def test_without_a_token_nothing_is_seen(bare: Bare, members: tuple[Member, Member]) -> None:
    await walk(members[0].glovebox)
    nobody = await bare(None)

    for name in (*TABLES, *VIEWS):
        with pytest.raises(APIError) as refused:
            await rows_seen(nobody, name)
        assert refused.value.code == "42501"


@pytest.mark.parametrize("name", [*TABLES, *VIEWS])
async def test_bare_client_can_write_nothing(lite: Lite, bare: Bare, members: tuple[Member, Member], name: str) -> None:
    alice = await bare(members[0].signed_in)
    own_id = str(members[0].signed_in.user_id)
    before = counted(lite)
    column = "name" if name in KNOWN or name == "prompts" else "user_id"
    if name in ("server_leases", "unneeded_files"):
        column = {"server_leases": "server_id", "unneeded_files": "storage_key"}[name]

    table = alice.table(name)
    attempts = (
        table.insert({column: own_id}),
        table.upsert({column: own_id}),
        table.update({column: own_id}).neq(column, str(uuid4())),
        table.delete().neq(column, str(uuid4())),
    )

    for attempt in attempts:
        with pytest.raises(APIError):
            await attempt.execute()
    assert counted(lite) == before


async def test_bare_client_can_call_no_function(lite: Lite, bare: Bare, members: tuple[Member, Member]) -> None:
    alice = await bare(members[0].signed_in)
    user_id = str(members[0].signed_in.user_id)
    parameters = {
        "gbx_as_user": {"p_user_id": user_id, "p_call": "get_balance", "p_arguments": "{}"},
        "gbx_as_dry": {"p_user_id": user_id, "p_call": "get_memory", "p_arguments": "{}"},
        "gbx_as_server": {"p_call": "ping", "p_arguments": "{}"},
        "gbx_erase_account": {"p_user_id": user_id},
    }
    assert set(parameters) == set(FUNCTIONS)

    for name, arguments in parameters.items():
        with pytest.raises(APIError) as refused:
            await alice.rpc(name, arguments).execute()
        assert refused.value.code == "42501"
    for name in functions_of(lite):
        with pytest.raises(APIError):
            await alice.rpc(name, {}).execute()
        with pytest.raises(APIError):
            await alice.schema("glovebox").rpc(name, {}).execute()


def counted(lite: Lite) -> dict[str, int]:
    """How many rows each table has."""
    counts = {}
    with psycopg.connect(lite.database.superuser_url) as conn:
        for table in TABLES:
            found = conn.execute(f"select count(*) from public.{table}".encode()).fetchone()  # noqa: S608 - ours
            assert found is not None
            counts[table] = found[0]
    # What servers do meanwhile: their leases.
    return {table: count for table, count in counts.items() if table != "server_leases"}


def functions_of(lite: Lite) -> list[str]:
    with psycopg.connect(lite.database.superuser_url) as conn:
        found = conn.execute(
            "select distinct proname from pg_proc"
            " where pronamespace in ('public'::regnamespace, 'glovebox'::regnamespace)"
        )
        return [name for (name,) in found.fetchall()]


async def test_readiness_tells_of_the_project(server: RunningServer) -> None:
    async with httpx.AsyncClient(base_url=server.base_url, trust_env=False) as client:
        ready = await client.get("/health/ready")

    assert ready.status_code == 200
