"""Dry runs read back: what is to be carried out, in which order, and that nothing a program wrote is taken for ours."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from agents_store.errors import UnknownRunError
from agents_store.postgres.store import PostgresStore
from agents_store.types import AgentDetail, EffectRecord, EffectStatus, Principal
from server.errors import NotApplicableError
from server.gloves.vault import Vault
from server.runs.plans import Plan, plan_of
from tests.support.records import SERVER_ID, failed, new_version, run_start, succeeded

PRINCIPAL = Principal(uuid4())
WITHHELD, PERFORMED, REFUSED = EffectStatus.WITHHELD, EffectStatus.PERFORMED, EffectStatus.REFUSED
MOCKED, FAILED, UNKNOWN = EffectStatus.MOCKED, EffectStatus.FAILED, EffectStatus.UNKNOWN


def effects(*told: tuple[str, Any, EffectStatus]) -> list[EffectRecord]:
    return [
        EffectRecord(seq, glove, request, None, None, status, 0, 0)
        for seq, (glove, request, status) in enumerate(told, start=1)
    ]


@pytest.fixture
async def detail(store: PostgresStore) -> AgentDetail:
    await store.register_server(SERVER_ID)
    return await store.create_agent(PRINCIPAL, f"agent-{uuid4().hex[:8]}", "", new_version())


async def listed(store: PostgresStore, detail: AgentDetail, *told: tuple[str, Any, EffectStatus], **end: Any) -> UUID:
    run = await store.begin(PRINCIPAL, run_start(detail, test=True))
    await store.finish(PRINCIPAL, run, replace(succeeded(effects=effects(*told)), **end))
    return run.run_id


async def plan(store: PostgresStore, run_id: UUID) -> Plan:
    return await plan_of(store, Vault(store, None), PRINCIPAL, run_id)


async def test_writes_are_carried_out_in_order_and_reads_are_rested_on(
    store: PostgresStore, detail: AgentDetail
) -> None:
    run_id = await listed(
        store,
        detail,
        ("memory.get", {"key": "a", "revision": 3}, PERFORMED),
        ("memory.put", {"key": "a", "value": 1}, WITHHELD),
        ("memory.get", {"key": "a"}, PERFORMED),
        ("fetch", {"url": "https://a.example"}, PERFORMED),
        ("fetch", {"url": "https://a.example", "method": "get"}, MOCKED),
        ("fetch", {"url": "https://a.example", "method": "post"}, MOCKED),
        ("fetch", {"url": "https://a.example", "method": "POST"}, REFUSED),
        ("memory.list", {"prefix": "", "limit": 1, "revision": 4}, PERFORMED),
        ("memory.delete", {"key": "b", "revision": 0}, WITHHELD),
        ("files.write", {"name": "x", "base64": ""}, WITHHELD),
    )

    found = await plan(store, run_id)

    assert [(step.place, step.effect.glove, step.idempotency_key) for step in found.steps] == [
        (place, glove, f"{run_id}:{place}")
        for place, glove in ((2, "memory.put"), (6, "fetch"), (9, "memory.delete"), (10, "files.write"))
    ]
    assert [(read.key, read.revision) for read in found.reads] == [("a", 3), (None, 4), ("b", 0)]
    assert {read.agent_id for read in found.reads} == {detail.agent.id}


async def test_what_a_mock_let_fail_is_not_carried_out(store: PostgresStore, detail: AgentDetail) -> None:
    posts = effects(*[("fetch", {"url": "https://a.example", "method": "POST"}, MOCKED)] * 2)
    mocked = replace(posts[0], error={"type": "ConnectionError", "message": "mocked"})

    found = await plan(store, await listed(store, detail, effects=[mocked, posts[1]]))

    assert [step.place for step in found.steps] == [2]


async def test_what_a_called_agent_listed_stands_where_it_was_called(store: PostgresStore, detail: AgentDetail) -> None:
    other = await store.create_agent(PRINCIPAL, f"agent-{uuid4().hex[:8]}", "", new_version())
    child = await listed(store, other, ("memory.put", {"key": "c", "value": 1}, WITHHELD))
    broken = await store.begin(PRINCIPAL, run_start(other, test=True))
    await store.finish(PRINCIPAL, broken, failed())
    run_id = await listed(
        store,
        detail,
        ("memory.put", {"key": "a", "value": 1}, WITHHELD),
        ("call", {"agent_name": "x", "inputs": {}, "run_id": str(child)}, WITHHELD),
        ("memory.put", {"key": "b", "value": 1}, WITHHELD),
    )

    found = await plan(store, run_id)

    assert [(step.place, step.effect.request["key"], step.listed.run.id) for step in found.steps] == [
        (1, "a", run_id),
        (3, "c", child),
        (4, "b", run_id),
    ]
    assert found.steps[1].listed.recorded.agent_id == other.agent.id


@pytest.mark.parametrize(
    "told",
    [
        ("call", {"agent_name": "x", "inputs": {}, "run_id": "no id"}, REFUSED),
        ("call", {"agent_name": "x", "inputs": {}, "run_id": 7}, FAILED),
        ("memory.get", {"key": "a", "revision": "no number"}, REFUSED),
        ("memory.put", {"key": "a", "revision": "no number"}, REFUSED),
        ("secrets.use", {"name": "x"}, REFUSED),
        ("files.write", {"name": 1}, REFUSED),
        ("unheard.of", {"x": 1}, REFUSED),
    ],
)
async def test_what_was_refused_is_neither_done_nor_believed(
    store: PostgresStore, detail: AgentDetail, told: tuple[str, Any, EffectStatus]
) -> None:
    found = await plan(store, await listed(store, detail, told))

    assert (found.steps, found.reads) == ([], [])


@pytest.mark.parametrize(
    "told",
    [
        ("fetch", {"url": "https://a.example"}, UNKNOWN),
        ("call", {"agent_name": "x", "inputs": {}}, MOCKED),
        ("secrets.use", {"name": "x"}, PERFORMED),
        ("call", {"agent_name": "x", "inputs": {}, "run_id": str(uuid4())}, PERFORMED),
    ],
)
async def test_what_is_in_doubt_or_gone_is_not_applicable(
    store: PostgresStore, detail: AgentDetail, told: tuple[str, Any, EffectStatus]
) -> None:
    run_id = await listed(store, detail, told)

    with pytest.raises(NotApplicableError):
        await plan(store, run_id)


async def test_circle_of_calls_ends(store: PostgresStore, detail: AgentDetail) -> None:
    start = run_start(detail, test=True)
    run = await store.begin(PRINCIPAL, start)
    told = ("call", {"agent_name": "x", "inputs": {}, "run_id": str(start.run_id)}, WITHHELD)
    await store.finish(PRINCIPAL, run, succeeded(effects=effects(told)))

    with pytest.raises(NotApplicableError, match="deeper"):
        await plan(store, start.run_id)


async def test_only_a_whole_dry_run_of_the_callers_is_applicable(store: PostgresStore, detail: AgentDetail) -> None:
    live = await store.begin(PRINCIPAL, run_start(detail))
    going = await store.begin(PRINCIPAL, run_start(detail, test=True))
    await store.finish(PRINCIPAL, live, succeeded())
    incomplete = await listed(store, detail, complete=False)

    for run_id in (live.run_id, going.run_id, incomplete):
        with pytest.raises(NotApplicableError):
            await plan(store, run_id)
    with pytest.raises(UnknownRunError):
        await plan_of(store, Vault(store, None), Principal(uuid4()), incomplete)
