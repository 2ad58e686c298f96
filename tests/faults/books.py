"""The books of a whole database, as its superuser reads them: no test of a fault trusts the server's own word."""

import asyncio
from dataclasses import dataclass

import psycopg

from agents_store.postgres.admin import audit_balances
from tests.acceptance.running import eventually
from tests.support.database import Database

FINAL = ("completed", "failed", "cancelled")
SUMS = """
with closed as materialized (
    select e.run_id,
        count(*) filter (where e.kind in ('settle', 'release')) as times,
        sum(e.amount_microcredits) filter (where e.kind = 'settle') as charged
    from public.credit_entries e where e.run_id is not null group by e.run_id
)
select
    (select coalesce(sum(amount_microcredits) filter (where kind = 'grant'), 0) from public.credit_entries),
    (select coalesce(sum(amount_microcredits) filter (where kind = 'settle'), 0) from public.credit_entries),
    (select coalesce(sum(held_microcredits), 0) from public.credit_accounts),
    (select coalesce(sum(available_microcredits), 0) from public.credit_accounts),
    (select count(*) from public.runs),
    (select count(*) from public.runs where outcome is null or state::text <> all (%(final)s)),
    (select count(*) from public.runs r left join closed c on c.run_id = r.id
        where r.hold_microcredits > 0 and coalesce(c.times, 0) <> 1),
    (select count(*) from public.runs r left join closed c on c.run_id = r.id
        where coalesce(r.charge_microcredits, 0) <> coalesce(c.charged, 0))
"""


@dataclass(frozen=True, slots=True)
class Books:
    """Of a whole database; amounts in microcredits."""

    granted: int
    charged: int
    held: int
    available: int
    runs: int
    unfinished: int
    wrongly_closed: int
    wrongly_charged: int

    @classmethod
    def of(cls, database: Database) -> "Books":
        with psycopg.connect(database.superuser_url) as conn:
            found = conn.execute(SUMS, {"final": list(FINAL)}).fetchone()
            assert found is not None
            return cls(*map(int, found))

    @property
    def open(self) -> bool:
        return bool(self.unfinished or self.held)


async def assert_books_close(database: Database) -> Books:
    """Within the bounds of `eventually` every run ended, in one state, every hold was closed once, every sum agrees."""

    async def closed() -> Books | None:
        books = await asyncio.to_thread(Books.of, database)
        return None if books.open else books

    books = await eventually(closed)
    assert books.wrongly_closed == books.wrongly_charged == 0, books
    assert books.granted - books.charged - books.held == books.available, books
    assert await audit_balances(database.owner_url) == []
    return books
