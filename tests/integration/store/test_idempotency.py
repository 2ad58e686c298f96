"""Idempotency keys in the store: who holds one, what is kept under it, and when it is free again."""

import asyncio
from dataclasses import replace
from uuid import UUID, uuid4

import psycopg
import pytest
from uuid_utils.compat import uuid7

from agents_store.errors import KeyInFlightError, KeyMismatchError
from agents_store.postgres.store import PostgresStore
from agents_store.types import Claim, Principal, StoredAnswer
from tests.integration.store.conftest import Author
from tests.support.records import SERVER_ID, run_start, succeeded

REQUEST, OTHER_REQUEST = bytes(32), bytes(31) + b"\x01"
ANSWER = StoredAnswer(200, {"content-type": "application/json"}, b'{"\x00\xff not even text')
ALICE = Principal(uuid4())


async def claim(
    store: PostgresStore, principal: Principal = ALICE, request: bytes = REQUEST, server_id: UUID = SERVER_ID
) -> Claim:
    found = await store.claim_key(principal, "k", request, run_id=uuid7(), server_id=server_id)
    assert isinstance(found, Claim)
    return found


@pytest.fixture(autouse=True)
async def lease(store: PostgresStore) -> None:
    await store.register_server(SERVER_ID)


async def test_a_kept_answer_is_told_again_and_again(store: PostgresStore) -> None:
    await store.keep_answer(ALICE, await claim(store), ANSWER)

    for _ in range(2):
        assert await store.claim_key(ALICE, "k", REQUEST, run_id=uuid7(), server_id=SERVER_ID) == ANSWER


async def test_one_of_many_gets_the_claim(store: PostgresStore) -> None:
    found = await asyncio.gather(*(claim(store) for _ in range(20)), return_exceptions=True)

    assert len([one for one in found if isinstance(one, Claim)]) == 1
    assert len([one for one in found if isinstance(one, KeyInFlightError)]) == 19


async def test_another_request_is_a_mismatch_whatever_became_of_the_first(store: PostgresStore) -> None:
    held = await claim(store)
    with pytest.raises(KeyMismatchError):
        await claim(store, request=OTHER_REQUEST)

    await store.keep_answer(ALICE, held, ANSWER)

    with pytest.raises(KeyMismatchError):
        await claim(store, request=OTHER_REQUEST)


async def test_another_users_key_is_another_key(store: PostgresStore) -> None:
    await claim(store)

    assert isinstance(await claim(store, Principal(uuid4()), OTHER_REQUEST), Claim)


async def test_a_freed_key_is_anybodys_request_again(store: PostgresStore) -> None:
    held = await claim(store)

    await store.free_key(ALICE, held, in_doubt=False)

    assert (await claim(store, request=OTHER_REQUEST)).run_id != held.run_id


async def test_a_key_freed_in_doubt_keeps_its_request_and_its_run(store: PostgresStore) -> None:
    held = await claim(store)

    await store.free_key(ALICE, held, in_doubt=True)

    with pytest.raises(KeyMismatchError):
        await claim(store, request=OTHER_REQUEST)
    assert (await claim(store)).run_id == held.run_id


async def test_a_dead_servers_claim_is_taken_over_with_the_run_that_it_may_begin(store: PostgresStore) -> None:
    dead = await claim(store, server_id=uuid7())

    taken = await claim(store)
    await store.keep_answer(ALICE, dead, StoredAnswer(500, {}, b"late"))

    assert (taken.run_id, taken.server_id, taken.ran) == (dead.run_id, SERVER_ID, False)
    with pytest.raises(KeyInFlightError):
        await claim(store)
    await store.keep_answer(ALICE, taken, ANSWER)
    assert await store.claim_key(ALICE, "k", REQUEST, run_id=uuid7(), server_id=SERVER_ID) == ANSWER


async def test_a_living_servers_claim_is_not_held_for_ever(store: PostgresStore, superuser: psycopg.Connection) -> None:
    held = await claim(store)
    with pytest.raises(KeyInFlightError):
        await claim(store)

    superuser.execute("update public.idempotency_keys set claimed_at = now() - interval '16 minutes'")

    assert (await claim(store)).run_id == held.run_id


async def test_a_dead_servers_run_is_waited_for_and_then_told(store: PostgresStore, author: Author) -> None:
    server_id = uuid7()
    await store.register_server(server_id)
    held = await claim(store, author.principal, server_id=server_id)
    start = run_start(author.detail, server_id=server_id)
    await store.begin(author.principal, replace(start, run_id=held.run_id))
    await store.retire_server(server_id)
    with pytest.raises(KeyInFlightError):
        await claim(store, author.principal)

    await store.reap()

    told = await claim(store, author.principal)
    assert (told.run_id, told.ran) == (held.run_id, True)
    with pytest.raises(KeyInFlightError):  # whoever tells it holds the key
        await claim(store, author.principal)


async def test_a_living_servers_ended_run_is_told_when_its_answer_was_never_kept(
    store: PostgresStore, author: Author, superuser: psycopg.Connection
) -> None:
    held = await claim(store, author.principal)
    start = run_start(author.detail)
    begun = await store.begin(author.principal, replace(start, run_id=held.run_id))
    await store.finish(author.principal, begun, succeeded())
    with pytest.raises(KeyInFlightError):
        await claim(store, author.principal)

    superuser.execute("set session_replication_role = replica")
    superuser.execute("update public.runs set finished_at = now() - interval '31 seconds'")
    superuser.execute("update public.idempotency_keys set claimed_at = now() - interval '31 seconds'")

    assert (await claim(store, author.principal)).ran


async def test_a_run_of_one_key_begins_once_even_if_two_claims_begin_it(store: PostgresStore, author: Author) -> None:
    start = run_start(author.detail)
    await store.begin(author.principal, start)

    with pytest.raises(ValueError, match="credit_entries_key_once"):
        await store.begin(author.principal, start)


async def test_a_day_later_a_key_is_new(store: PostgresStore, superuser: psycopg.Connection) -> None:
    held = await claim(store)
    await store.keep_answer(ALICE, held, ANSWER)
    expiry = superuser.execute("select expires_at - claimed_at from public.idempotency_keys").fetchone()
    assert expiry is not None
    assert expiry[0].total_seconds() == 24 * 3600

    superuser.execute("update public.idempotency_keys set expires_at = clock_timestamp()")

    assert (await claim(store, request=OTHER_REQUEST)).run_id != held.run_id


async def test_expired_keys_are_purged_with_the_reaping_and_others_stay(
    store: PostgresStore, superuser: psycopg.Connection
) -> None:
    await claim(store)
    await claim(store, Principal(uuid4()))
    superuser.execute(
        "update public.idempotency_keys set expires_at = clock_timestamp() where user_id = %s", [ALICE.user_id]
    )

    await store.reap()

    left = superuser.execute("select user_id from public.idempotency_keys").fetchall()
    assert len(left) == 1
    assert left != [(ALICE.user_id,)]


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256, "a\n"])
async def test_the_database_itself_refuses_what_is_no_key(store: PostgresStore, key: str) -> None:
    with pytest.raises(ValueError, match="idempotency_keys_key_bounded"):
        await store.claim_key(ALICE, key, REQUEST, run_id=uuid7(), server_id=SERVER_ID)
