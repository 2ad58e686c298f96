"""What every store does. Each implementation passes this whole module."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from uuid_utils.compat import uuid7

from agents_store.errors import (
    AgentExistsError,
    InsufficientCreditsError,
    StaleRunError,
    UnknownAgentError,
    UnknownRunError,
    VersionMovedError,
)
from agents_store.store import Store
from agents_store.types import AgentStatus, Balance, Charge, EntryKind, LogRecord, Principal, RunState
from tests.support.records import HOLD_MICROCREDITS, SERVER_ID, failed, new_version, run_start, succeeded

FIRST_GRANT_MICROCREDITS = 10_000_000


@pytest.fixture
def alice() -> Principal:
    return Principal(uuid4())


@pytest.fixture
def bob() -> Principal:
    return Principal(uuid4())


async def test_agent_is_read_back_as_it_was_stored(store: Store, alice: Principal) -> None:
    version = new_version()
    created = await store.create_agent(alice, "hello", "greets", version)

    assert await store.get_agent(alice, "hello") == created
    assert created.version == version
    agent = created.agent
    assert (agent.agent_name, agent.description, agent.tier) == ("hello", "greets", "restricted")
    assert (agent.version, agent.revision, agent.status) == (1, 1, AgentStatus.ACTIVE)
    assert agent.user_id == alice.user_id
    assert agent.created_at.utcoffset() == timedelta(0)


async def test_agent_without_schema_and_examples_is_read_back_so(store: Store, alice: Principal) -> None:
    version = new_version(inputs_schema=None, examples=[], reasons={})
    await store.create_agent(alice, "bare", "", version)

    assert (await store.get_agent(alice, "bare")).version == version


async def test_name_is_taken_once_per_user(store: Store, alice: Principal, bob: Principal) -> None:
    await store.create_agent(alice, "hello", "", new_version())

    with pytest.raises(AgentExistsError) as raised:
        await store.create_agent(alice, "hello", "", new_version())
    assert raised.value.agent_name == "hello"
    assert (await store.create_agent(bob, "hello", "", new_version())).agent.user_id == bob.user_id


@pytest.mark.parametrize(
    "name", ["", "Hello", "-a", "a b", "a" * 64, "a\n", "0" * 32, "00000000-0000-7000-8000-000000000001", "é", "a\x00"]
)
async def test_name_outside_the_rule_is_refused(store: Store, alice: Principal, name: str) -> None:
    with pytest.raises(ValueError, match=r"agents_name_valid|refuses"):
        await store.create_agent(alice, name, "", new_version())
    assert (await store.list_agents(alice, agent_name=None, limit=10, cursor=None)).items == []


@pytest.mark.parametrize("name", ["a", "0", "a" * 63, "a-b_c", "0" * 31, "0" * 33])
async def test_name_inside_the_rule_is_stored(store: Store, alice: Principal, name: str) -> None:
    assert (await store.create_agent(alice, name, "", new_version())).agent.agent_name == name


async def test_version_without_a_wall_limit_is_refused(store: Store, alice: Principal) -> None:
    with pytest.raises(ValueError, match="agent_versions_wall_ms_limited"):
        await store.create_agent(alice, "unpriced", "", new_version(limits={}))
    with pytest.raises(UnknownAgentError):
        await store.get_agent(alice, "unpriced")


async def test_agents_are_listed_newest_first_page_by_page(store: Store, alice: Principal, bob: Principal) -> None:
    names = [f"agent-{number}" for number in range(5)]
    for name in names:
        await store.create_agent(alice, name, "", new_version())
    await store.create_agent(bob, "of-bob", "", new_version())

    seen: list[str] = []
    cursor = None
    sizes = []
    while True:
        page = await store.list_agents(alice, agent_name=None, limit=2, cursor=cursor)
        seen += [agent.agent_name for agent in page.items]
        sizes.append(len(page.items))
        if (cursor := page.next_cursor) is None:
            break
    assert seen == names[::-1]
    assert sizes == [2, 2, 1]


async def test_last_full_page_has_no_next(store: Store, alice: Principal) -> None:
    for number in range(2):
        await store.create_agent(alice, f"agent-{number}", "", new_version())

    assert (await store.list_agents(alice, agent_name=None, limit=2, cursor=None)).next_cursor is None


async def test_agents_are_found_by_name(store: Store, alice: Principal, bob: Principal) -> None:
    created = await store.create_agent(alice, "hello", "", new_version())

    assert (await store.list_agents(alice, agent_name="hello", limit=10, cursor=None)).items == [created.agent]
    assert (await store.list_agents(alice, agent_name="other", limit=10, cursor=None)).items == []
    assert (await store.list_agents(bob, agent_name="hello", limit=10, cursor=None)).items == []


async def test_another_users_agent_looks_unknown(store: Store, alice: Principal, bob: Principal) -> None:
    await store.create_agent(alice, "hello", "", new_version())

    for attempt in (store.get_agent, store.delete_agent):
        with pytest.raises(UnknownAgentError):
            await attempt(bob, "hello")
    assert (await store.get_agent(alice, "hello")).agent.status is AgentStatus.ACTIVE


async def test_deleting_frees_the_name_and_keeps_the_runs(store: Store, alice: Principal) -> None:
    detail = await store.create_agent(alice, "hello", "", new_version())
    begun = await store.begin(alice, run_start(detail))
    await store.finish(alice, begun, succeeded())

    await store.delete_agent(alice, "hello")

    with pytest.raises(UnknownAgentError):
        await store.get_agent(alice, "hello")
    with pytest.raises(UnknownAgentError):
        await store.delete_agent(alice, "hello")
    with pytest.raises(UnknownAgentError):
        await store.begin(alice, run_start(detail))
    assert (await store.list_agents(alice, agent_name=None, limit=10, cursor=None)).items == []
    assert (await store.get_run(alice, begun.run_id)).agent_name == "hello"
    again = await store.create_agent(alice, "hello", "", new_version())
    assert again.agent.id != detail.agent.id


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "é", "a" * 28, "=" * 27, "\x00", "A" * 10_000])
async def test_cursor_of_somebody_elses_making_is_refused(store: Store, alice: Principal, cursor: str) -> None:
    for listing in (
        store.list_agents(alice, agent_name=None, limit=1, cursor=cursor),
        store.list_runs(alice, agent_name=None, limit=1, cursor=cursor),
        store.list_entries(alice, limit=1, cursor=cursor),
    ):
        with pytest.raises(ValueError, match="cursor"):
            await listing


async def test_cursor_of_another_list_is_refused(store: Store, alice: Principal) -> None:
    for number in range(2):
        await store.create_agent(alice, f"agent-{number}", "", new_version())
    cursor = (await store.list_agents(alice, agent_name=None, limit=1, cursor=None)).next_cursor

    with pytest.raises(ValueError, match="cursor"):
        await store.list_runs(alice, agent_name=None, limit=1, cursor=cursor)


async def test_account_opens_with_one_grant_however_many_see_it_first(store: Store, alice: Principal) -> None:
    balances = await asyncio.gather(*(store.get_balance(alice) for _ in range(20)))

    assert set(balances) == {Balance(FIRST_GRANT_MICROCREDITS, 0)}
    entries = (await store.list_entries(alice, limit=10, cursor=None)).items
    assert [(entry.kind, entry.amount_microcredits) for entry in entries] == [
        (EntryKind.GRANT, FIRST_GRANT_MICROCREDITS)
    ]


async def test_first_begins_at_once_give_one_grant(store: Store, alice: Principal) -> None:
    detail = await store.create_agent(alice, "hello", "", new_version())

    await asyncio.gather(*(store.begin(alice, run_start(detail)) for _ in range(20)))

    held = 20 * HOLD_MICROCREDITS
    assert await store.get_balance(alice) == Balance(FIRST_GRANT_MICROCREDITS - held, held)


async def test_run_is_held_settled_and_stored(store: Store, alice: Principal) -> None:
    detail = await store.create_agent(alice, "hello", "", new_version())
    begun = await store.begin(alice, run_start(detail, inputs={"b": 1, "a": [1.50, None]}))
    during = await store.get_balance(alice)
    executing = await store.get_run(alice, begun.run_id)
    charge = await store.finish(alice, begun, succeeded(wall_ms=12, result_json='{"z": 1.50, "a": 1e2}'))

    assert begun.hold_microcredits == HOLD_MICROCREDITS
    assert during == Balance(FIRST_GRANT_MICROCREDITS - HOLD_MICROCREDITS, HOLD_MICROCREDITS)
    assert (executing.state, executing.outcome, executing.finished_at) == (RunState.EXECUTING, None, None)
    assert charge == Charge(1_012, 1_012)
    assert await store.get_balance(alice) == Balance(FIRST_GRANT_MICROCREDITS - 1_012, 0)
    run = await store.get_run(alice, begun.run_id)
    assert run.result_json == '{"z": 1.50, "a": 1e2}'
    assert run.inputs == {"b": 1, "a": [1.50, None]}
    assert (run.kind, run.agent_name, run.version, run.tier, run.wall) == (
        "invocation",
        "hello",
        1,
        "restricted",
        "full",
    )
    assert (run.state, run.outcome, run.charge_microcredits) == (RunState.COMPLETED, "succeeded", 1_012)
    assert (run.wall_ms, run.cpu_ms, run.peak_memory_bytes, run.output_bytes) == (12, 3, 10_000_000, 21)
    assert run.started_at == begun.started_at
    assert run.finished_at is not None
    assert run.finished_at >= begun.started_at


async def test_charge_never_exceeds_the_hold(store: Store, alice: Principal) -> None:
    detail = await store.create_agent(alice, "hello", "", new_version())
    begun = await store.begin(alice, run_start(detail))

    assert await store.finish(alice, begun, succeeded(wall_ms=2**31 - 1)) == Charge(
        HOLD_MICROCREDITS, HOLD_MICROCREDITS
    )
    assert await store.get_balance(alice) == Balance(FIRST_GRANT_MICROCREDITS - HOLD_MICROCREDITS, 0)


async def test_what_is_not_billable_is_released_whole(store: Store, alice: Principal) -> None:
    detail = await store.create_agent(alice, "hello", "", new_version())
    begun = await store.begin(alice, run_start(detail))

    assert await store.finish(alice, begun, failed(reason="lost", billable=False)) == Charge(0, 0)
    assert await store.get_balance(alice) == Balance(FIRST_GRANT_MICROCREDITS, 0)
    kinds = [entry.kind for entry in (await store.list_entries(alice, limit=10, cursor=None)).items]
    assert kinds == [EntryKind.RELEASE, EntryKind.HOLD, EntryKind.GRANT]


async def test_dry_run_costs_nothing_and_tells_what_it_would(store: Store, alice: Principal) -> None:
    detail = await store.create_agent(alice, "hello", "", new_version())
    before = await store.get_balance(alice)
    begun = await store.begin(alice, run_start(detail, test=True))

    assert begun.hold_microcredits == 0
    assert await store.get_balance(alice) == before
    assert await store.finish(alice, begun, succeeded(wall_ms=12)) == Charge(0, 1_012)
    assert await store.get_balance(alice) == before
    assert len((await store.list_entries(alice, limit=10, cursor=None)).items) == 1
    assert (await store.get_run(alice, begun.run_id)).test is True


async def test_dry_run_of_what_would_not_be_billed_would_cost_nothing(store: Store, alice: Principal) -> None:
    detail = await store.create_agent(alice, "hello", "", new_version())
    begun = await store.begin(alice, run_start(detail, test=True))

    assert await store.finish(alice, begun, failed(outcome="rejected", billable=False)) == Charge(0, 0)


async def test_hold_that_cannot_be_paid_changes_nothing(store: Store, alice: Principal) -> None:
    costly = new_version(limits={"wall_ms_max": 100_000_000})
    detail = await store.create_agent(alice, "costly", "", costly)
    before = await store.get_balance(alice)

    with pytest.raises(InsufficientCreditsError) as raised:
        await store.begin(alice, run_start(detail))

    assert raised.value.needed_microcredits == 100_001_000
    assert raised.value.available_microcredits == FIRST_GRANT_MICROCREDITS
    assert await store.get_balance(alice) == before
    assert (await store.list_runs(alice, agent_name=None, limit=10, cursor=None)).items == []
    dry = await store.begin(alice, run_start(detail, test=True))
    assert dry.hold_microcredits == 0


async def test_begin_refuses_a_version_that_is_not_current(store: Store, alice: Principal) -> None:
    detail = await store.create_agent(alice, "hello", "", new_version())

    with pytest.raises(VersionMovedError):
        await store.begin(alice, run_start(detail, version=2))
    assert (await store.list_runs(alice, agent_name=None, limit=10, cursor=None)).items == []


async def test_begin_refuses_another_users_agent_like_an_unknown_one(
    store: Store, alice: Principal, bob: Principal
) -> None:
    detail = await store.create_agent(alice, "hello", "", new_version())

    with pytest.raises(UnknownAgentError):
        await store.begin(bob, run_start(detail))
    assert (await store.list_runs(bob, agent_name=None, limit=10, cursor=None)).items == []
    assert (await store.begin(alice, run_start(detail))).revision == 1


async def test_run_id_serves_once(store: Store, alice: Principal) -> None:
    detail = await store.create_agent(alice, "hello", "", new_version())
    start = run_start(detail)
    await store.begin(alice, start)

    with pytest.raises(ValueError, match="refuses"):
        await store.begin(alice, start)
    assert (await store.get_balance(alice)).held_microcredits == HOLD_MICROCREDITS


async def test_second_finish_is_stale(store: Store, alice: Principal) -> None:
    detail = await store.create_agent(alice, "hello", "", new_version())
    begun = await store.begin(alice, run_start(detail))
    await store.finish(alice, begun, succeeded(wall_ms=12))

    with pytest.raises(StaleRunError):
        await store.finish(alice, begun, failed())
    assert (await store.get_run(alice, begun.run_id)).outcome == "succeeded"
    assert await store.get_balance(alice) == Balance(FIRST_GRANT_MICROCREDITS - 1_012, 0)


async def test_of_many_finishes_at_once_one_counts(store: Store, alice: Principal) -> None:
    detail = await store.create_agent(alice, "hello", "", new_version())
    begun = await store.begin(alice, run_start(detail))

    ends = await asyncio.gather(*(store.finish(alice, begun, succeeded()) for _ in range(10)), return_exceptions=True)

    assert sum(isinstance(end, Charge) for end in ends) == 1
    assert sum(isinstance(end, StaleRunError) for end in ends) == 9
    assert await store.get_balance(alice) == Balance(FIRST_GRANT_MICROCREDITS - 1_012, 0)


async def test_nobody_finishes_another_users_run(store: Store, alice: Principal, bob: Principal) -> None:
    detail = await store.create_agent(alice, "hello", "", new_version())
    begun = await store.begin(alice, run_start(detail))

    with pytest.raises(StaleRunError):
        await store.finish(bob, begun, succeeded())
    assert (await store.get_run(alice, begun.run_id)).state is RunState.EXECUTING


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (RunState.COMPLETED, "failed"),
        (RunState.FAILED, "succeeded"),
        (RunState.CANCELLED, "timed_out"),
        (RunState.EXECUTING, "succeeded"),
        (RunState.FAILED, "invented"),
    ],
)
async def test_state_that_does_not_fit_its_outcome_is_refused(
    store: Store, alice: Principal, state: RunState, outcome: str
) -> None:
    detail = await store.create_agent(alice, "hello", "", new_version())
    begun = await store.begin(alice, run_start(detail))
    end = failed(outcome=outcome)
    object.__setattr__(end, "state", state)

    with pytest.raises(ValueError, match="refuses"):
        await store.finish(alice, begun, end)
    assert (await store.get_run(alice, begun.run_id)).state is RunState.EXECUTING


async def test_runs_are_listed_newest_first_without_their_big_columns(store: Store, alice: Principal) -> None:
    hello = await store.create_agent(alice, "hello", "", new_version())
    other = await store.create_agent(alice, "other", "", new_version())
    begun = [await store.begin(alice, run_start(detail)) for detail in (hello, other, hello)]
    await store.finish(alice, begun[0], succeeded())

    first = await store.list_runs(alice, agent_name=None, limit=2, cursor=None)
    rest = await store.list_runs(alice, agent_name=None, limit=2, cursor=first.next_cursor)
    of_hello = await store.list_runs(alice, agent_name="hello", limit=10, cursor=None)

    assert [run.id for run in first.items] == [begun[2].run_id, begun[1].run_id]
    assert [run.id for run in rest.items] == [begun[0].run_id]
    assert rest.next_cursor is None
    assert [run.id for run in of_hello.items] == [begun[2].run_id, begun[0].run_id]
    assert all(run.inputs is None and run.result_json is None for run in [*first.items, *rest.items])


async def test_unknown_and_foreign_runs_look_the_same(store: Store, alice: Principal, bob: Principal) -> None:
    detail = await store.create_agent(alice, "hello", "", new_version())
    begun = await store.begin(alice, run_start(detail))

    for run_id in (begun.run_id, uuid7(), UUID(int=0)):
        with pytest.raises(UnknownRunError):
            await store.get_run(bob, run_id)
        with pytest.raises(UnknownRunError):
            await store.get_logs(bob, run_id, after_seq=0, limit=10)
    assert (await store.list_runs(bob, agent_name=None, limit=10, cursor=None)).items == []
    assert await store.get_logs(alice, begun.run_id, after_seq=0, limit=10) == []


async def test_log_lines_are_read_in_order_from_anywhere(store: Store, alice: Principal) -> None:
    detail = await store.create_agent(alice, "hello", "", new_version())
    begun = await store.begin(alice, run_start(detail))
    lines = [LogRecord(seq, seq * 2, f"line {seq}", {"n": seq}) for seq in range(1, 6)]
    await store.finish(alice, begun, succeeded(logs=lines))

    assert await store.get_logs(alice, begun.run_id, after_seq=0, limit=100) == lines
    assert await store.get_logs(alice, begun.run_id, after_seq=2, limit=2) == lines[2:4]
    assert await store.get_logs(alice, begun.run_id, after_seq=5, limit=2) == []


async def test_run_is_finished_whatever_its_code_printed(store: Store, alice: Principal) -> None:
    nested: object = "deep"
    for _ in range(200):
        nested = [nested]
    fields = {
        "nul\x00": "\x00",
        "half": "\ud800",
        "inf": float("inf"),
        "nan": float("nan"),
        "big": 10**5000,
        "n": nested,
    }
    detail = await store.create_agent(alice, "hello", "", new_version())
    begun = await store.begin(alice, run_start(detail, inputs={"nul": "\x00", "half": "\udfff"}))
    line = LogRecord(1, 0, "a\x00b\udc00c", fields)
    error = {"type": "E\x00", "message": "\ud83d", "line": 1}

    await store.finish(alice, begun, failed(reason="x\x00", error=error, logs=[line]))

    (stored,) = await store.get_logs(alice, begun.run_id, after_seq=0, limit=10)
    assert stored.message == "a\ufffdb\ufffdc"
    assert stored.fields["nul\ufffd"] == "\ufffd"
    assert (stored.fields["inf"], stored.fields["nan"]) == ("inf", "nan")
    run = await store.get_run(alice, begun.run_id)
    assert run.error == {"type": "E\ufffd", "message": "\ufffd", "line": 1}
    assert run.reason == "x\ufffd"


async def test_many_log_lines_are_stored_in_one_finish(store: Store, alice: Principal) -> None:
    detail = await store.create_agent(alice, "hello", "", new_version())
    begun = await store.begin(alice, run_start(detail))
    lines = [LogRecord(seq, 1, "x" * 90, {}) for seq in range(1, 10_001)]

    await store.finish(alice, begun, succeeded(logs=lines))

    assert await store.get_logs(alice, begun.run_id, after_seq=9_995, limit=100) == lines[9_995:]


async def test_entries_are_listed_newest_first_page_by_page(store: Store, alice: Principal, bob: Principal) -> None:
    detail = await store.create_agent(alice, "hello", "", new_version())
    begun = await store.begin(alice, run_start(detail))
    await store.finish(alice, begun, succeeded(wall_ms=12))
    await store.get_balance(bob)

    first = await store.list_entries(alice, limit=2, cursor=None)
    rest = await store.list_entries(alice, limit=2, cursor=first.next_cursor)

    entries = [*first.items, *rest.items]
    assert [entry.kind for entry in entries] == [EntryKind.SETTLE, EntryKind.HOLD, EntryKind.GRANT]
    assert [entry.amount_microcredits for entry in entries] == [1_012, HOLD_MICROCREDITS, FIRST_GRANT_MICROCREDITS]
    assert sum(entry.available_delta_microcredits for entry in entries) == FIRST_GRANT_MICROCREDITS - 1_012
    assert sum(entry.held_delta_microcredits for entry in entries) == 0
    assert [entry.run_id for entry in entries] == [begun.run_id, begun.run_id, None]
    assert rest.next_cursor is None


@pytest.mark.parametrize("limit", [0, -1, 1_001])
async def test_page_size_is_bounded(store: Store, alice: Principal, limit: int) -> None:
    with pytest.raises(ValueError, match="page"):
        await store.list_entries(alice, limit=limit, cursor=None)


async def test_live_servers_runs_are_never_reaped(store: Store, alice: Principal) -> None:
    await store.register_server(SERVER_ID)
    detail = await store.create_agent(alice, "hello", "", new_version())
    begun = await store.begin(alice, run_start(detail))

    assert await store.reap() == 0
    assert (await store.get_run(alice, begun.run_id)).state is RunState.EXECUTING


async def test_retired_servers_runs_are_lost_and_their_holds_released(store: Store, alice: Principal) -> None:
    survivor = uuid4()
    await store.register_server(SERVER_ID)
    await store.register_server(survivor)
    detail = await store.create_agent(alice, "hello", "", new_version())
    left = await store.begin(alice, run_start(detail))
    dry = await store.begin(alice, run_start(detail, test=True))
    kept = await store.begin(alice, run_start(detail, server_id=survivor))

    await store.retire_server(SERVER_ID)

    assert await store.reap() == 2
    assert await store.reap() == 0
    for lost in (left, dry):
        run = await store.get_run(alice, lost.run_id)
        assert (run.state, run.outcome, run.reason, run.charge_microcredits) == (RunState.FAILED, "failed", "lost", 0)
    assert (await store.get_run(alice, kept.run_id)).state is RunState.EXECUTING
    assert await store.get_balance(alice) == Balance(FIRST_GRANT_MICROCREDITS - HOLD_MICROCREDITS, HOLD_MICROCREDITS)


async def test_live_servers_have_names_that_end_in_their_ids(store: Store) -> None:
    first, second = uuid4(), uuid4()
    await store.register_server(first)
    await store.register_server(second)
    names = await store.live_servers()
    await store.retire_server(first)
    left = await store.live_servers()

    database, dot, _ = next(iter(names)).partition(".")
    assert len(database) == 32
    assert dot == "."
    assert {f"{database}.{first}", f"{database}.{second}"} <= names
    assert names - left == {f"{database}.{first}"}


async def test_late_finish_after_reaping_is_stale(store: Store, alice: Principal) -> None:
    detail = await store.create_agent(alice, "hello", "", new_version())
    begun = await store.begin(alice, run_start(detail))
    await store.reap()

    with pytest.raises(StaleRunError):
        await store.finish(alice, begun, succeeded())
    run = await store.get_run(alice, begun.run_id)
    assert (run.outcome, run.reason, run.result_json) == ("failed", "lost", None)
    assert await store.get_balance(alice) == Balance(FIRST_GRANT_MICROCREDITS, 0)


async def test_reaping_takes_more_than_one_batch(store: Store, alice: Principal) -> None:
    detail = await store.create_agent(alice, "hello", "", new_version())
    for _ in range(205):
        await store.begin(alice, run_start(detail))

    assert await store.reap() == 205
    assert await store.get_balance(alice) == Balance(FIRST_GRANT_MICROCREDITS, 0)


async def test_ping_answers(store: Store) -> None:
    await store.ping()


async def test_closing_twice_is_fine(store: Store) -> None:
    await store.close()
    await store.close()
