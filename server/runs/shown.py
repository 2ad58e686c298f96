"""Runs as answers show them."""

from agents_store.types import Run
from server.runs.schemas import RunShown, UsageShown


def shown(run: Run) -> RunShown:
    """A run without its result."""
    return RunShown(
        id=run.id,
        kind=run.kind,
        agent_name=run.agent_name,
        version=run.version,
        tier=run.tier,
        wall=run.wall,
        wall_missing=run.wall_missing,
        test=run.test,
        state=run.state.value,
        outcome=run.outcome,
        reason=run.reason,
        inputs=run.inputs,
        result=None,
        error=run.error,
        usage=_usage(run),
        charge_microcredits=run.charge_microcredits,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
    )


def shown_whole(run: Run) -> str:
    """A run as JSON text, with the agent's own text as its result, never read and written again."""
    rest = shown(run).model_dump_json(exclude={"result"})
    return f'{{"result":{run.result_json or "null"},{rest[1:]}'


def _usage(run: Run) -> UsageShown | None:
    if run.finished_at is None:
        return None
    return UsageShown(
        wall_ms=run.wall_ms or 0,
        cpu_ms=run.cpu_ms or 0,
        peak_memory_bytes=run.peak_memory_bytes or 0,
        output_bytes=run.output_bytes or 0,
    )
