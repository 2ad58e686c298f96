"""The loop: a draft is checked, tried on every example, and mended by the model while attempts are left."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from agents_store.generations import Engine
from agents_store.types import NewVersion, Principal
from sandbox.offload import offload
from sandbox.types import Outcome, Result
from server.agents.drafts import Draft
from server.agents.same_json import is_same_json
from server.agents.schemas import EXAMPLES_MAX
from server.codegen.answers import Proposal, TriedExample, UnreadableAnswerError, read_answer
from server.codegen.attempts import Attempt, Finding
from server.codegen.progress import Progress
from server.codegen.prompt import Request, repair_turns
from server.codegen.provider import Meter, ModelAnswer
from server.errors import CodeRejectedError, InvalidRequestError

EXAMPLES_MIN = 3
FAILURES_MAX = 5  # examples of one attempt that fail: then it is clear that it is wrong
GOT_CHARS_MAX = 16 * 1024  # of what an example returned, as it is kept

_STOPPED = {
    "max_tokens": "The answer was cut at the most tokens that it may have: write a shorter program.",
    "model_context_window_exceeded": "The answer was cut because the request is too long: write a shorter program.",
    "pause_turn": "The answer was not finished.",
    "tool_use": "There are no tools: answer with the agent.",
}


class Model(Protocol):
    """What writes agents."""

    async def answer(self, engine: Engine, request: Request, meter: Meter, take_text: Any) -> ModelAnswer:
        """See `server.codegen.provider.MessagesApi`."""


class Workshop(Protocol):
    """Where drafts are checked and tried: the same places that creating and calling an agent use."""

    async def check(self, principal: Principal, draft: Draft, agent_id: UUID | None) -> NewVersion:
        """The version that a draft comes to. Raises InvalidRequestError, CodeRejectedError."""

    async def try_example(
        self, principal: Principal, version: NewVersion, example: TriedExample, agent_id: UUID | None
    ) -> Result:
        """A dry run of one example that nothing is charged for and nothing is stored of."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made: what the caller named stands, whatever the model answers.

    `pinned` are the examples that must come out, `inputs_schema` None leaves the schema to the model, `agent_id` is
    whose version it is to be, None where there is no agent yet.
    """

    principal: Principal
    engine: Engine
    fixed: str
    task: str
    tier: str
    limits: Mapping[str, int]
    allowed_hosts: Sequence[str]
    inputs_schema: Mapping[str, Any] | None
    pinned: Sequence[TriedExample]
    agent_id: UUID | None = None


@dataclass(slots=True)
class Work:
    """How far a generation has come: kept apart from the loop, so that it is there however the loop ends."""

    progress: Progress
    meter: Meter = field(default_factory=Meter)
    attempts: list[Attempt] = field(default_factory=list)


class RefusedError(Exception):
    """The model refuses the task; asking again would change nothing. Never leaves this package."""

    def __init__(self, category: str | None) -> None:
        super().__init__(category)
        self.category = category


class NoAttemptPassedError(Exception):
    """Every attempt failed. Never leaves this package."""


class Loop:
    """Makes versions."""

    def __init__(self, model: Model, workshop: Workshop) -> None:
        self._model = model
        self._workshop = workshop

    async def make(self, order: Order, work: Work) -> NewVersion:
        """A version that passed: allowed by the policy, within its contract, and right on every example.

        Raises:
            RefusedError: the model does not want to.
            NoAttemptPassedError: the first draft and every repair failed.
            GenerationUnavailableError, ModelUnavailableError: the model cannot be asked.
            The errors of checking and running that are about no program: UserBusyError, ServerBusyError,
            ShuttingDownError, SandboxBusyError, SandboxLostError, TierUnavailableError.
        """
        repairs_max = order.engine.repairs_max
        turns: Sequence[str] = [order.task]
        for number in range(1, repairs_max + 2):
            work.progress.begin_attempt(number)
            repair = number - 1
            if repair:
                work.progress.step(f"repairing {repair} of {repairs_max}", step="repairing", repair=repair)
            else:
                work.progress.step("drafting", step="drafting")
            answer = await self._model.answer(
                order.engine, Request(order.fixed, turns), work.meter, work.progress.take_text
            )
            if answer.stop_reason == "refusal":
                work.attempts.append(Attempt(number, findings=[Finding("answer", "The model refused.")]))
                raise RefusedError(answer.refusal)
            attempt, version = await self._judge(order, number, answer, work.progress)
            work.attempts.append(attempt)
            if version is not None:
                return version
            turns = repair_turns(order.task, answer.text, attempt.findings)
        raise NoAttemptPassedError

    async def _judge(
        self, order: Order, number: int, answer: ModelAnswer, progress: Progress
    ) -> tuple[Attempt, NewVersion | None]:
        try:
            proposal = await _read(answer)
        except UnreadableAnswerError as exc:
            return Attempt(number, findings=exc.findings), None
        progress.tell_code(proposal.code)
        examples = _together(order.pinned, proposal.examples)
        version, findings = await self._passed(order, proposal, examples, progress)
        attempt = Attempt(
            number=number,
            code=proposal.code,
            summary=proposal.summary,
            inputs_schema=proposal.inputs_schema,
            examples=[example.to_json() for example in examples],
            hosts=proposal.hosts,
            tier=proposal.tier,
            findings=findings,
        )
        return attempt, version

    async def _passed(
        self, order: Order, proposal: Proposal, examples: Sequence[TriedExample], progress: Progress
    ) -> tuple[NewVersion | None, Sequence[Finding]]:
        progress.step("checking", step="checking")
        findings: list[Finding] = []
        if len(examples) < EXAMPLES_MIN:
            message = f"there must be at least {EXAMPLES_MIN} examples, one of them an edge case"
            findings.append(Finding("contract", message, {"path": "/examples"}))
        draft = Draft(
            code=proposal.code,
            tier=order.tier,
            inputs_schema=order.inputs_schema if order.inputs_schema is not None else proposal.inputs_schema,
            # One that wants answers to fetches of its own would fail wherever there are none.
            examples=[example.to_json() for example in examples if not example.fetches],
            limits=order.limits,
            allowed_hosts=order.allowed_hosts,
        )
        try:
            version = await self._workshop.check(order.principal, draft, order.agent_id)
        except CodeRejectedError as exc:
            findings += [Finding("check", str(error["message"]), _place(error)) for error in exc.errors]
            return None, findings
        except InvalidRequestError as exc:
            errors = exc.errors or [{"path": "", "message": exc.detail}]
            findings += [
                Finding("contract", f"{error['path']}: {error['message']}", {"path": error["path"]}) for error in errors
            ]
            return None, findings
        findings += await self._try(order, version, examples, progress)
        return (None, findings) if findings else (version, ())

    async def _try(
        self, order: Order, version: NewVersion, examples: Sequence[TriedExample], progress: Progress
    ) -> list[Finding]:
        findings: list[Finding] = []
        count = len(examples)
        for index, example in enumerate(examples):
            progress.step(f"trying example {index + 1} of {count}", step="trying", example=index + 1, examples=count)
            result = await self._workshop.try_example(order.principal, version, example, order.agent_id)
            if (finding := await offload(partial(_compared, index, example, result))) is not None:
                findings.append(finding)
            if len(findings) == FAILURES_MAX:
                break
        return findings


async def _read(answer: ModelAnswer) -> Proposal:
    if answer.broken is not None:
        raise UnreadableAnswerError([Finding("answer", f"The answer {answer.broken}.")])
    if (message := _STOPPED.get(answer.stop_reason or "")) is not None:
        raise UnreadableAnswerError([Finding("answer", message)])
    return await offload(lambda: read_answer(answer.text))


def _together(pinned: Sequence[TriedExample], own: Sequence[TriedExample]) -> list[TriedExample]:
    """The caller's examples, then those of the model; of several about the same inputs the first one counts."""
    together = list(pinned)
    for example in own:
        if not any(is_same_json(example.inputs, known.inputs) for known in together):
            together.append(example)
    return together[:EXAMPLES_MAX]


def _place(error: Mapping[str, Any]) -> dict[str, Any]:
    return {name: error[name] for name in ("line", "column", "construct") if name in error}


def _compared(index: int, example: TriedExample, result: Result) -> Finding | None:
    """What an example's run shows, None where it returned what is expected."""
    right = not example.expects or is_same_json(result.value, example.expect)
    if result.outcome is Outcome.SUCCEEDED and result.complete and right:
        return None
    evidence: dict[str, Any] = {
        "index": index,
        "own": example.own,
        "inputs": example.inputs,
        "expected": example.expect if example.expects else "anything",
        "got": _bounded(result.value),
        "outcome": result.outcome.value,
        "error": None,
    }
    if not result.complete:
        return Finding("example", "stopped at an effect that has no answer: list it in the example's fetches", evidence)
    if result.outcome is Outcome.SUCCEEDED:
        return Finding("example", "returned something else", evidence)
    if result.error is None:
        return Finding("example", f"ended {result.outcome.value}", evidence)
    error = result.error
    evidence["error"] = {"type": error.type, "message": error.message[:2_000], "line": error.line}
    where = "" if error.line is None else f" at line {error.line}"
    return Finding("example", f"{result.outcome.value}: {error.type}: {error.message[:2_000]}{where}", evidence)


def _bounded(value: Any) -> Any:
    text = json.dumps(value)
    return value if len(text) <= GOT_CHARS_MAX else f"{text[:GOT_CHARS_MAX]}..."
