"""How each outcome is answered, stored and charged: one table for all of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from agents_store.types import RunState
from sandbox.types import Outcome


@dataclass(frozen=True, slots=True)
class Ruling:
    """What one outcome means.

    Attributes:
        status: HTTP status of the answer.
        billable: whether the run is charged where it called no glove; a run that called one always is.
        state: how the run is stored.
        title: one short sentence for a problem document.
        detail: what to do, where the program's own error does not say it.
    """

    status: int
    billable: bool
    state: RunState
    title: str
    detail: str


def _failed(status: int, title: str, detail: str, *, billable: bool = True) -> Ruling:
    return Ruling(status, billable, RunState.FAILED, title, detail)


RULINGS: Mapping[Outcome, Ruling] = {
    Outcome.SUCCEEDED: Ruling(200, True, RunState.COMPLETED, "The agent answered", ""),
    Outcome.FAILED: _failed(502, "The agent failed", "Its code raised an exception or ended its process."),
    Outcome.BAD_RESULT: _failed(502, "The agent's result is not JSON", "run() must return JSON of a bounded size."),
    Outcome.REJECTED: _failed(422, "The policy refuses the agent's code", "Nothing ran.", billable=False),
    Outcome.TIMED_OUT: _failed(504, "The agent took too long", "It reached wall_ms_max or cpu_ms_max."),
    Outcome.OUT_OF_MEMORY: _failed(502, "The agent used too much memory", "It reached memory_bytes_max."),
    Outcome.TOO_MUCH_OUTPUT: _failed(502, "The agent wrote too much", "It reached output_bytes_max."),
    Outcome.TOO_MANY_PROCESSES: _failed(502, "The agent started too many processes", "It reached processes_max."),
    Outcome.DISK_FULL: _failed(502, "The agent filled its disk", "It reached disk_bytes_max."),
    Outcome.TIER_UNSUITED: _failed(
        502,
        "The agent's tier cannot run it",
        "It needs a larger tier, and had already performed an effect; set its tier.",
        billable=False,
    ),
    Outcome.CANCELLED: Ruling(409, True, RunState.CANCELLED, "The run was cancelled", "Its owner ended it."),
}
