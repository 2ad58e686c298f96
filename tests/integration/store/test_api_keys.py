"""API keys and the dry-run rate in the database: what is stored, what is found, and what the schema itself bounds."""

import asyncio
import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from agents_store.errors import TooManyApiKeysError, TooManyDryRunsError, UnknownAgentError, UnknownApiKeyError
from agents_store.postgres.store import PostgresStore
from agents_store.types import API_KEYS_LIVE_MAX, NewApiKey, Principal
from tests.integration.store.conftest import Author
from tests.support.database import Database
from tests.support.records import failed, run_start


@pytest.fixture
def alice() -> Principal:
    return Principal(uuid4())


@pytest.fixture
def bob() -> Principal:
    return Principal(uuid4())


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def new_key(text: str = "one", *, expires_in_days: int | None = None, name: str = "laptop") -> NewApiKey:
    return NewApiKey(name, digest(text), "abcdEFGH", "wxyz", expires_in_days)


async def test_key_is_found_by_its_hash_and_listed_without_it(store: PostgresStore, alice: Principal) -> None:
    stored = await store.create_api_key(alice, new_key())

    owner = await store.find_api_key(digest("one"))
    assert owner is not None
    assert (owner.api_key_id, owner.user_id, owner.expires_in_s) == (stored.id, alice.user_id, None)
    page = await store.list_api_keys(alice, limit=10, cursor=None)
    assert (page.items, page.next_cursor) == ([stored], None)
    assert (stored.name, stored.prefix, stored.last4) == ("laptop", "abcdEFGH", "wxyz")
    assert stored.expires_at is stored.last_used_at is stored.revoked_at is None
    assert not hasattr(stored, "key_hash")


async def test_unknown_revoked_and_expired_keys_are_not_found(
    store: PostgresStore, alice: Principal, superuser: psycopg.Connection
) -> None:
    revoked = await store.create_api_key(alice, new_key("revoked"))
    await store.create_api_key(alice, new_key("expired", expires_in_days=1))
    lasting = await store.find_api_key(digest("expired"))
    assert lasting is not None
    assert lasting.expires_in_s == pytest.approx(86_400, abs=60)

    await store.revoke_api_key(alice, revoked.id)
    superuser.execute(
        "update public.api_keys set created_at = created_at - interval '2 days',"
        " expires_at = expires_at - interval '2 days' where expires_at is not null"
    )

    for text in ("revoked", "expired", "never made"):
        assert await store.find_api_key(digest(text)) is None


async def test_keys_are_listed_newest_first_page_by_page(
    store: PostgresStore, alice: Principal, bob: Principal
) -> None:
    made = [await store.create_api_key(alice, new_key(str(number))) for number in range(5)]
    await store.create_api_key(bob, new_key("another's"))

    first = await store.list_api_keys(alice, limit=3, cursor=None)
    second = await store.list_api_keys(alice, limit=3, cursor=first.next_cursor)

    assert [key.id for key in (*first.items, *second.items)] == [key.id for key in reversed(made)]
    assert second.next_cursor is None
    with pytest.raises(ValueError, match="not a cursor"):
        await store.list_runs(alice, agent_name=None, limit=3, cursor=first.next_cursor)


async def test_only_its_owner_revokes_a_key_and_for_good(
    store: PostgresStore, alice: Principal, bob: Principal, superuser: psycopg.Connection
) -> None:
    key = await store.create_api_key(alice, new_key())

    for principal, key_id in ((bob, key.id), (alice, UUID(int=1))):
        with pytest.raises(UnknownApiKeyError):
            await store.revoke_api_key(principal, key_id)
    assert await store.find_api_key(digest("one")) is not None

    await store.revoke_api_key(alice, key.id)
    await store.revoke_api_key(alice, key.id)
    assert await store.find_api_key(digest("one")) is None
    (listed,) = (await store.list_api_keys(alice, limit=1, cursor=None)).items
    assert listed.revoked_at is not None
    for undone in ("null", "revoked_at + interval '1 day'"):
        with pytest.raises(psycopg.errors.RestrictViolation) as refused:
            superuser.execute(f"update public.api_keys set revoked_at = {undone}".encode())  # noqa: S608 - from above
        assert refused.value.diag.constraint_name == "api_keys_stay_revoked"


async def test_no_more_live_keys_than_the_bound_however_many_are_made_at_once(
    store: PostgresStore, alice: Principal, bob: Principal
) -> None:
    async def make(number: int) -> bool:
        try:
            await store.create_api_key(alice, new_key(f"{alice.user_id} {number}"))
        except TooManyApiKeysError:
            return False
        return True

    made = await asyncio.gather(*(make(number) for number in range(API_KEYS_LIVE_MAX + 10)))

    assert made.count(True) == API_KEYS_LIVE_MAX
    await store.create_api_key(bob, new_key("another user's"))
    first = (await store.list_api_keys(alice, limit=1, cursor=None)).items[0]
    await store.revoke_api_key(alice, first.id)
    assert await make(1_000)
    assert not await make(1_001)


async def test_use_is_written_at_most_once_a_minute(
    store: PostgresStore, alice: Principal, superuser: psycopg.Connection
) -> None:
    key = await store.create_api_key(alice, new_key())

    async def last_used() -> datetime | None:
        return (await store.list_api_keys(alice, limit=1, cursor=None)).items[0].last_used_at

    await store.touch_api_keys([key.id, UUID(int=7)])
    first = await last_used()
    assert first is not None
    assert abs(first - datetime.now(UTC)) < timedelta(minutes=1)

    await store.touch_api_keys([key.id])
    assert await last_used() == first

    superuser.execute("update public.api_keys set last_used_at = last_used_at - interval '61 seconds'")
    await store.touch_api_keys([key.id])
    again = await last_used()
    assert again is not None
    assert again >= first


@pytest.mark.parametrize("name", ["x" * 101])
async def test_name_above_the_bound_is_refused_by_the_schema(store: PostgresStore, alice: Principal, name: str) -> None:
    with pytest.raises(ValueError, match="api_keys_name_bounded"):
        await store.create_api_key(alice, new_key(name=name))


async def test_dry_runs_of_an_hour_are_counted_for_all_servers(
    store: PostgresStore, author: Author, database: Database, superuser: psycopg.Connection
) -> None:
    bounded = [replace(run_start(author.detail, test=True), dry_runs_per_hour_max=3) for _ in range(8)]
    remaining = []
    for start in bounded[:3]:
        begun = await store.begin(author.principal, start)
        assert begun.rate is not None
        assert begun.rate.per_hour_max == 3
        assert 3_590_000 < begun.rate.reset_ms <= 3_600_000
        remaining.append(begun.rate.remaining)
        await store.finish(author.principal, begun, failed())
    assert remaining == [2, 1, 0]

    other = PostgresStore(database.login_url, pool_max=1)
    await other.open()
    with pytest.raises(TooManyDryRunsError) as refused:
        await other.begin(author.principal, bounded[3])
    await other.close()
    assert refused.value.rate.remaining == 0
    assert 0 < refused.value.rate.reset_ms <= 3_600_000
    assert superuser.execute("select count(*) from public.runs").fetchone() == (3,)

    live = await store.begin(author.principal, run_start(author.detail))
    assert live.rate is None

    superuser.execute("update public.dry_run_rates set window_ends_at = now()")
    begun = await store.begin(author.principal, bounded[4])
    assert begun.rate is not None
    assert begun.rate.remaining == 2


async def test_dry_runs_at_once_are_counted_one_by_one(store: PostgresStore, author: Author) -> None:
    async def begin() -> bool:
        start = replace(run_start(author.detail, test=True), dry_runs_per_hour_max=5)
        try:
            await store.begin(author.principal, start)
        except TooManyDryRunsError:
            return False
        return True

    assert (await asyncio.gather(*(begin() for _ in range(20)))).count(True) == 5


async def test_another_users_agent_is_as_unknown_in_a_dry_run(store: PostgresStore, author: Author) -> None:
    with pytest.raises(UnknownAgentError):
        await store.begin(Principal(uuid4()), run_start(author.detail, test=True))
