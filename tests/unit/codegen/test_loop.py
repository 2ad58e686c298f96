"""The loop: which examples count, when an attempt is given up, and what is kept however it ends."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from agents_store.generations import Engine
from agents_store.types import NewVersion, Principal
from sandbox.errors import SandboxBusyError
from sandbox.types import Outcome, ProgramError, Result
from server.agents.drafts import Draft
from server.codegen.answers import TriedExample
from server.codegen.loop import FAILURES_MAX, Loop, NoAttemptPassedError, Order, Work
from server.codegen.progress import Progress
from server.codegen.prompt import Request
from server.codegen.provider import Meter, ModelAnswer
from tests.support.messages_api import agent_text

ENGINE = Engine(1, "Write.", 2, "some-model", None, 100_000, 4_000, 60_000, 2)
CODE = "def run(inputs):\n    return inputs\n"


class ScriptedModel:
    """Answers with its texts, in order, the last one for ever."""

    def __init__(self, *texts: str) -> None:
        self._texts = list(texts)
        self.requests: list[Request] = []

    async def answer(
        self, engine: Engine, request: Request, meter: Meter, take_text: Callable[[str], None]
    ) -> ModelAnswer:
        self.requests.append(request)
        return ModelAnswer(self._texts.pop(0) if len(self._texts) > 1 else self._texts[0], "end_turn")


class ScriptedWorkshop:
    """Takes every draft, and answers each example with what `result` makes of its inputs."""

    def __init__(self, result: Callable[[Mapping[str, Any]], Result]) -> None:
        self._result = result
        self.drafts: list[Draft] = []
        self.tried: list[TriedExample] = []

    async def check(self, principal: Principal, draft: Draft, agent_id: UUID | None) -> NewVersion:
        self.drafts.append(draft)
        return NewVersion(draft.code, draft.tier, "restricted", draft.limits, draft.inputs_schema, draft.examples)

    async def try_example(
        self, principal: Principal, version: NewVersion, example: TriedExample, agent_id: UUID | None
    ) -> Result:
        self.tried.append(example)
        return self._result(example.inputs)


def echo(inputs: Mapping[str, Any]) -> Result:
    return Result(Outcome.SUCCEEDED, value=dict(inputs))


def order(*pinned: TriedExample) -> Order:
    return Order(Principal(uuid4()), ENGINE, "fixed", "task", "auto", {}, (), None, pinned)


def echoes(numbers: Sequence[int]) -> list[tuple[dict[str, Any], Any]]:
    return [({"n": number}, {"n": number}) for number in numbers]


async def test_examples_about_the_same_inputs_count_once_and_the_callers_first() -> None:
    mine = TriedExample({"n": 1}, {"n": 1}, own=True)
    own = [({"n": 1.0}, "wrong"), *echoes([2, 2, 3])]
    workshop = ScriptedWorkshop(echo)
    version = await Loop(ScriptedModel(agent_text(CODE, own)), workshop).make(order(mine), Work(Progress()))

    assert [example["inputs"] for example in version.examples] == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert workshop.tried[0] is mine


async def test_examples_that_are_three_times_the_same_are_too_few() -> None:
    workshop, work = ScriptedWorkshop(echo), Work(Progress())
    model = ScriptedModel(agent_text(CODE, echoes([1, 1, 1])), agent_text(CODE, echoes([1, 2, 3])))
    await Loop(model, workshop).make(order(), work)

    assert [finding.step for finding in work.attempts[0].findings] == ["contract"]
    assert "at least 3 examples" in model.requests[1].turns[2]


async def test_attempt_that_fails_often_is_given_up() -> None:
    failed = Result(Outcome.FAILED, error=ProgramError("ValueError", "no", line=2))
    workshop, work = ScriptedWorkshop(lambda _inputs: failed), Work(Progress())
    with pytest.raises(NoAttemptPassedError):
        await Loop(ScriptedModel(agent_text(CODE, echoes(range(10)))), workshop).make(order(), work)

    assert len(workshop.tried) == 3 * FAILURES_MAX
    assert [len(attempt.findings) for attempt in work.attempts] == [FAILURES_MAX] * 3
    assert work.attempts[0].findings[0].message == "failed: ValueError: no at line 2"


async def test_example_that_expects_nothing_wants_success_alone() -> None:
    free = TriedExample({"n": 9}, None, own=True, expects=False)
    workshop = ScriptedWorkshop(echo)
    version = await Loop(ScriptedModel(agent_text(CODE, echoes([1, 2]))), workshop).make(order(free), Work(Progress()))

    assert version.examples[0] == {"inputs": {"n": 9}}


async def test_run_that_stopped_at_an_effect_has_not_passed() -> None:
    stopped = Result(Outcome.SUCCEEDED, complete=False)
    free = TriedExample({}, None, own=True, expects=False)
    work = Work(Progress())
    with pytest.raises(NoAttemptPassedError):
        await Loop(ScriptedModel(agent_text(CODE, echoes([1, 2]))), ScriptedWorkshop(lambda _inputs: stopped)).make(
            order(free), work
        )

    assert "stopped at an effect" in work.attempts[0].findings[0].message


async def test_attempts_are_kept_when_the_sandbox_gives_up() -> None:
    results = [Result(Outcome.SUCCEEDED, value=None)] * 3

    def result(_inputs: Mapping[str, Any]) -> Result:
        if not results:
            raise SandboxBusyError
        return results.pop()

    work = Work(Progress())
    with pytest.raises(SandboxBusyError):
        await Loop(ScriptedModel(agent_text(CODE, echoes([1, 2, 3]))), ScriptedWorkshop(result)).make(order(), work)

    assert [attempt.code for attempt in work.attempts] == [CODE]


async def test_only_the_last_attempt_is_shown_to_the_model() -> None:
    model = ScriptedModel(agent_text("first", echoes([1])), agent_text("second", echoes([1])))
    with pytest.raises(NoAttemptPassedError):
        await Loop(model, ScriptedWorkshop(echo)).make(order(), Work(Progress()))

    assert [len(request.turns) for request in model.requests] == [1, 3, 3]
    assert "second" in model.requests[2].turns[1]
    assert "first" not in "".join(model.requests[2].turns)
