"""`ctx.call`: another agent of the same owner, run within what the caller's run may use."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from agents_store.types import EffectStatus
from sandbox.types import GloveFault, JsonValue, Outcome
from server.gloves.budget import Bound, Budget
from server.gloves.effect import Answered, Arguments, EffectError, StoppedError
from server.gloves.mocks import Mocks

DEPTH_MAX = 3  # calls on the way from a run that nobody called


@dataclass(frozen=True, slots=True)
class CallingRun:
    """A run whose program calls other agents, as their runs need to know it.

    `agent_ids` are its own agent's and those of the runs above it, the root's first. A called run of a dry run is one,
    too, and has the same mocks.
    """

    run_id: UUID
    agent_ids: tuple[UUID, ...]
    test: bool
    budget: Budget
    mocks: Mocks

    def require_callable(self, agent_id: UUID, agent_name: str) -> None:
        """Raise EffectError where a call of this agent would go round in a circle, or too deep."""
        if agent_id in self.agent_ids:
            raise EffectError(
                GloveFault.PERMISSION, f"{agent_name} is on the way to this call: agents cannot call in circles"
            )
        if len(self.agent_ids) > DEPTH_MAX:
            raise EffectError(GloveFault.RUNTIME, f"calls go at most {DEPTH_MAX} deep")


@dataclass(frozen=True, slots=True)
class Called:
    """What a called agent's run came to.

    Attributes:
        run_id: the run.
        outcome: how it ended; None where it was lost.
        not_run: why nothing of it ran; empty where something did.
        value: its result.
        error: type and message of what went wrong in it, empty where nothing did.
        complete: False where a dry run of it met an effect without an answer.
        withheld: whether a dry run of it withheld anything.
        would_charge_microcredits: what a dry run of it, and of all that it called, would have cost.
    """

    run_id: UUID
    outcome: Outcome | None
    value: JsonValue = None
    error: str = ""
    not_run: str = ""
    complete: bool = True
    withheld: bool = False
    would_charge_microcredits: int = 0


# Runs an agent of the run's owner for the run. Raises EffectError where nothing of it ran.
CallAgent = Callable[[str, Mapping[str, JsonValue]], Awaitable[Called]]


def busy(agent_name: str) -> str:
    """What a program learns where a called agent's run has no place."""
    return f"busy: no place is free for a run of {agent_name} now"


def without_tier(agent_name: str, tier: str) -> str:
    """What a program learns where a called agent's tier is not there, or goes away before anything ran."""
    return f"the tier {tier} of {agent_name} is unavailable now"


class RunCalls:
    """The calls of other agents by one run."""

    def __init__(
        self, call_agent: CallAgent, *, budget: Budget, mocks: Mocks, take_charge: Callable[[int], None]
    ) -> None:
        """`take_charge` learns what each called dry run would have cost."""
        self._take_charge = take_charge
        self._call_agent = call_agent
        self._budget = budget
        self._mocks = mocks

    async def __call__(self, arguments: Arguments) -> Answered:
        """Carry out one call; the effect names the called agent's run. Raises EffectError, RunStoppedError."""
        agent_name, inputs = arguments.get("agent_name"), arguments.get("inputs")
        if set(arguments) - {"agent_name", "inputs"} or not isinstance(agent_name, str) or not isinstance(inputs, dict):
            raise EffectError(GloveFault.VALUE, "ctx.call() takes an agent's name and its inputs as a dict")
        self._budget.spend(Bound.CALLS)
        if (mocked := self._mocks.call(agent_name, inputs)) is not None:
            return mocked
        called = await self._call_agent(agent_name, inputs)
        self._take_charge(called.would_charge_microcredits)
        request = {**arguments, "run_id": str(called.run_id)}
        if not called.complete:
            raise StoppedError(request)
        if called.not_run:
            raise EffectError(GloveFault.RUNTIME, called.not_run, response={"run_id": str(called.run_id)})
        if called.outcome is not Outcome.SUCCEEDED:
            how = "was lost" if called.outcome is None else f"ended {called.outcome}"
            said = f": {called.error}" if called.error else ""
            raise EffectError(
                GloveFault.RUNTIME,
                f"{agent_name} {how} in run {called.run_id}{said}",
                EffectStatus.FAILED,
                {"run_id": str(called.run_id)},
            )
        status = EffectStatus.WITHHELD if called.withheld else EffectStatus.PERFORMED
        return Answered(called.value, status, request)
