from typing import Any

import pytest

from agents_store.types import NewVersion
from sandbox.types import CEILINGS, Limits
from server.agents.drafts import check_draft, draft_of, edited_draft
from server.agents.schemas import CreateAgent, EditAgent
from server.errors import InvalidRequestError

CURRENT = NewVersion(
    code="def run(): pass",
    tier="auto",
    resolved_tier="restricted",
    limits={"wall_ms_max": 3_000, "cpu_ms_max": 5_000, "memory_bytes_max": 2**27, "output_bytes_max": 2**20},
    inputs_schema={"type": "object"},
    examples=[{"inputs": {}, "expect": None}],
)


def edited(**changes: Any) -> Any:
    return edited_draft(EditAgent.model_validate(changes), CURRENT)


def test_description_alone_asks_for_no_version() -> None:
    assert edited(description="new") is None


def test_draft_keeps_what_is_not_named() -> None:
    draft = edited(code="x")

    assert (draft.code, draft.tier, draft.inputs_schema) == ("x", "auto", {"type": "object"})
    assert (draft.examples, draft.limits) == (CURRENT.examples, CURRENT.limits)


def test_limits_are_merged_name_by_name() -> None:
    assert edited(limits={"cpu_ms_max": 1, "wall_ms_max": None}).limits == {
        "cpu_ms_max": 1,
        "memory_bytes_max": 2**27,
        "output_bytes_max": 2**20,
    }
    assert edited(limits=None).limits == {}
    assert edited(limits={}).limits == CURRENT.limits


def test_null_clears_schema_and_examples() -> None:
    draft = edited(inputs_schema=None, examples=None)

    assert (draft.inputs_schema, draft.examples) == (None, [])


async def test_limits_of_a_draft_are_all_there_and_below_the_ceilings() -> None:
    first = draft_of(CreateAgent(agent_name="hello", code="x"))

    assert await check_draft(first, CEILINGS) == Limits()
    low = Limits(wall_ms_max=100, cpu_ms_max=100, memory_bytes_max=100, output_bytes_max=100)
    assert await check_draft(first, low) == low
    with pytest.raises(InvalidRequestError) as refused:
        await check_draft(edited(code="x"), low)
    assert [error["path"] for error in refused.value.errors] == [f"/limits/{name}" for name in CURRENT.limits]
