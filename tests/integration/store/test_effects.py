"""Effects in the store: claimed once, by a run that lives; dry runs carried out by one run at a time."""

from dataclasses import replace
from uuid import UUID, uuid4

import psycopg
import pytest
from uuid_utils.compat import uuid7

from agents_store.errors import (
    ApplyLiveError,
    EffectClaimedError,
    InsufficientCreditsError,
    MemoryMovedError,
    StaleRunError,
    TooManyDryRunsError,
    UnknownAgentError,
    UnknownRunError,
    VersionMovedError,
)
from agents_store.postgres.store import PostgresStore
from agents_store.types import (
    ApplyStart,
    BegunRun,
    EffectRecord,
    EffectStatus,
    MemoryRead,
    NewFile,
    NewMemory,
    Principal,
)
from tests.integration.store.conftest import Author
from tests.support.records import SERVER_ID, new_version, run_start, succeeded

REQUEST = {"url": "https://a.example/", "z": 1, "a": [1.50, 1e300, 2**70], "text": "\N{SNOWMAN}"}


def an_effect(seq: int = 1, status: EffectStatus = EffectStatus.UNKNOWN, glove: str = "fetch") -> EffectRecord:
    return EffectRecord(seq, glove, REQUEST, None, None, status, 1, 2)


def memory_effect(seq: int, key: str) -> EffectRecord:
    return EffectRecord(seq, "memory.put", {"key": key, "value": 1}, None, None, EffectStatus.PERFORMED, 1, 2)


async def dry_run(store: PostgresStore, author: Author) -> UUID:
    run = await store.begin(author.principal, run_start(author.detail, test=True))
    await store.finish(author.principal, run, succeeded())
    return run.run_id


def apply_start(author: Author, dry_run_id: UUID, *reads: MemoryRead, version: int = 1) -> ApplyStart:
    agent = author.detail.agent
    return ApplyStart(uuid7(), dry_run_id, agent.id, agent.agent_name, version, "full", [], SERVER_ID, reads)


async def begun(store: PostgresStore, author: Author, dry_run_id: UUID, *reads: MemoryRead) -> BegunRun:
    return await store.begin_apply(author.principal, apply_start(author, dry_run_id, *reads))


async def test_claimed_effect_is_unknown_until_the_run_tells_more(store: PostgresStore, author: Author) -> None:
    run = await store.begin(author.principal, run_start(author.detail))
    await store.claim_effect(author.principal, run, an_effect())
    (claimed,) = await store.list_effects(author.principal, run.run_id, after_seq=0, limit=10)
    done = replace(an_effect(status=EffectStatus.PERFORMED), response={"status": 200})
    await store.finish(author.principal, run, succeeded(effects=[done]))

    (told,) = await store.list_effects(author.principal, run.run_id, after_seq=0, limit=10)

    assert claimed == an_effect()
    assert told == done
    assert list(told.request) == list(REQUEST)
    assert await store.list_effects(author.principal, run.run_id, after_seq=1, limit=10) == []
    with pytest.raises(UnknownRunError):
        await store.list_effects(Principal(uuid4()), run.run_id, after_seq=0, limit=10)


async def test_effect_is_claimed_once_and_by_a_live_run_only(store: PostgresStore, author: Author) -> None:
    run = await store.begin(author.principal, run_start(author.detail))
    await store.claim_effect(author.principal, run, an_effect())
    with pytest.raises(EffectClaimedError):
        await store.claim_effect(author.principal, run, an_effect())
    await store.finish(author.principal, run, succeeded())

    with pytest.raises(StaleRunError):
        await store.claim_effect(author.principal, run, an_effect(2))
    with pytest.raises(StaleRunError):
        await store.claim_effect(Principal(uuid4()), run, an_effect(2))
    assert len(await store.list_effects(author.principal, run.run_id, after_seq=0, limit=10)) == 1


async def test_apply_holds_and_settles_like_a_run(store: PostgresStore, author: Author) -> None:
    dry_run_id = await dry_run(store, author)
    run = await begun(store, author, dry_run_id)
    held = await store.get_balance(author.principal)

    charge = await store.finish(author.principal, run, succeeded())

    assert held.held_microcredits == run.hold_microcredits > 0
    assert charge.charge_microcredits > 0
    assert (await store.get_balance(author.principal)).held_microcredits == 0
    stored = await store.get_run(author.principal, run.run_id)
    assert (stored.kind, stored.test, stored.inputs) == ("apply", False, {"run_id": str(dry_run_id)})
    other = await store.begin(author.principal, run_start(author.detail))
    assert (await store.get_run(author.principal, other.run_id)).kind == "invocation"


async def test_dry_run_is_applied_by_one_run_at_a_time(store: PostgresStore, author: Author) -> None:
    dry_run_id = await dry_run(store, author)
    run = await begun(store, author, dry_run_id)
    with pytest.raises(ApplyLiveError):
        await begun(store, author, dry_run_id)
    assert (await store.get_balance(author.principal)).held_microcredits == run.hold_microcredits
    await begun(store, author, await dry_run(store, author))
    await store.finish(author.principal, run, succeeded())

    assert (await begun(store, author, dry_run_id)).run_id != run.run_id


async def test_place_of_a_dry_run_is_carried_out_once_over_all_applies(store: PostgresStore, author: Author) -> None:
    dry_run_id = await dry_run(store, author)
    agent_id = author.detail.agent.id
    first = await begun(store, author, dry_run_id)
    await store.claim_effect(author.principal, first, an_effect(1))
    await store.apply_memory(author.principal, first, memory_effect(2, "k"), agent_id, NewMemory("k", 1))
    await store.claim_effect(author.principal, first, an_effect(3))
    await store.conclude_effect(author.principal, first, an_effect(3, EffectStatus.FAILED))
    await store.finish(author.principal, first, succeeded())
    second = await begun(store, author, dry_run_id)

    for seq in (1, 2):
        with pytest.raises(EffectClaimedError):
            await store.claim_effect(author.principal, second, an_effect(seq))
    with pytest.raises(EffectClaimedError):
        await store.apply_memory(author.principal, second, memory_effect(2, "k"), agent_id, NewMemory("k", 2))
    await store.claim_effect(author.principal, second, an_effect(3))

    applied = await store.applied_effects(author.principal, dry_run_id)
    assert [(effect.seq, effect.status.value) for effect in applied] == [
        (1, "unknown"), (2, "performed"), (3, "unknown")
    ]  # fmt: skip
    kept = await store.get_memory(author.principal, agent_id, "k")
    assert kept is not None
    assert kept.value == 1


async def test_what_is_applied_in_one_transaction_happens_whole_or_not_at_all(
    store: PostgresStore, author: Author
) -> None:
    dry_run_id = await dry_run(store, author)
    run = await begun(store, author, dry_run_id)
    agent_id = author.detail.agent.id
    with pytest.raises(UnknownAgentError):
        await store.apply_memory(author.principal, run, memory_effect(1, "k"), uuid4(), NewMemory("k", 1))
    file = NewFile("a", "text/plain", 0, "0" * 64, f"{author.principal.user_id}/never-announced")
    with pytest.raises(ValueError, match="run_files_announced"):
        await store.apply_file(author.principal, run, an_effect(2, EffectStatus.PERFORMED, "files.write"), file)
    await store.finish(author.principal, run, succeeded())
    with pytest.raises(StaleRunError):
        await store.apply_memory(author.principal, run, memory_effect(3, "k"), agent_id, NewMemory("k", 1))
    with pytest.raises(StaleRunError):
        await store.apply_memory(author.principal, run, memory_effect(3, "k"), agent_id, None)

    assert await store.applied_effects(author.principal, dry_run_id) == []
    assert await store.get_memory(author.principal, agent_id, "k") is None


async def test_memory_that_moved_since_it_was_read_undoes_the_begin(store: PostgresStore, author: Author) -> None:
    dry_run_id, agent_id = await dry_run(store, author), author.detail.agent.id
    entry = await store.put_memory(author.principal, agent_id, NewMemory("k", 1))
    whole = (await store.list_memory(author.principal, agent_id, prefix="", after="", limit=1)).revision
    reads = (
        MemoryRead(agent_id, "k", entry.revision),
        MemoryRead(agent_id, "none", 0),
        MemoryRead(agent_id, None, whole),
    )
    before = await store.get_balance(author.principal)
    for stale in (
        MemoryRead(agent_id, "k", entry.revision + 1),
        MemoryRead(agent_id, "k", 0),
        MemoryRead(agent_id, "none", 1),
        MemoryRead(agent_id, None, whole - 1),
        MemoryRead(uuid4(), None, 1),
    ):
        with pytest.raises(MemoryMovedError):
            await begun(store, author, dry_run_id, *reads, stale)
    assert await store.get_balance(author.principal) == before

    run = await begun(store, author, dry_run_id, *reads)
    await store.apply_memory(author.principal, run, memory_effect(1, "k"), agent_id, NewMemory("k", 2))
    await store.finish(author.principal, run, succeeded())

    assert (await begun(store, author, dry_run_id, *reads)).run_id != run.run_id  # what it changed itself is no change


async def test_changed_or_deleted_agent_begins_no_apply(store: PostgresStore, author: Author) -> None:
    dry_run_id = await dry_run(store, author)
    await store.edit_agent(author.principal, author.detail.agent, description=None, version=new_version())

    with pytest.raises(VersionMovedError):
        await begun(store, author, dry_run_id)
    await store.delete_agent(author.principal, "hello")
    with pytest.raises(UnknownAgentError):
        await begun(store, author, dry_run_id)


async def test_apply_beyond_the_balance_begins_nothing(
    store: PostgresStore, author: Author, superuser: psycopg.Connection
) -> None:
    dry_run_id = await dry_run(store, author)
    superuser.execute("update public.prices set amount_microcredits = 1000000000 where name = 'run'")

    with pytest.raises(InsufficientCreditsError):
        await begun(store, author, dry_run_id)


async def test_reaped_apply_leaves_its_claims_and_frees_the_dry_run(
    store: PostgresStore, author: Author, superuser: psycopg.Connection
) -> None:
    dry_run_id = await dry_run(store, author)
    run = await begun(store, author, dry_run_id)
    await store.claim_effect(author.principal, run, an_effect(1))
    superuser.execute("update public.server_leases set expires_at = now()")
    assert await store.reap() == 1
    await store.register_server(SERVER_ID)

    assert [effect.status for effect in await store.applied_effects(author.principal, dry_run_id)] == ["unknown"]
    with pytest.raises(StaleRunError):
        await store.claim_effect(author.principal, run, an_effect(2))
    assert (await store.get_balance(author.principal)).held_microcredits == 0
    await begun(store, author, dry_run_id)


async def test_recorded_run_has_its_own_version(store: PostgresStore, author: Author) -> None:
    run = await store.begin(author.principal, run_start(author.detail))
    await store.finish(author.principal, run, succeeded())
    newer = new_version(code="def run():\n    return 2\n")
    await store.edit_agent(author.principal, author.detail.agent, description=None, version=newer)

    recorded = await store.recorded_run(author.principal, run.run_id)

    assert (recorded.agent_id, recorded.seed) == (author.detail.agent.id, 42)
    assert recorded.version.code == new_version().code
    with pytest.raises(UnknownRunError):
        await store.recorded_run(Principal(uuid4()), run.run_id)


async def test_taking_dry_runs_counts_like_beginning_them(store: PostgresStore, author: Author) -> None:
    await dry_run(store, author)

    assert (await store.take_dry_run(author.principal, 2)).remaining == 0
    with pytest.raises(TooManyDryRunsError):
        await store.take_dry_run(author.principal, 2)
