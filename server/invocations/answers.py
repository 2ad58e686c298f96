"""What a finished run answers: the agent's own JSON, a dry run's report, or a problem that is the agent's."""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from starlette.responses import Response

from agents_store.types import Charge, DryRunRate, Run, RunEnd
from sandbox.types import Outcome, Result
from server.edge import problem_response
from server.errors import RunLostError, document, dry_run_headers
from server.gloves.run import RunGloves
from server.invocations.endings import logs_of, shown_effects
from server.invocations.outcomes import RULINGS

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, media type, body and headers of one invocation."""

    status: int
    media_type: str
    body: bytes
    headers: Mapping[str, str]
    run_id: UUID


class Stopwatch:
    """Times the steps of one call.

    Attributes:
        laps_ms: the steps so far, by name, in milliseconds.
    """

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self.laps_ms: dict[str, float] = {}

    def lap(self, name: str) -> None:
        """Name what has passed since the last lap; an empty name drops it."""
        now = time.perf_counter()
        if name:
            self.laps_ms[name] = (now - self._last) * 1000
        self._last = now

    @property
    def server_timing(self) -> str:
        """The value of a Server-Timing header (W3C Server Timing). Waiting for a place is not told."""
        return ", ".join(f"{name};dur={ms:.2f}" for name, ms in self.laps_ms.items() if name != "wait")


def answer_for(
    result: Result,
    end: RunEnd,
    charge: Charge,
    *,
    run_id: UUID,
    tier: str,
    test: bool,
    gloves: RunGloves,
    timing: str,
    request_id: UUID,
    rate: DryRunRate | None = None,
) -> Answer:
    """The answer to a call whose run was finished.

    Every answer has the run's id, tier and charge in its headers; a success is the agent's JSON and nothing else, a
    dry run's success a report, anything else a problem document whose `code` is the outcome.
    """
    headers = {
        "Glovebox-Run-Id": str(run_id),
        "Glovebox-Tier": tier,
        "Glovebox-Charge": str(charge.charge_microcredits),
        "Server-Timing": timing,
        "Cache-Control": "no-store",
        **({} if rate is None else dry_run_headers(rate)),
    }
    if result.outcome is not Outcome.SUCCEEDED:
        problem = _problem(result, request_id)
        if test:
            problem |= {"test": True, "complete": False, **_report(result, charge, gloves)}
        return Answer(RULINGS[result.outcome].status, PROBLEM_JSON, _dump(problem).encode(), headers, run_id)
    body = end.result_json or "null"
    if test:
        told: dict[str, Any] = {"test": True, "complete": result.complete}
        if gloves.stopped_at is not None:
            told["stopped_at"] = gloves.stopped_at
        rest = _dump({**told, **_report(result, charge, gloves)})
        body = f'{{"result":{body},{rest[1:]}'
    return Answer(200, JSON, body.encode(), headers, run_id)


def answer_from_run(run: Run, request_id: UUID) -> Response:
    """The answer to a call whose server died after its run had ended, told from what was stored of the run.

    A dry run's report is not stored whole, so that it is lost, as is what a lost run would have answered.
    """
    headers = {
        "Glovebox-Run-Id": str(run.id),
        "Glovebox-Tier": run.tier,
        "Glovebox-Charge": str(run.charge_microcredits),
        "Cache-Control": "no-store",
    }
    if run.reason is not None or run.test:
        detail = "The answer was lost with its server; the run tells what became of it."
        return problem_response(RunLostError(run.id, detail), request_id)
    if run.outcome == Outcome.SUCCEEDED:
        return Response((run.result_json or "null").encode(), 200, headers, JSON)
    ruling = RULINGS[Outcome(str(run.outcome))]
    error = run.error or {}
    detail = f"{error['type']}: {error['message']}" if error.get("message") else ruling.detail
    problem = document(ruling.status, str(run.outcome), ruling.title, detail, request_id, {"error": run.error})
    return Response(_dump(problem).encode(), ruling.status, headers, PROBLEM_JSON)


def _problem(result: Result, request_id: UUID) -> dict[str, Any]:
    ruling = RULINGS[result.outcome]
    error = result.error
    detail = ruling.detail if error is None else f"{error.type}: {error.message}" if error.message else error.type
    members = {"error": None if error is None else asdict(error)}
    return document(ruling.status, result.outcome.value, ruling.title, detail, request_id, members)


def _report(result: Result, charge: Charge, gloves: RunGloves) -> dict[str, Any]:
    return {
        "effects": shown_effects(gloves.effects),
        "logs": logs_of(result),
        "usage": asdict(result.usage),
        "would_charge": charge.would_charge_microcredits + gloves.called_microcredits,
    }


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
