"""How runs begin: what is known of one before anything of it ran."""

from agents_store.types import BegunRun, Run, RunStart, RunState


def run_as_begun(start: RunStart, tier: str, run: BegunRun) -> Run:
    """The run as the store has it now. `created_at` is its start: both are the moment of one statement."""
    return Run(
        id=run.run_id,
        kind="invocation",
        agent_name=start.agent_name,
        version=start.version,
        tier=tier,
        wall=start.wall,
        wall_missing=tuple(start.wall_missing),
        test=start.test,
        state=RunState.EXECUTING,
        outcome=None,
        reason=None,
        inputs=start.inputs,
        result_json=None,
        error=None,
        wall_ms=None,
        cpu_ms=None,
        peak_memory_bytes=None,
        output_bytes=None,
        charge_microcredits=0,
        created_at=run.started_at,
        started_at=run.started_at,
        finished_at=None,
    )
