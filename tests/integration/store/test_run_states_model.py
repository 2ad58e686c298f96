"""Runs and credits as a state machine: whatever is begun, ended, called, cancelled, lost or carried out, in any order.

After every step each run is in the state that a small reference says, the account holds what it says, and the ledger
has only grown.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from uuid_utils.compat import uuid7

from agents_store.errors import ApplyLiveError, InsufficientCreditsError, RunFinishedError, StaleRunError
from agents_store.postgres.admin import audit_balances, grant_credits
from agents_store.postgres.store import PostgresStore
from agents_store.types import ApplyStart, BegunRun, Charge, Principal, RunEnd, RunState
from tests.support.database import Database
from tests.support.records import failed, new_version, run_start, succeeded

T = TypeVar("T")

RUN, WALL_MS_MAX, CALLS_MAX = 1_000, 10_000, 3
LIMITS = {"wall_ms_max": WALL_MS_MAX, "cpu_ms_max": 5_000, "calls_max": CALLS_MAX, "fetches_max": 0}
# The most that a run and three that it calls may cost, at the prices that the migrations set.
HOLD = RUN * (1 + CALLS_MAX) + WALL_MS_MAX * (1 + CALLS_MAX) + 10 * 500
FIRST_GRANT = 4 * HOLD + 1
LOST = ("failed", "failed", "lost")
ENDS: dict[str, RunEnd] = {
    "succeeded": succeeded(),
    "failed": failed(),
    "not billable": failed(reason="lost", billable=False),
    "cancelled": replace(failed(outcome="cancelled"), state=RunState.CANCELLED),
}


@dataclass
class Expected:
    """A run as it must be."""

    server: int
    test: bool
    hold: int
    parent: UUID | None = None
    source: UUID | None = None
    end: tuple[str, str, str | None] | None = None
    charge: int = 0
    cancel: bool = False

    @property
    def row(self) -> tuple[object, ...]:
        state, outcome, reason = self.end or ("executing", None, None)
        return state, outcome, reason, self.charge, 1 if self.end is None else 2


@dataclass
class Reference:
    """One account and its runs."""

    granted: int = FIRST_GRANT
    charged: int = 0
    runs: dict[UUID, Expected] = field(default_factory=dict)

    @property
    def held(self) -> int:
        return sum(run.hold for run in self.runs.values() if run.end is None)

    @property
    def available(self) -> int:
        return self.granted - self.charged - self.held

    def live_on(self, servers: set[int]) -> list[Expected]:
        return [run for run in self.runs.values() if run.end is None and run.server in servers]

    def finish(self, run_id: UUID, end: RunEnd) -> Charge | None:
        """What it costs, None where it has ended before."""
        run = self.runs[run_id]
        if run.end is not None:
            return None
        called = sum(child.charge for child in self.runs.values() if child.parent == run_id)
        price = min(RUN + end.wall_ms + called, HOLD) if end.billable else 0
        run.end, run.charge = (end.state.value, end.outcome, end.reason), 0 if run.test else price
        self.charged += run.charge if run.hold else 0
        return Charge(run.charge, price)

    def lose(self, servers: set[int]) -> int:
        lost = self.live_on(servers)
        for run in lost:
            run.end = LOST
        return len(lost)


@dataclass
class Ground:
    """Two servers' stores on one database, and an operator's connection."""

    database: Database
    stores: tuple[PostgresStore, PostgresStore]
    operator: psycopg.Connection
    runner: asyncio.Runner

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)


class Runs(RuleBasedStateMachine):
    """One user, one agent, two servers that may die."""

    begun = Bundle("begun")

    ground: Ground  # whoever runs the machine gives it one

    def __init__(self) -> None:
        super().__init__()
        self.reference = Reference()
        self.entries: list[tuple[object, ...]] = []
        self.dead: set[int] = set()

    @initialize()
    def arrive(self) -> None:
        self.principal = Principal(uuid4())
        self.servers = [uuid4(), uuid4()]
        store, do = self.ground.stores[0], self.ground.do
        self.detail = do(store.create_agent(self.principal, "hello", "", new_version(limits=LIMITS)))
        do(store.get_balance(self.principal))
        self._breathe()

    def _breathe(self) -> None:
        """Extend the leases of those that live: they last seconds, and a history may take longer."""
        for number in {0, 1} - self.dead:
            self.ground.do(self.ground.stores[number].register_server(self.servers[number]))

    @rule(target=begun, server=st.sampled_from((0, 1)), test=st.booleans())
    def begin(self, server: int, test: bool) -> Any:
        start = run_start(self.detail, test=test, server_id=self.servers[server])
        return self._begun(
            server, start.run_id, test=test, work=self.ground.stores[server].begin(self.principal, start)
        )

    @rule(target=begun, parent=begun)
    def call(self, parent: BegunRun) -> Any:
        """An agent calls another: only while it runs, and from where it runs."""
        caller = self.reference.runs[parent.run_id]
        start = run_start(self.detail, test=caller.test, server_id=self.servers[caller.server])
        work = self.ground.stores[caller.server].begin(self.principal, replace(start, parent_run_id=parent.run_id))
        if caller.end is not None:
            with pytest.raises(StaleRunError):
                self.ground.do(work)
            return multiple()
        self.reference.runs[start.run_id] = Expected(caller.server, caller.test, 0, parent.run_id)
        return self.ground.do(work)

    @rule(target=begun, dry=begun, server=st.sampled_from((0, 1)))
    def apply(self, dry: BegunRun, server: int) -> Any:
        """A dry run that has ended is carried out, by one run at a time."""
        if not self.reference.runs[dry.run_id].test or self.reference.runs[dry.run_id].end is None:
            return multiple()
        start = ApplyStart(uuid7(), dry.run_id, self.detail.agent.id, "hello", 1, "full", [], self.servers[server])
        work = self.ground.stores[server].begin_apply(self.principal, start)
        others = (run for run in self.reference.runs.values() if run.source == dry.run_id and run.end is None)
        if self.reference.available >= HOLD and any(others):
            with pytest.raises(ApplyLiveError):
                self.ground.do(work)
            return multiple()
        return self._begun(server, start.run_id, source=dry.run_id, work=work)

    def _begun(
        self,
        server: int,
        run_id: UUID,
        *,
        work: Coroutine[Any, Any, BegunRun],
        test: bool = False,
        source: UUID | None = None,
    ) -> Any:
        hold = 0 if test else HOLD
        if hold > self.reference.available:
            with pytest.raises(InsufficientCreditsError):
                self.ground.do(work)
            return multiple()
        self.reference.runs[run_id] = Expected(server, test, hold, source=source)
        begun = self.ground.do(work)
        assert begun.hold_microcredits == hold
        return begun

    @rule(run=begun, how=st.sampled_from(sorted(ENDS)), wall_ms=st.sampled_from((0, 1, 12, 10_000, 60_000, 2**31 - 1)))
    def finish(self, run: BegunRun, how: str, wall_ms: int) -> None:
        """Also runs that have ended, also by a server that is taken for dead."""
        calls = sum(child.parent == run.run_id for child in self.reference.runs.values())
        end = replace(ENDS[how], wall_ms=wall_ms, glove_calls={"call": calls} if calls else {})
        work = self.ground.stores[self.reference.runs[run.run_id].server].finish(self.principal, run, end)
        if (charge := self.reference.finish(run.run_id, end)) is None:
            with pytest.raises(StaleRunError):
                self.ground.do(work)
        else:
            assert self.ground.do(work) == charge

    @rule(run=begun)
    def ask_to_cancel(self, run: BegunRun) -> None:
        work = self.ground.stores[0].request_cancel(self.principal, run.run_id)
        if self.reference.runs[run.run_id].end is None:
            self.reference.runs[run.run_id].cancel = True
            self.ground.do(work)
        else:
            with pytest.raises(RunFinishedError):
                self.ground.do(work)

    @rule(server=st.sampled_from((0, 1)), after=st.sampled_from((0.0, 0.0005, 0.001, 0.003)))
    def give_up_on_begin(self, server: int, after: float) -> None:
        """Nobody learns whether the run began; this server's next reaping ends it, should it have."""
        start = run_start(self.detail, server_id=self.servers[server])
        store = self.ground.stores[server]

        async def begin_and_leave() -> BegunRun | None:
            try:
                async with asyncio.timeout(after):
                    return await store.begin(self.principal, start)
            except (TimeoutError, InsufficientCreditsError):
                return None

        begun = self.ground.do(begin_and_leave())
        if begun is not None:
            self.reference.runs[start.run_id] = Expected(server, test=False, hold=HOLD)
            return
        self._breathe()
        lost = self.reference.lose(self.dead)
        reaped = self.ground.do(store.reap())
        assert reaped in (lost, lost + 1)
        if reaped > lost:
            self.reference.runs[start.run_id] = Expected(server, test=False, hold=HOLD, end=LOST)

    @rule(server=st.sampled_from((0, 1)), retired=st.booleans())
    def die(self, server: int, retired: bool) -> None:
        """A lease ends: given up, or run out."""
        self.dead.add(server)
        if retired:
            self.ground.do(self.ground.stores[server].retire_server(self.servers[server]))
        else:
            self.ground.operator.execute(
                "update public.server_leases set expires_at = clock_timestamp() where server_id = %s",
                [self.servers[server]],
            )

    @rule(server=st.sampled_from((0, 1)))
    def come_back(self, server: int) -> None:
        """A process that was only slow takes its lease again: what nobody reaped meanwhile is its own again."""
        self.dead.discard(server)
        self._breathe()

    @rule(by=st.sampled_from((0, 1)))
    def reap(self, by: int) -> None:
        self._breathe()
        assert self.ground.do(self.ground.stores[by].reap()) == self.reference.lose(self.dead)

    @rule(amount=st.sampled_from((1, 999, HOLD)))
    def grant(self, amount: int) -> None:
        self.reference.granted += amount
        owner_url, user_id = self.ground.database.owner_url, self.principal.user_id
        self.ground.do(grant_credits(owner_url, user_id, amount, idempotency_key=None))

    @rule(run=consumes(begun), state=st.sampled_from(("created", "executing", "completed", "failed", "cancelled")))
    def tamper(self, run: BegunRun, state: str) -> None:
        """Not even an operator moves a run that has ended, or one that runs back to before, or changes an entry."""
        if self.reference.runs[run.run_id].end is None and state != "created":
            return
        with pytest.raises(psycopg.errors.CheckViolation):
            self.ground.operator.execute(
                "update public.runs set state = %s, revision = revision + 1 where id = %s", [state, run.run_id]
            )
        with pytest.raises(psycopg.errors.RestrictViolation):
            self.ground.operator.execute(
                "update public.credit_entries set amount_microcredits = 0 where run_id = %s", [run.run_id]
            )

    @invariant()
    def every_run_is_as_expected(self) -> None:
        found = self.ground.operator.execute(
            "select id, state::text, outcome::text, reason, charge_microcredits, revision from public.runs"
            " where user_id = %s",
            [self.principal.user_id],
        )
        assert {row[0]: row[1:] for row in found} == {run_id: run.row for run_id, run in self.reference.runs.items()}

    @invariant()
    def account_is_as_expected(self) -> None:
        found = self.ground.operator.execute(
            "select available_microcredits, held_microcredits from public.credit_accounts where user_id = %s",
            [self.principal.user_id],
        ).fetchone()
        assert found == (self.reference.available, self.reference.held)

    @invariant()
    def ledger_only_grows_and_closes_each_hold_once(self) -> None:
        entries = self.ground.operator.execute(
            "select kind::text, run_id, e.* from public.credit_entries e where user_id = %s order by id",
            [self.principal.user_id],
        ).fetchall()
        assert entries[: len(self.entries)] == self.entries
        self.entries = entries
        closed = Counter(run_id for kind, run_id, *_ in entries if kind in ("settle", "release"))
        held = [run_id for kind, run_id, *_ in entries if kind == "hold"]
        assert len(held) == len(set(held))
        assert {run_id: closed[run_id] for run_id in held} == {
            run_id: int(run.end is not None) for run_id, run in self.reference.runs.items() if run.hold
        }

    @invariant()
    def whoever_executes_a_run_learns_that_it_is_to_be_cancelled(self) -> None:
        for number, server in enumerate(self.servers):
            asked = set(self.ground.do(self.ground.stores[number].cancel_requests(server)))
            expected = {run_id for run_id, run in self.reference.runs.items() if run.cancel and run.end is None}
            assert asked == {run_id for run_id in expected if self.reference.runs[run_id].server == number}

    def teardown(self) -> None:
        """What is left is lost, and the next history's reapers find nothing."""
        for number in (0, 1):
            self.ground.do(self.ground.stores[number].retire_server(self.servers[number]))
        assert self.ground.do(self.ground.stores[0].reap()) == self.reference.lose({0, 1})
        self.every_run_is_as_expected()
        self.account_is_as_expected()
        self.ledger_only_grows_and_closes_each_hold_once()


@pytest.fixture
def ground(database: Database) -> Iterator[Ground]:
    with asyncio.Runner() as runner, psycopg.connect(database.superuser_url, autocommit=True) as operator:
        operator.execute("update public.prices set amount_microcredits = %s where name = 'first_grant'", [FIRST_GRANT])
        stores = PostgresStore(database.login_url, pool_max=2), PostgresStore(database.login_url, pool_max=2)
        for store in stores:
            runner.run(store.open())
        yield Ground(database, stores, operator, runner)
        for store in stores:
            runner.run(store.close())


def check(ground: Ground, *, histories: int, steps: int, repeatable: bool, shrinking: bool = True) -> None:
    run_state_machine_as_test(
        type("RunsOnGround", (Runs,), {"ground": ground}),
        settings=settings(
            phases=[Phase.generate, *([Phase.shrink] if shrinking else [])],
            max_examples=histories,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=repeatable,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert ground.do(audit_balances(ground.database.owner_url)) == []


def test_runs_and_credits_agree_with_the_reference_after_every_step(ground: Ground) -> None:
    check(ground, histories=10, steps=20, repeatable=True)


def test_model_notices_a_balance_that_does_not_follow_its_entries(ground: Ground) -> None:
    """The control: the same histories without the trigger that moves balances."""
    ground.operator.execute("alter table public.credit_entries disable trigger credit_entries_move_balance")

    with pytest.raises(AssertionError):
        check(ground, histories=10, steps=20, repeatable=True, shrinking=False)


@pytest.mark.long
def test_two_hundred_histories_agree_with_the_reference_after_every_step(ground: Ground) -> None:
    check(ground, histories=200, steps=50, repeatable=False)
