"""What is particular to the store on a project: tokens, keys, the schema it finds, and both stores on one database."""

import asyncio
import json
from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from jose import jwt

from agents_store.errors import (
    SchemaMismatchError,
    StoreMisconfiguredError,
    StoreUnavailableError,
    TokenNeededError,
    TokenRefusedError,
    UnknownRunError,
)
from agents_store.postgres.store import PostgresStore
from agents_store.supabase_store import Project, SupabaseStore
from agents_store.types import EffectRecord, EffectStatus, LogRecord, NewApiKey, NewMemory, Principal, SealedSecret
from tests.support.records import SERVER_ID, new_version, run_start, succeeded
from tests.support.supabase import Lite

ODD_KEYS = ["a,b", "a.b", "a(b)", 'a"b', "a'b", "a\\b", "a b", "ä", "a%b", "a*b", "*", "null", "1", "{}", "a:b"]


async def lives(store: PostgresStore | SupabaseStore, principal: Principal) -> None:
    """Give a user one of everything, and enough of some things for several batches."""
    await store.register_server(SERVER_ID)
    detail = await store.create_agent(principal, "hello", "", new_version(allowed_hosts=("a.example",)))
    for number in range(12):
        begun = await store.begin(principal, run_start(detail, inputs={"number": number, "half": 0.5}))
        effect = EffectRecord(1, "fetch", {"url": "/"}, {"status": 200}, None, EffectStatus.PERFORMED, 1, 2)
        end = succeeded(logs=[LogRecord(1, 0, "line", {"n": 1})], result_json='{"a": [1, 2.50, "\\u00e4"]}')
        await store.finish(principal, begun, replace(end, effects=(effect,)))
    for number, key in enumerate([*ODD_KEYS, *(f"key-{number}" for number in range(60))]):
        await store.put_memory(principal, detail.agent.id, NewMemory(key, {"number": number}, tags=("t",)))
    secret = SealedSecret("token", ("a.example",), "0" * 16, bytes(12), bytes(20))
    await store.put_secret(principal, detail.agent.id, secret)


async def exported(store: PostgresStore | SupabaseStore, principal: Principal) -> list[dict[str, Any]]:
    lines = [json.loads(line) async for line in store.export_account(principal)]
    for line in lines:
        line.pop("exported_at", None)
        for name in [name for name in line if name.endswith("_at")]:
            # Each writes a moment's fractions and zone in its own way.
            line[name] = line[name] and line[name][:19].replace("T", " ")
    return lines


async def test_both_stores_export_the_same(store: SupabaseStore, direct: PostgresStore) -> None:
    principal = Principal(uuid4())
    await lives(store, principal)

    there, here = await exported(store, principal), await exported(direct, principal)

    assert there[-1] == here[-1]
    assert there[-1]["counts"]["memory"] == len(ODD_KEYS) + 60
    for one, other in zip(there, here, strict=True):
        assert one == other


async def test_what_one_store_keeps_the_other_reads(store: SupabaseStore, direct: PostgresStore) -> None:
    principal = Principal(uuid4())
    await lives(direct, principal)

    for read in ("get_agent", "get_version"):
        arguments = ("hello",) if read == "get_agent" else ("hello", 1)
        assert await getattr(store, read)(principal, *arguments) == await getattr(direct, read)(principal, *arguments)
    listed = await store.list_runs(principal, agent_name=None, limit=5, cursor=None)
    assert listed == await direct.list_runs(principal, agent_name=None, limit=5, cursor=None)
    run_id = listed.items[0].id
    assert await store.get_run(principal, run_id) == await direct.get_run(principal, run_id)
    assert await store.get_balance(principal) == await direct.get_balance(principal)
    with pytest.raises(UnknownRunError):
        await store.get_run(Principal(uuid4()), run_id)


async def test_users_own_token_is_what_reads(lite: Lite, unsigned: SupabaseStore) -> None:
    alice, bob = lite.sign_up("alice@example.com"), lite.sign_up("bob@example.com")
    principal = Principal(alice.user_id, alice.token)
    created = await unsigned.create_agent(principal, "hello", "", new_version())

    assert await unsigned.get_agent(principal, "hello") == created
    # The token decides, not the id beside it: the project itself enforces whose rows these are.
    listed = await unsigned.list_agents(Principal(alice.user_id, bob.token), agent_name=None, limit=10, cursor=None)
    assert listed.items == []


async def test_token_that_the_project_refuses_is_told_as_such(project: Project, unsigned: SupabaseStore) -> None:
    expired = jwt.encode({"sub": str(uuid4()), "role": "authenticated", "exp": 1}, str(project.jwt_secret))

    for token in ("nonsense", "a.b.c", expired):
        with pytest.raises(TokenRefusedError):
            await unsigned.get_agent(Principal(uuid4(), token), "hello")


async def test_many_users_at_once_never_meet(store: SupabaseStore) -> None:
    users = [Principal(uuid4()) for _ in range(12)]
    await asyncio.gather(*(store.create_agent(user, "mine", str(user.user_id), new_version()) for user in users))

    for _ in range(5):
        read = await asyncio.gather(*(store.get_agent(user, "mine") for user in users))
        assert [detail.agent.user_id for detail in read] == [user.user_id for user in users]


async def test_without_a_secret_to_sign_with_api_keys_cannot_act(unsigned: SupabaseStore) -> None:
    principal = Principal(uuid4())

    for attempt in (
        unsigned.find_api_key(bytes(32)),
        unsigned.create_api_key(principal, NewApiKey("laptop", bytes(32), "abcdEFGH", "wxyz")),
        unsigned.get_agent(principal, "hello"),
    ):
        with pytest.raises(TokenNeededError, match="SUPABASE_JWT_SECRET"):
            await attempt


@pytest.mark.parametrize("key", ["sb_secret_wrong", "publishable"])
async def test_another_key_than_the_secret_one_is_refused_at_start(project: Project, key: str) -> None:
    wrong = project.publishable_key if key == "publishable" else key
    store = SupabaseStore(replace(project, secret_key=wrong))

    with pytest.raises(StoreMisconfiguredError, match="SUPABASE_SECRET_KEY"):
        await store.open()
    await store.close()


async def test_project_that_does_not_answer_is_unavailable(project: Project) -> None:
    store = SupabaseStore(replace(project, url="http://127.0.0.1:9"))

    with pytest.raises(StoreUnavailableError):
        await store.open()
    await store.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("delete from supabase_migrations.schema_migrations where version > '20261121130000'", "migrations behind"),
        ("insert into supabase_migrations.schema_migrations (version) values ('29991231000000')", "ahead"),
    ],
)
async def test_schema_of_another_release_is_refused_at_start(
    lite: Lite, project: Project, change: str, said: str
) -> None:
    with psycopg.connect(lite.database.owner_url) as conn:
        conn.execute(change.encode())
    store = SupabaseStore(project)

    with pytest.raises(SchemaMismatchError, match=said):
        await store.open()
    await store.close()


async def test_schema_that_was_never_applied_is_refused_at_start(lite: Lite, project: Project) -> None:
    with psycopg.connect(lite.database.superuser_url) as conn:
        conn.execute(b"drop function public.gbx_as_server(text, text)")
    store = SupabaseStore(project)

    with pytest.raises(SchemaMismatchError, match="glovebox db migrate"):
        await store.open()
    await store.close()


def test_keys_and_secrets_are_not_in_what_is_printed(project: Project) -> None:
    assert project.secret_key not in repr(project)
    assert str(project.jwt_secret) not in repr(project)
