"""Credits under races and tampering: never negative, never lost, never charged twice."""

import asyncio
from uuid import uuid4

import psycopg
import pytest

from agents_store.errors import InsufficientCreditsError, StaleRunError, StoreMisconfiguredError
from agents_store.postgres.admin import audit_balances, grant_credits
from agents_store.postgres.store import PostgresStore
from agents_store.types import Balance, BegunRun, Charge, Principal
from tests.integration.store.conftest import Author
from tests.support.database import Database
from tests.support.figures import Record
from tests.support.records import HOLD_MICROCREDITS, failed, new_version, run_start, succeeded

FIRST_GRANT_MICROCREDITS = 10_000_000
RACES_LONG = 50


@pytest.fixture
def grant_for_ten(owner: psycopg.Connection) -> None:
    """Whoever is seen first from now on can pay for ten holds."""
    owner.execute(
        "update public.prices set amount_microcredits = %s where name = 'first_grant'", [10 * HOLD_MICROCREDITS]
    )


@pytest.mark.usefixtures("grant_for_ten")
async def test_of_200_begins_at_once_exactly_those_that_can_be_paid_begin(
    store: PostgresStore, author: Author, database: Database
) -> None:
    await race_for_ten_holds(store, author)
    assert await audit_balances(database.owner_url) == []


@pytest.mark.long
@pytest.mark.usefixtures("grant_for_ten")
async def test_of_200_begins_at_once_exactly_ten_begin_in_each_of_50_races(
    store: PostgresStore, author: Author, database: Database, record_property: Record
) -> None:
    for _ in range(RACES_LONG):
        principal = Principal(uuid4())
        await race_for_ten_holds(
            store, Author(principal, await store.create_agent(principal, "hello", "", new_version()))
        )
    record_property("races", RACES_LONG)
    assert await audit_balances(database.owner_url) == []


async def race_for_ten_holds(store: PostgresStore, author: Author) -> None:
    attempts = [store.begin(author.principal, run_start(author.detail)) for _ in range(200)]
    ends = await asyncio.gather(*attempts, return_exceptions=True)

    begun = [end for end in ends if isinstance(end, BegunRun)]
    refused = [end for end in ends if isinstance(end, InsufficientCreditsError)]
    assert (len(begun), len(refused)) == (10, 190)
    assert await store.get_balance(author.principal) == Balance(0, 10 * HOLD_MICROCREDITS)
    runs = await store.list_runs(author.principal, agent_name=None, limit=100, cursor=None)
    assert {run.id for run in runs.items} == {run.run_id for run in begun}

    charges = await asyncio.gather(*(store.finish(author.principal, run, succeeded(wall_ms=12)) for run in begun))
    assert set(charges) == {Charge(1_012, 1_012)}
    assert await store.get_balance(author.principal) == Balance(10 * (HOLD_MICROCREDITS - 1_012), 0)


@pytest.mark.usefixtures("grant_for_ten")
async def test_look_before_the_hold_lets_too_many_begin(
    store: PostgresStore, author: Author, owner: psycopg.Connection, database: Database, record_property: Record
) -> None:
    """The control: the same race, with a look at the balance and a hold that does not look, nor the schema."""
    await store.get_balance(author.principal)
    owner.execute(
        "alter table public.credit_accounts disable trigger user,"
        " drop constraint credit_accounts_available_not_negative"
    )
    whose = {"user_id": author.principal.user_id, "hold": HOLD_MICROCREDITS}

    async def begin() -> bool:
        async with await psycopg.AsyncConnection.connect(database.superuser_url) as conn:
            seen = await conn.execute(
                "select available_microcredits >= %(hold)s from public.credit_accounts where user_id = %(user_id)s",
                whose,
            )
            if await seen.fetchone() == (False,):
                return False
            await conn.execute(
                "update public.credit_accounts set available_microcredits = available_microcredits - %(hold)s,"
                " held_microcredits = held_microcredits + %(hold)s where user_id = %(user_id)s",
                whose,
            )
            return True

    begun = sum(await asyncio.gather(*(begin() for _ in range(40))))

    record_property("begun_of_40", begun)
    assert begun > 10
    assert (await store.get_balance(author.principal)).available_microcredits < 0


async def test_refused_hold_is_no_error_of_the_database(
    store: PostgresStore, author: Author, owner: psycopg.Connection, database: Database
) -> None:
    """Not even when others took the credit between the look and the hold: the server's log stays quiet."""
    owner.execute("update public.prices set amount_microcredits = %s where name = 'first_grant'", [HOLD_MICROCREDITS])
    attempts = [store.begin(author.principal, run_start(author.detail)) for _ in range(50)]
    await asyncio.gather(*attempts, return_exceptions=True)

    log = (database.cluster.socket_dir / "log").read_text()
    assert "credit_accounts_available_not_negative" not in log


async def test_run_is_priced_as_at_its_begin(store: PostgresStore, author: Author, owner: psycopg.Connection) -> None:
    begun = await store.begin(author.principal, run_start(author.detail))
    owner.execute("update public.prices set amount_microcredits = 7 where name in ('run', 'wall_ms')")

    assert await store.finish(author.principal, begun, succeeded(wall_ms=12)) == Charge(1_012, 1_012)
    cheaper = await store.begin(author.principal, run_start(author.detail))
    assert cheaper.hold_microcredits == 7 + 7 * 10_000


async def test_nothing_is_held_where_runs_are_free(
    store: PostgresStore, author: Author, owner: psycopg.Connection
) -> None:
    owner.execute("update public.prices set amount_microcredits = 0")
    begun = await store.begin(author.principal, run_start(author.detail))

    assert begun.hold_microcredits == 0
    assert await store.finish(author.principal, begun, succeeded()) == Charge(0, 0)
    assert (await store.list_entries(author.principal, limit=10, cursor=None)).items == []


async def test_finish_and_reap_at_once_close_each_hold_once(
    store: PostgresStore, author: Author, database: Database
) -> None:
    for _ in range(10):
        begun = [await store.begin(author.principal, run_start(author.detail, server_id=uuid4())) for _ in range(8)]
        finishes = (store.finish(author.principal, run, succeeded(wall_ms=12)) for run in begun)
        reaped, _, *ends = await asyncio.gather(store.reap(), store.reap(), *finishes, return_exceptions=True)

        assert isinstance(reaped, int)
        assert all(isinstance(end, (Charge, StaleRunError)) for end in ends)
        for run, end in zip(begun, ends, strict=True):
            stored = await store.get_run(author.principal, run.run_id)
            assert (stored.reason == "lost") == isinstance(end, StaleRunError)
    balance = await store.get_balance(author.principal)
    assert balance.held_microcredits == 0
    assert await audit_balances(database.owner_url) == []


async def test_lease_is_judged_by_the_databases_clock(
    store: PostgresStore, author: Author, superuser: psycopg.Connection
) -> None:
    server_id = uuid4()
    await store.register_server(server_id)
    begun = await store.begin(author.principal, run_start(author.detail, server_id=server_id))
    (left,) = superuser.execute(
        "select expires_at - clock_timestamp() from public.server_leases where server_id = %s", [server_id]
    ).fetchone() or (None,)
    assert left is not None
    assert 14 < left.total_seconds() <= 15
    assert await store.reap() == 0

    superuser.execute(
        "update public.server_leases set expires_at = clock_timestamp() where server_id = %s", [server_id]
    )

    assert await store.reap() == 1
    with pytest.raises(StaleRunError):
        await store.finish(author.principal, begun, succeeded())


async def test_grant_is_added_and_repeated_by_its_key_only_once(
    store: PostgresStore, author: Author, database: Database
) -> None:
    user_id = author.principal.user_id
    first = await grant_credits(database.owner_url, user_id, 500, idempotency_key="invoice-7")
    again = await grant_credits(database.owner_url, user_id, 500, idempotency_key="invoice-7")
    more = await grant_credits(database.owner_url, user_id, 1, idempotency_key=None)
    most = await grant_credits(database.owner_url, user_id, 1, idempotency_key=None)

    assert first == again == Balance(FIRST_GRANT_MICROCREDITS + 500, 0)
    assert (more.available_microcredits, most.available_microcredits) == (
        FIRST_GRANT_MICROCREDITS + 501,
        FIRST_GRANT_MICROCREDITS + 502,
    )
    with pytest.raises(ValueError, match="another amount"):
        await grant_credits(database.owner_url, user_id, 501, idempotency_key="invoice-7")
    other = await grant_credits(database.owner_url, uuid4(), 500, idempotency_key="invoice-7")
    assert other == Balance(FIRST_GRANT_MICROCREDITS + 500, 0)


@pytest.mark.parametrize("amount", [0, -1, 2**63, 2**63 - 1])
async def test_grant_out_of_range_changes_nothing(
    store: PostgresStore, author: Author, database: Database, amount: int
) -> None:
    before = await store.get_balance(author.principal)

    with pytest.raises(ValueError, match=r"grant is|refuses"):
        await grant_credits(database.owner_url, author.principal.user_id, amount, idempotency_key=None)
    assert await store.get_balance(author.principal) == before


@pytest.mark.parametrize("key", ["", "x" * 257, "é" * 129])
async def test_idempotency_key_is_bounded(database: Database, key: str) -> None:
    with pytest.raises(ValueError, match="idempotency key"):
        await grant_credits(database.owner_url, uuid4(), 1, idempotency_key=key)


async def test_server_cannot_grant(database: Database) -> None:
    with pytest.raises(StoreMisconfiguredError):
        await grant_credits(database.login_url, uuid4(), 1, idempotency_key=None)
    with psycopg.connect(database.login_url) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("set local role glovebox_user; select glovebox.grant_credits(gen_random_uuid(), 1, 'k')")


TAMPERING = [
    ("update public.credit_entries set amount_microcredits = 1", "credit_entries_append_only"),
    ("delete from public.credit_entries", "credit_entries_erased_only"),
    ("truncate public.credit_entries", "credit_entries_append_only"),
    ("truncate public.credit_accounts", "credit_accounts_stay"),
    ("delete from public.credit_accounts", "credit_accounts_erased_only"),
    ("update public.credit_accounts set available_microcredits = 1", "credit_accounts_moved_by_entries"),
    ("insert into public.credit_accounts (user_id, available_microcredits) values (gen_random_uuid(), 5)",
     "credit_accounts_start_empty"),
]  # fmt: skip

ENTRY = (
    "insert into public.credit_entries (user_id, kind, amount_microcredits, available_delta_microcredits,"
    " held_delta_microcredits, run_id, hold_id, idempotency_key) values (%(user_id)s, %(kind)s, %(amount)s,"
    " %(available)s, %(held)s, %(run_id)s, %(hold_id)s, 'forged')"
)

# kind, amount, available delta, held delta, of a run, closing the hold, what refuses it
FORGED = [
    ("grant", -5, -5, 0, False, False, "credit_entries_amount_not_negative"),
    ("grant", 0, 0, 0, False, False, "credit_entries_amount_not_negative"),
    ("grant", 5, 6, 0, False, False, "credit_entries_fit_kind"),
    ("grant", 5, 5, 0, True, False, "credit_entries_fit_kind"),
    ("grant", 2**63 - 1, 2**63 - 1, 0, False, False, "22003"),
    ("grant", 2**63, 2**63, 0, False, False, "22003"),
    ("hold", 5, 5, 5, True, False, "credit_entries_fit_kind"),
    ("hold", 5, -5, 5, False, False, "credit_entries_fit_kind"),
    ("hold", 99_000_000, -99_000_000, 99_000_000, True, False, "credit_accounts_available_not_negative"),
    ("settle", 5, 6, -HOLD_MICROCREDITS, True, True, "credit_entries_fit_kind"),
    ("settle", HOLD_MICROCREDITS + 1, -1, -HOLD_MICROCREDITS, True, True, "credit_entries_fit_kind"),
    ("settle", 5, 1, -6, True, True, "credit_entries_closes_its_hold"),
    ("settle", 5, HOLD_MICROCREDITS - 5, -HOLD_MICROCREDITS, True, False, "credit_entries_fit_kind"),
    ("release", 5, 5, -5, True, True, "credit_entries_closes_its_hold"),
    ("release", -5, -5, 5, True, True, "credit_entries_amount_not_negative"),
    ("refund", 5, 5, 0, False, False, "22P02"),
]


@pytest.mark.parametrize(("statement", "constraint"), TAMPERING)
async def test_database_itself_refuses_to_change_the_books(
    store: PostgresStore, author: Author, superuser: psycopg.Connection, statement: str, constraint: str
) -> None:
    """Even to its superuser, who has every right."""
    before = await store.get_balance(author.principal)

    with pytest.raises(psycopg.Error) as raised:
        superuser.execute(statement.encode())
    assert raised.value.diag.constraint_name == constraint
    assert await store.get_balance(author.principal) == before


@pytest.mark.parametrize(("kind", "amount", "available", "held", "of_run", "closing", "refusal"), FORGED)
async def test_database_itself_refuses_a_forged_entry(
    store: PostgresStore,
    author: Author,
    superuser: psycopg.Connection,
    kind: str,
    amount: int,
    available: int,
    held: int,
    of_run: bool,
    closing: bool,
    refusal: str,
) -> None:
    begun = await store.begin(author.principal, run_start(author.detail))
    before = await store.get_balance(author.principal)
    hold = superuser.execute("select max(id) from public.credit_entries where kind = 'hold'").fetchone()
    assert hold is not None

    with pytest.raises(psycopg.Error) as raised:
        superuser.execute(
            ENTRY,
            {
                "user_id": author.principal.user_id,
                "kind": kind,
                "amount": amount,
                "available": available,
                "held": held,
                "run_id": begun.run_id if of_run else None,
                "hold_id": hold[0] if closing else None,
            },
        )
    assert refusal in (raised.value.diag.constraint_name, raised.value.sqlstate)
    assert await store.get_balance(author.principal) == before


async def test_hold_is_closed_once_whatever_the_key(
    store: PostgresStore, author: Author, superuser: psycopg.Connection
) -> None:
    begun = await store.begin(author.principal, run_start(author.detail))
    await store.finish(author.principal, begun, failed(billable=False))
    before = await store.get_balance(author.principal)

    with pytest.raises(psycopg.errors.UniqueViolation) as raised:
        superuser.execute(
            "insert into public.credit_entries (user_id, kind, amount_microcredits, available_delta_microcredits,"
            " held_delta_microcredits, run_id, hold_id, idempotency_key) select user_id, 'release',"
            " amount_microcredits, amount_microcredits, -amount_microcredits, run_id, id, 'another key'"
            " from public.credit_entries where kind = 'hold'"
        )
    assert raised.value.diag.constraint_name == "credit_entries_hold_closed_once"
    assert await store.get_balance(author.principal) == before


async def test_fractions_of_a_microcredit_do_not_exist(superuser: psycopg.Connection) -> None:
    kinds = superuser.execute(
        "select distinct data_type from information_schema.columns where table_schema = 'public'"
        " and column_name like '%microcredits%'"
    ).fetchall()

    assert kinds == [("bigint",)]


async def test_audit_finds_books_that_do_not_agree(
    store: PostgresStore, author: Author, superuser: psycopg.Connection, database: Database
) -> None:
    """The control: with the trigger off, a balance can be bent, and the audit says whose."""
    await store.get_balance(author.principal)
    assert await audit_balances(database.owner_url) == []

    superuser.execute("set session_replication_role = replica")
    superuser.execute("update public.credit_accounts set available_microcredits = 5")

    (found,) = await audit_balances(database.owner_url)
    assert (found.user_id, found.available_microcredits) == (author.principal.user_id, 5)
    assert found.available_sum_microcredits == FIRST_GRANT_MICROCREDITS
