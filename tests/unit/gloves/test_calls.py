from collections.abc import Mapping
from uuid import uuid4

import pytest

from agents_store.types import EffectStatus
from sandbox.types import GloveFault, JsonValue, Limits, Outcome
from server.gloves.budget import Bound, Budget
from server.gloves.calls import DEPTH_MAX, Called, CallingRun, RunCalls
from server.gloves.effect import EffectError, StoppedError
from server.gloves.mocks import CallMock, Mocks

RUN_ID = uuid4()


class Calls:
    """Calls of an agent that ends as a test says."""

    def __init__(self, called: Called, mocks: Mocks | None = None) -> None:
        self.called = called
        self.asked: list[tuple[str, Mapping[str, JsonValue]]] = []
        self.charged: list[int] = []
        self.budget = Budget(Limits(calls_max=2))
        self.glove = RunCalls(self.call, budget=self.budget, mocks=mocks or Mocks(), take_charge=self.charged.append)

    async def call(self, agent_name: str, inputs: Mapping[str, JsonValue]) -> Called:
        self.asked.append((agent_name, inputs))
        return self.called


async def test_the_effect_of_a_call_names_the_run() -> None:
    calls = Calls(Called(RUN_ID, Outcome.SUCCEEDED, 42, would_charge_microcredits=7))

    answered = await calls.glove({"agent_name": "child", "inputs": {"n": 1}})

    assert (answered.value, answered.status) == (42, EffectStatus.PERFORMED)
    assert answered.request == {"agent_name": "child", "inputs": {"n": 1}, "run_id": str(RUN_ID)}
    assert calls.asked == [("child", {"n": 1})]
    assert calls.charged == [7]


async def test_a_called_dry_run_that_withheld_something_is_withheld() -> None:
    calls = Calls(Called(RUN_ID, Outcome.SUCCEEDED, withheld=True))

    assert (await calls.glove({"agent_name": "child", "inputs": {}})).status is EffectStatus.WITHHELD


async def test_a_called_dry_run_that_could_not_go_on_ends_its_caller() -> None:
    calls = Calls(Called(RUN_ID, Outcome.SUCCEEDED, complete=False))

    with pytest.raises(StoppedError) as stopped:
        await calls.glove({"agent_name": "child", "inputs": {}})

    assert stopped.value.request["run_id"] == str(RUN_ID)


@pytest.mark.parametrize(
    ("called", "message"),
    [
        (Called(RUN_ID, Outcome.TIMED_OUT), f"child ended timed_out in run {RUN_ID}"),
        (Called(RUN_ID, Outcome.FAILED, error="KeyError: 'x'"), f"child ended failed in run {RUN_ID}: KeyError: 'x'"),
        (Called(RUN_ID, None), f"child was lost in run {RUN_ID}"),
    ],
)
async def test_what_did_not_succeed_is_an_exception(called: Called, message: str) -> None:
    with pytest.raises(EffectError) as error:
        await Calls(called).glove({"agent_name": "child", "inputs": {}})

    assert (error.value.message, error.value.status) == (message, EffectStatus.FAILED)
    assert error.value.response == {"run_id": str(RUN_ID)}


@pytest.mark.parametrize(
    "arguments",
    [{}, {"agent_name": "x"}, {"agent_name": 1, "inputs": {}}, {"agent_name": "x", "inputs": []},
     {"agent_name": "x", "inputs": {}, "test": False}],
)  # fmt: skip
async def test_arguments_that_are_none_call_nobody(arguments: dict[str, JsonValue]) -> None:
    calls = Calls(Called(RUN_ID, Outcome.SUCCEEDED))

    with pytest.raises(EffectError) as error:
        await calls.glove(arguments)

    assert error.value.fault is GloveFault.VALUE
    assert calls.asked == []
    assert calls.budget.left(Bound.CALLS) == 2


async def test_calls_are_bounded_mocked_ones_too() -> None:
    mocks = Mocks([CallMock.model_validate({"glove": "call", "match": {"inputs": {"n": 1}}, "answer": {"result": 7}})])
    calls = Calls(Called(RUN_ID, Outcome.SUCCEEDED, 8), mocks)

    mocked = await calls.glove({"agent_name": "child", "inputs": {"n": 1}})
    real = await calls.glove({"agent_name": "child", "inputs": {"n": 2}})
    with pytest.raises(EffectError, match="calls_max"):
        await calls.glove({"agent_name": "child", "inputs": {"n": 1}})

    assert (mocked.value, mocked.status, real.value) == (7, EffectStatus.MOCKED, 8)


def test_circles_and_depth_are_refused() -> None:
    agents = [uuid4() for _ in range(DEPTH_MAX + 1)]

    def calling(*agent_ids: object) -> CallingRun:
        return CallingRun(RUN_ID, agent_ids, test=False, budget=Budget(Limits()), mocks=Mocks())  # type: ignore[arg-type] # ids

    calling(*agents[:DEPTH_MAX]).require_callable(agents[DEPTH_MAX], "deepest")
    with pytest.raises(EffectError, match="circles"):
        calling(*agents[:2]).require_callable(agents[0], "first")
    with pytest.raises(EffectError, match="deep"):
        calling(*agents).require_callable(uuid4(), "too deep")
