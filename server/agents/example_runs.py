"""Re-running an agent's examples: each a dry run of its own through the one path, compared with what it expects."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import uuid_utils.compat
from starlette.requests import Request

from agents_store.errors import VersionMovedError
from agents_store.types import AgentDetail, Principal, Run
from sandbox.offload import compute
from server.agents.same_json import is_same_json
from server.agents.schemas import CheckedExample, CheckReport
from server.errors import InvalidInputsError, RunLostError
from server.invocations.answers import Answer
from server.invocations.endings import LOST
from server.invocations.inputs import Asked
from server.routing import authorization_of, request_id_of
from server.services import Services

CHECK_S_MAX = 300.0  # then no further example is begun
GOT_BYTES_MAX = 64 * 1024


@dataclass(frozen=True, slots=True)
class ExampleCall:
    """One example as a call of the agent's URL: a dry run with the example's inputs."""

    request: Request
    user_id: UUID
    agent_name: str
    inputs: Mapping[str, Any]
    run_id: UUID = field(default_factory=uuid_utils.compat.uuid7)

    @property
    def request_id(self) -> UUID:
        """The check's own."""
        return request_id_of(self.request)

    @property
    def authorization(self) -> str | None:
        """The check's own."""
        return authorization_of(self.request)

    def authenticated(self, principal: Principal) -> None:
        """Nothing is new: the check's caller was verified."""

    def read_test(self) -> bool:
        """Always a dry run."""
        return True

    async def read(self) -> Asked:
        """The example's inputs, as a body has them."""
        return Asked(inputs=self.inputs)

    def begun(self, run: Run) -> None:
        """Nothing is to be done: the check waits for the answer."""

    async def gone(self) -> None:
        """Return when the check's client has left."""
        while (await self.request.receive())["type"] != "http.disconnect":
            pass


async def check_examples(services: Services, principal: Principal, agent_name: str, request: Request) -> CheckReport:
    """Run the examples of an agent's current version one after another, for at most `CHECK_S_MAX` and one run.

    Each counts as a dry run; a client that leaves ends the check after the run that goes on.

    Raises:
        UnknownAgentError: the caller has no agent of this name.
        VersionMovedError: the agent got another version meanwhile, so that the report would be about neither.
        The errors of the one path that are about no single run: UserBusyError, TooManyDryRunsError, ServerBusyError,
        ShuttingDownError, StoreUnavailableError.
    """
    detail = await services.agents.show(principal, agent_name)
    deadline = time.monotonic() + CHECK_S_MAX
    results: list[CheckedExample] = []
    for index, example in enumerate(detail.version.examples):
        if time.monotonic() >= deadline or await request.is_disconnected():
            results.append(_skipped(index, example.get("expect")))
            continue
        call = ExampleCall(request, principal.user_id, agent_name, example["inputs"])
        try:
            answer = await services.live.carry(services.invocations.invoke(call))
        except RunLostError as exc:
            results.append(_lost(index, example.get("expect"), exc))
        except InvalidInputsError as exc:  # what fits its own version fits not the one that came meanwhile
            raise _moved(detail) from exc
        else:
            results.append(await _compared(index, example, answer))
    if (await services.agents.show(principal, agent_name)).agent.version != detail.agent.version:
        raise _moved(detail)
    return CheckReport(version=detail.agent.version, passed=all(result.passed for result in results), results=results)


def _moved(detail: AgentDetail) -> VersionMovedError:
    return VersionMovedError(f"version {detail.agent.version} of {detail.agent.agent_name!r} is not current any more")


async def _compared(index: int, example: Mapping[str, Any], answer: Answer) -> CheckedExample:
    passed, report = await compute(lambda: _verdict(example, answer), len(answer.body))
    succeeded = answer.status == 200
    return CheckedExample(
        index=index,
        passed=passed,
        expected=example.get("expect"),
        got=report["result"] if succeeded and (passed or len(answer.body) <= GOT_BYTES_MAX) else None,
        outcome="succeeded" if succeeded else report["code"],
        error=None if succeeded else report["error"],
        run_id=answer.run_id,
    )


def _verdict(example: Mapping[str, Any], answer: Answer) -> tuple[bool, dict[str, Any]]:
    """Whether it came out as expected; where nothing is expected, whether it came to a result."""
    report: dict[str, Any] = json.loads(answer.body)
    if answer.status != 200:
        return False, report
    return "expect" not in example or is_same_json(report["result"], example["expect"]), report


def _lost(index: int, expected: Any, error: RunLostError) -> CheckedExample:
    return CheckedExample(
        index=index,
        passed=False,
        expected=expected,
        got=None,
        outcome="failed",
        error={"type": LOST, "message": error.detail},
        run_id=error.run_id,
    )


def _skipped(index: int, expected: Any) -> CheckedExample:
    message = f"A check begins no example after {CHECK_S_MAX:.0f} s."
    return CheckedExample(
        index=index,
        passed=False,
        expected=expected,
        got=None,
        outcome=None,
        error={"type": "not_run", "message": message},
        run_id=None,
    )
