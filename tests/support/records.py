"""Records that tests hand to a store, with what does not matter filled in."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from agents_store.generations import GenerationKind, GenerationStart
from agents_store.types import (
    AgentDetail,
    EffectRecord,
    EffectStatus,
    LogRecord,
    NewVersion,
    RunEnd,
    RunStart,
    RunState,
)

SERVER_ID = UUID("00000000-0000-7000-8000-000000000001")
HOLD_MICROCREDITS = 11_000  # a run at 1,000 and 10,000 ms at 1, the prices that the migrations set


def new_version(**changes: Any) -> NewVersion:
    values: dict[str, Any] = {
        "code": "def run(inputs):\n    return inputs\n",
        "tier": "auto",
        "resolved_tier": "restricted",
        "limits": {"wall_ms_max": 10_000, "cpu_ms_max": 5_000},
        "inputs_schema": {"type": "object"},
        "examples": [{"inputs": {"name": "World"}, "expect": {"name": "World"}}],
        "reasons": {"monty": "uses a class"},
    }
    return NewVersion(**{**values, **changes})


def run_start(
    detail: AgentDetail,
    *,
    test: bool = False,
    inputs: Mapping[str, Any] | None = None,
    version: int | None = None,
    server_id: UUID = SERVER_ID,
) -> RunStart:
    return RunStart(
        run_id=uuid7(),
        agent_id=detail.agent.id,
        agent_name=detail.agent.agent_name,
        version=detail.agent.version if version is None else version,
        test=test,
        inputs={"name": "World"} if inputs is None else inputs,
        seed=42,
        wall="full",
        wall_missing=[],
        server_id=server_id,
    )


def effect(seq: int = 1, **changes: Any) -> EffectRecord:
    values: dict[str, Any] = {
        "glove": "fetch",
        "request": {"url": "https://example.com/"},
        "response": {"status": 200},
        "error": None,
        "status": EffectStatus.PERFORMED,
        "at_ms": 1,
        "duration_ms": 2,
    }
    return EffectRecord(seq, **{**values, **changes})


def succeeded(
    *,
    wall_ms: int = 12,
    result_json: str = '{"hello":"World"}',
    logs: Sequence[LogRecord] = (),
    effects: Sequence[EffectRecord] = (),
) -> RunEnd:
    return RunEnd(
        state=RunState.COMPLETED,
        outcome="succeeded",
        reason=None,
        billable=True,
        result_json=result_json,
        error=None,
        wall_ms=wall_ms,
        cpu_ms=3,
        peak_memory_bytes=10_000_000,
        output_bytes=len(result_json),
        logs=logs,
        effects=effects,
    )


def failed(
    *,
    outcome: str = "failed",
    reason: str | None = None,
    billable: bool = True,
    error: Mapping[str, Any] | None = None,
    logs: Sequence[LogRecord] = (),
) -> RunEnd:
    return RunEnd(
        state=RunState.FAILED,
        outcome=outcome,
        reason=reason,
        billable=billable,
        result_json=None,
        error={"type": "ValueError", "message": "no"} if error is None else error,
        wall_ms=5,
        cpu_ms=2,
        peak_memory_bytes=1,
        output_bytes=0,
        logs=logs,
    )


def generation_start(**changes: Any) -> GenerationStart:
    values: dict[str, Any] = {
        "generation_id": uuid7(),
        "kind": GenerationKind.CREATE,
        "agent_name": "hello",
        "request": "greet whoever is named",
        "model": "claude-haiku-5-5",
        "prompt_version": 1,
        "attempts_max": 4,
        "input_tokens_max": 10_000,
        "output_tokens_max": 1_000,
        "server_id": SERVER_ID,
    }
    return GenerationStart(**{**values, **changes})
