"""Random histories of credits against a small reference model: equal after every step, to the last microcredit."""

import json
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.numeric import Int4

from agents_store.postgres.connection import claims_of
from agents_store.postgres.queries import query
from agents_store.postgres.store import PostgresStore
from agents_store.types import Principal
from tests.integration.store.conftest import Author
from tests.support.database import Database
from tests.support.figures import Record
from tests.support.records import SERVER_ID, new_version

FIRST_GRANT, RUN, WALL_MS_MAX = 10_000_000, 1_000, 10_000
STEPS = 50


@dataclass
class Model:
    """What an account must hold: grants, open holds, and what was charged."""

    granted: int = FIRST_GRANT
    charged: int = 0
    open: dict[UUID, int] = field(default_factory=dict)
    closed: set[UUID] = field(default_factory=set)
    keys: dict[str, int] = field(default_factory=dict)

    def balance(self) -> tuple[int, int]:
        held = sum(self.open.values())
        return self.granted - self.charged - held, held

    def grant(self, key: str, amount: int) -> bool:
        if key not in self.keys:
            self.keys[key] = amount
            self.granted += amount
        return self.keys[key] == amount

    def begin(self, run_id: UUID, amount: int) -> str:
        if amount > self.balance()[0]:
            return "insufficient"
        self.open[run_id] = amount
        return "begun"

    def close(self, run_id: UUID, wall_ms: int | None) -> int | None:
        """The charge, None where nothing was open. `wall_ms` None releases."""
        if run_id not in self.open:
            return None
        hold = self.open.pop(run_id)
        self.closed.add(run_id)
        charge = 0 if wall_ms is None else min(RUN + wall_ms, hold)
        self.charged += charge
        return charge


class Bench:
    """Carries the model's operations out in the database, as the server would."""

    def __init__(self, database: Database, author: Author) -> None:
        self.serve(author)
        self.login = psycopg.connect(database.login_url, autocommit=True)
        self.owner = psycopg.connect(database.owner_url, autocommit=True)

    def serve(self, author: Author) -> None:
        """Whose account the operations move from now on."""
        self.user_id = author.principal.user_id
        self.claims = claims_of(self.user_id)
        self.agent_id = author.detail.agent.id

    def close(self) -> None:
        self.login.close()
        self.owner.close()

    def ask(self, conn: psycopg.Connection, name: str, **params: object) -> tuple[object, ...]:
        found = conn.execute(query(name), params).fetchone()
        assert found is not None
        return found

    def balance(self) -> tuple[int, int]:
        found = self.owner.execute(
            "select available_microcredits, held_microcredits from public.credit_accounts where user_id = %s",
            [self.user_id],
        ).fetchone()
        return (FIRST_GRANT, 0) if found is None else (int(found[0]), int(found[1]))

    def entries(self) -> list[tuple[object, ...]]:
        """The account's ledger, oldest first: kind and run in front of the whole row."""
        return self.owner.execute(
            "select kind::text, run_id, e.* from public.credit_entries e where user_id = %s order by id", [self.user_id]
        ).fetchall()

    def begin(self, run_id: UUID, server_id: UUID = SERVER_ID) -> str:
        row = self.ask(
            self.login, "begin_run", claims=self.claims, run_id=run_id, agent_id=self.agent_id, version=Int4(1),
            test=False, inputs="{}", seed=1, wall="full", wall_missing=[], server_id=server_id, parent_run_id=None,
        )  # fmt: skip
        return str(row[0])

    def finish(self, run_id: UUID, wall_ms: int | None) -> int | None:
        row = self.ask(
            self.login, "finish_run", claims=self.claims, run_id=run_id, revision=Int4(1), state="failed",
            outcome="failed", reason=None, billable=wall_ms is not None, result=None, error=json.dumps({}),
            wall_ms=Int4(wall_ms or 0), cpu_ms=Int4(0), peak_memory_bytes=0, output_bytes=0, logs=None,
            effects=None, glove_calls=None, tier=None, wall=None, wall_missing=None, complete=True, replayable=True,
        )  # fmt: skip
        return int(str(row[1])) if row[0] else None


def closings(entries: list[tuple[object, ...]]) -> Mapping[object, int]:
    """How often the hold of each run was closed; 0 where it was only made."""
    closed = Counter(run_id for kind, run_id, *_ in entries if kind in ("settle", "release"))
    return {run_id: closed[run_id] for kind, run_id, *_ in entries if kind == "hold"}


def step(chance: random.Random, bench: Bench, model: Model) -> None:
    """One random operation on both; what they answer must be equal."""
    known = [*model.open, *model.closed, uuid4()]
    match chance.choice(["begin", "begin", "begin", "settle", "settle", "release", "expire", "grant", "repeat"]):
        case "begin":
            run_id = uuid4()
            assert bench.begin(run_id) == model.begin(run_id, RUN + WALL_MS_MAX)
        case "settle":
            run_id, wall_ms = chance.choice(known), chance.choice([0, 1, 12, WALL_MS_MAX, 50_000, 2**31 - 1])
            assert bench.finish(run_id, wall_ms) == model.close(run_id, wall_ms)
        case "release":
            run_id = chance.choice(known)
            assert bench.finish(run_id, None) == model.close(run_id, None)
        case "expire":
            run_id = uuid4()
            if bench.begin(run_id, server_id=uuid4()) == model.begin(run_id, RUN + WALL_MS_MAX) == "begun":
                assert bench.ask(bench.login, "reap_runs", runs_max=Int4(10), abandoned=[], server_id=None) == (1,)
                model.close(run_id, None)
        case "grant" | "repeat" as kind:
            key = chance.choice(list(model.keys)) if kind == "repeat" and model.keys else str(uuid4())
            amount = model.keys.get(key, chance.choice([1, 999, 11_000]))
            bench.ask(
                bench.owner, "grant_credits", user_id=bench.user_id, amount_microcredits=amount, idempotency_key=key
            )
            assert model.grant(key, amount)


async def _history(database: Database, store: PostgresStore, author: Author, seeds: range) -> None:
    bench = Bench(database, author)
    for seed in seeds:
        await store.register_server(SERVER_ID)  # the heartbeat, without which what is open would rightly be reaped
        principal = Principal(uuid4())
        bench.serve(Author(principal, await store.create_agent(principal, "hello", "", new_version())))
        await store.get_balance(principal)
        model = Model()
        chance = random.Random(seed)  # noqa: S311 - repeatable
        early: list[tuple[object, ...]] = []
        for number in range(STEPS):
            step(chance, bench, model)
            assert bench.balance() == model.balance(), f"seed {seed}, step {number}"
            early = early or bench.entries()
        assert min(bench.balance()) >= 0
        # What stays open is what every reaper looks through, so a history leaves nothing behind.
        for run_id in list(model.open):
            assert bench.finish(run_id, None) == model.close(run_id, None)
        entries = bench.entries()
        assert entries[: len(early)] == early, f"seed {seed}: an entry was changed"
        assert closings(entries) == dict.fromkeys(model.closed, 1), f"seed {seed}"
    assert bench.owner.execute("select * from glovebox.audit_balances()").fetchall() == []
    bench.close()


async def test_random_histories_agree_with_the_model(
    database: Database, store: PostgresStore, author: Author, record_property: Record
) -> None:
    record_property("histories", 40)
    await _history(database, store, author, range(40))


@pytest.mark.long
@pytest.mark.parametrize("first_seed", range(0, 10_000, 1_000))
async def test_ten_thousand_random_histories_agree_with_the_model(
    database: Database, store: PostgresStore, author: Author, record_property: Record, first_seed: int
) -> None:
    record_property("histories", 10_000)
    await _history(database, store, author, range(first_seed, first_seed + 1_000))
