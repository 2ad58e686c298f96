"""Generations in the store: held for the worst case, settled to the microcredit, lost to nobody."""

import asyncio
import json
import random
from datetime import timedelta
from fractions import Fraction
from math import ceil
from uuid import uuid4

import psycopg
import pytest

from agents_store.errors import (
    GenerationUnaffordableError,
    RunsLiveError,
    StaleGenerationError,
    UnknownEngineError,
    UnknownGenerationError,
)
from agents_store.generations import GenerationEnd, GenerationState, TokenUsage
from agents_store.postgres.admin import audit_balances
from agents_store.postgres.store import PostgresStore
from agents_store.types import Balance, EntryKind, Principal
from tests.support.database import Database
from tests.support.records import SERVER_ID, generation_start

FIRST_GRANT_MICROCREDITS = 10_000_000
# claude-haiku-5-5, 4 attempts of 10,000 tokens at the price of writing them to the cache, and 1,000 of output
HOLD_MICROCREDITS = 4 * (10_000 * 1 + 2_500)
USAGE = TokenUsage(input_tokens=1_001, output_tokens=333, cache_read_tokens=5_003, cache_write_tokens=7)
CHARGE_MICROCREDITS = ceil(1_001 * Fraction(1, 2) + 333 * Fraction(5, 2) + 5_003 * Fraction(1, 20) + 7 * Fraction(1))


def ready(usage: TokenUsage = USAGE) -> GenerationEnd:
    return GenerationEnd(GenerationState.READY, None, usage, [{"number": 1, "code": "x = '\0\ud800'"}], version=1)


async def test_generation_is_held_settled_and_shown(store: PostgresStore, alice: Principal, database: Database) -> None:
    start = generation_start()
    assert await store.begin_generation(alice, start) == HOLD_MICROCREDITS
    assert await store.get_balance(alice) == Balance(FIRST_GRANT_MICROCREDITS - HOLD_MICROCREDITS, HOLD_MICROCREDITS)
    assert await store.finish_generation(alice, start.generation_id, ready()) == CHARGE_MICROCREDITS

    shown = await store.get_generation(alice, start.generation_id)
    assert (shown.state, shown.version, shown.usage) == (GenerationState.READY, 1, USAGE)
    assert (shown.hold_microcredits, shown.charge_microcredits) == (HOLD_MICROCREDITS, CHARGE_MICROCREDITS)
    assert shown.attempts == [{"number": 1, "code": "x = '\ufffd\ufffd'"}]
    (listed,) = (await store.list_generations(alice, limit=10, cursor=None)).items
    assert (listed.id, listed.attempts) == (shown.id, None)
    settled, held, _ = (await store.list_entries(alice, limit=10, cursor=None)).items
    assert (settled.kind, settled.amount_microcredits) == (EntryKind.SETTLE, CHARGE_MICROCREDITS)
    assert settled.generation_id == held.generation_id == start.generation_id
    assert settled.pricing is not None
    assert (settled.pricing["model"], settled.pricing["cache_read_tokens"]) == ("claude-haiku-5-5", 5_003)
    assert await store.get_balance(alice) == Balance(FIRST_GRANT_MICROCREDITS - CHARGE_MICROCREDITS, 0)
    assert await audit_balances(database.owner_url) == []


async def test_any_tokens_at_any_prices_are_charged_to_the_microcredit(
    store: PostgresStore, alice: Principal, owner: psycopg.Connection, database: Database
) -> None:
    chance = random.Random(7)  # noqa: S311 - repeatable
    kinds = ("input", "output", "cache_read", "cache_write")
    left = FIRST_GRANT_MICROCREDITS
    for _ in range(40):
        prices = [chance.choice([0, 1, 999_999, chance.randrange(5_000_000)]) for _ in kinds]
        columns = ", ".join(f"{kind}_microcredits_per_million = %s" for kind in kinds)
        owner.execute(f"update public.models set {columns}".encode(), prices)  # noqa: S608 - names from above
        counts = [chance.choice([0, 1, chance.randrange(30_000)]) for _ in kinds]
        start = generation_start(input_tokens_max=20_000, output_tokens_max=2_000, attempts_max=2)
        hold = await store.begin_generation(alice, start)
        charge = await store.finish_generation(alice, start.generation_id, ready(TokenUsage(*counts)))

        worst = 2 * (20_000 * max(prices[0], prices[2], prices[3]) + 2_000 * prices[1])
        exact = sum(count * price for count, price in zip(counts, prices, strict=True))
        assert hold == ceil(Fraction(worst, 1_000_000))
        assert charge == min(hold, ceil(Fraction(exact, 1_000_000)))
        left -= charge
        assert await store.get_balance(alice) == Balance(left, 0)
    assert await audit_balances(database.owner_url) == []


async def test_price_is_that_of_the_begin(store: PostgresStore, alice: Principal, owner: psycopg.Connection) -> None:
    start = generation_start()
    await store.begin_generation(alice, start)
    owner.execute("update public.models set input_microcredits_per_million = 900000000")

    assert await store.finish_generation(alice, start.generation_id, ready()) == CHARGE_MICROCREDITS


@pytest.mark.parametrize("usage", [TokenUsage(), TokenUsage(-5, -5, -5, -5)])
async def test_generation_that_used_nothing_releases_its_hold(
    store: PostgresStore, alice: Principal, usage: TokenUsage
) -> None:
    start = generation_start()
    await store.begin_generation(alice, start)
    ended = GenerationEnd(GenerationState.FAILED, "model_unavailable", usage)

    assert await store.finish_generation(alice, start.generation_id, ended) == 0
    assert (await store.list_entries(alice, limit=1, cursor=None)).items[0].kind is EntryKind.RELEASE
    assert await store.get_balance(alice) == Balance(FIRST_GRANT_MICROCREDITS, 0)


async def test_tokens_beyond_all_measure_cost_the_hold(store: PostgresStore, alice: Principal) -> None:
    start = generation_start()
    await store.begin_generation(alice, start)

    charge = await store.finish_generation(alice, start.generation_id, ready(TokenUsage(*[10**30] * 4)))

    assert charge == HOLD_MICROCREDITS


async def test_of_200_at_once_exactly_those_that_can_be_paid_begin(
    store: PostgresStore, alice: Principal, owner: psycopg.Connection, database: Database
) -> None:
    owner.execute(
        "update public.prices set amount_microcredits = %s where name = 'first_grant'", [10 * HOLD_MICROCREDITS + 5]
    )
    starts = [generation_start() for _ in range(200)]
    ends = await asyncio.gather(*(store.begin_generation(alice, start) for start in starts), return_exceptions=True)

    refused = [end for end in ends if isinstance(end, GenerationUnaffordableError)]
    assert (ends.count(HOLD_MICROCREDITS), len(refused)) == (10, 190)
    assert {error.needed_microcredits for error in refused} == {HOLD_MICROCREDITS}
    assert await store.get_balance(alice) == Balance(5, 10 * HOLD_MICROCREDITS)
    begun = [start for start, end in zip(starts, ends, strict=True) if end == HOLD_MICROCREDITS]
    assert len((await store.list_generations(alice, limit=100, cursor=None)).items) == 10
    await asyncio.gather(*(store.finish_generation(alice, start.generation_id, ready()) for start in begun))
    assert (await store.get_balance(alice)).held_microcredits == 0
    assert await audit_balances(database.owner_url) == []


async def test_generation_ends_once(store: PostgresStore, alice: Principal) -> None:
    start = generation_start()
    await store.begin_generation(alice, start)
    ends = await asyncio.gather(
        *(store.finish_generation(alice, start.generation_id, ready()) for _ in range(8)), return_exceptions=True
    )

    assert ends.count(CHARGE_MICROCREDITS) == 1
    assert sum(isinstance(end, StaleGenerationError) for end in ends) == 7


async def test_generation_of_a_dead_server_is_released_and_finishes_no_more(
    store: PostgresStore, alice: Principal, database: Database
) -> None:
    living, dead = generation_start(), generation_start(server_id=uuid4())
    for start in (living, dead):
        await store.begin_generation(alice, start)

    assert await store.reap() == 1

    with pytest.raises(StaleGenerationError):
        await store.finish_generation(alice, dead.generation_id, ready())
    lost = await store.get_generation(alice, dead.generation_id)
    assert (lost.state, lost.reason, lost.charge_microcredits) == (GenerationState.FAILED, "lost", 0)
    assert (await store.get_generation(alice, living.generation_id)).state is GenerationState.GENERATING
    assert (await store.get_balance(alice)).held_microcredits == HOLD_MICROCREDITS
    assert await audit_balances(database.owner_url) == []


async def test_begin_whose_answer_was_lost_is_released_by_its_own_server(
    store: PostgresStore, alice: Principal, database: Database
) -> None:
    for moments in range(40):
        beginning = asyncio.ensure_future(store.begin_generation(alice, generation_start()))
        for _ in range(moments):
            await asyncio.sleep(0)
        beginning.cancel()
        await asyncio.gather(beginning, return_exceptions=True)
        if not beginning.cancelled():
            break
    await store.reap()

    held = (await store.get_balance(alice)).held_microcredits
    live = [
        generation
        for generation in (await store.list_generations(alice, limit=100, cursor=None)).items
        if generation.state is GenerationState.GENERATING
    ]
    assert held == len(live) * HOLD_MICROCREDITS
    assert len(live) <= 1  # the one that got its answer
    assert await audit_balances(database.owner_url) == []


async def test_server_gives_up_its_own_generations_alone(
    store: PostgresStore, alice: Principal, database: Database
) -> None:
    own, others = generation_start(), generation_start(server_id=uuid4())
    await store.register_server(others.server_id)
    for start in (own, others):
        await store.begin_generation(alice, start)
    given_up = [own.generation_id, others.generation_id]
    with psycopg.connect(database.login_url) as login:
        reaped = login.execute(
            "select glovebox.reap_generations(10, %s, null), glovebox.reap_generations(10, %s, %s)",
            [given_up, given_up, SERVER_ID],
        ).fetchone()

    assert reaped == (0, 1)
    assert (await store.get_generation(alice, own.generation_id)).reason == "lost"
    assert (await store.get_generation(alice, others.generation_id)).state is GenerationState.GENERATING


async def test_generations_of_others_are_unknown(store: PostgresStore, alice: Principal) -> None:
    start, bob = generation_start(), Principal(uuid4())
    await store.begin_generation(alice, start)

    with pytest.raises(UnknownGenerationError):
        await store.get_generation(bob, start.generation_id)
    with pytest.raises(StaleGenerationError):
        await store.finish_generation(bob, start.generation_id, ready())
    assert (await store.list_generations(bob, limit=10, cursor=None)).items == []


async def test_engine_is_what_the_rows_say_now(
    store: PostgresStore, alice: Principal, owner: psycopg.Connection
) -> None:
    shipped = await store.read_engine(alice)
    owner.execute("update public.prompts set model = 'claude-opus-5-5', repairs_max = 1")
    owner.execute("update public.models set effort = 'high', output_tokens_max = 5 where name = 'claude-opus-5-5'")
    changed = await store.read_engine(alice)

    assert (shipped.model, shipped.repairs_max, shipped.effort) == ("claude-sonnet-5-5", 3, "medium")
    assert "ctx" in shipped.text
    assert (changed.model, changed.repairs_max, changed.effort) == ("claude-opus-5-5", 1, "high")
    assert (changed.output_tokens_max, changed.prompt_version) == (5, shipped.prompt_version + 1)


async def test_missing_rows_are_told(store: PostgresStore, alice: Principal, owner: psycopg.Connection) -> None:
    with pytest.raises(UnknownEngineError, match="models"):
        await store.begin_generation(alice, generation_start(model="gone"))
    assert (await store.get_balance(alice)).held_microcredits == 0
    owner.execute("delete from public.prompts")
    with pytest.raises(UnknownEngineError, match="prompts"):
        await store.read_engine(alice)


async def test_account_is_exported_and_erased_with_its_generations(store: PostgresStore, alice: Principal) -> None:
    start = generation_start()
    await store.begin_generation(alice, start)
    with pytest.raises(RunsLiveError):
        await store.erase_account(alice)
    await store.finish_generation(alice, start.generation_id, ready())

    lines = [json.loads(line) async for line in store.export_account(alice)]
    (exported,) = [line for line in lines if line["type"] == "generation"]
    assert (exported["id"], exported["attempts"][0]["number"]) == (str(start.generation_id), 1)
    assert lines[-1]["counts"]["generation"] == 1
    entries = [line for line in lines if line["type"] == "entry"]
    assert [entry["generation_id"] for entry in entries] == [None, *[str(start.generation_id)] * 2]

    await store.erase_account(alice)
    assert (await store.list_generations(alice, limit=10, cursor=None)).items == []


async def test_generations_past_retention_go_and_the_ledger_stays(store: PostgresStore, alice: Principal) -> None:
    done, living = generation_start(), generation_start()
    for start in (done, living):
        await store.begin_generation(alice, start)
    await store.finish_generation(alice, done.generation_id, ready())

    await store.purge(timedelta(days=1))
    assert len((await store.list_generations(alice, limit=10, cursor=None)).items) == 2
    await store.purge(timedelta(0))

    (left,) = (await store.list_generations(alice, limit=10, cursor=None)).items
    assert left.id == living.generation_id
    assert len((await store.list_entries(alice, limit=10, cursor=None)).items) == 4


FORGED = {
    "a settlement of a run's hold as a generation's": "'settle', 0, 5, -5, null, gen_random_uuid(), 1, null",
    "a hold of both": "'hold', 5, -5, 5, gen_random_uuid(), gen_random_uuid(), null, null",
    "a hold of neither": "'hold', 5, -5, 5, null, null, null, null",
    "a grant of a generation": "'grant', 5, 5, 0, null, gen_random_uuid(), null, null",
    "a priced hold": "'hold', 5, -5, 5, null, gen_random_uuid(), null, '{}'",
    "a priced run": "'settle', 0, 5, -5, gen_random_uuid(), null, 1, '{}'",
}


@pytest.mark.parametrize("name", FORGED)
async def test_entry_that_fits_no_kind_is_refused_to_anybody(
    store: PostgresStore, alice: Principal, database: Database, name: str
) -> None:
    await store.get_balance(alice)
    insert = (
        "insert into public.credit_entries (user_id, idempotency_key, kind, amount_microcredits,"  # noqa: S608 - ours
        " available_delta_microcredits, held_delta_microcredits, run_id, generation_id, hold_id, pricing)"
        f" values (%s, 'forged', {FORGED[name]})"
    )
    with (
        psycopg.connect(database.superuser_url) as superuser,
        pytest.raises(psycopg.errors.CheckViolation) as refused,
    ):
        superuser.execute(insert.encode(), [alice.user_id])
    assert refused.value.diag.constraint_name in ("credit_entries_fit_kind", "credit_entries_closes_its_hold")
