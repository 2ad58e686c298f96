"""What a report of a container amounts to, in the words of the contract."""

import os
import signal
from contextlib import suppress

from sandbox import untrusted
from sandbox.docker.execution import Report
from sandbox.errors import SandboxLostError
from sandbox.guest.frames import Kind
from sandbox.types import JsonValue, Limits, Outcome, ProgramError, Refusal, Result


def to_result(report: Report, limits: Limits) -> Result:
    """The result of a run whose container is still there. Raises SandboxLostError where nobody knows how it ended."""
    heard = report.heard
    if report.condemned is not None:
        return _result(report, report.condemned, condemnation(report.exceeded, limits))
    if heard.stopped:
        return Result(Outcome.SUCCEEDED, None, None, tuple(heard.logs), heard.usage, complete=False)
    if heard.final is None:
        return _died(report, limits)
    kind, payload = heard.final
    if kind == Kind.VALUE:
        return _succeeded(report, payload)
    if kind == Kind.NO_MEMORY:
        return _exceeded(report, "memory_bytes_max", limits)
    if kind == Kind.REFUSED:
        first = read_refusals(payload)[0]
        return _result(report, Outcome.REJECTED, ProgramError("Rejected", first.message, first.line, first.column))
    if kind == Kind.BAD_RESULT:
        return _result(report, Outcome.BAD_RESULT, untrusted.read_error(payload))
    exceeded = _limit_behind(report, no_space=untrusted.says(payload, "no_space"))
    if exceeded is not None:
        return _exceeded(report, exceeded, limits)
    return _result(report, Outcome.FAILED, untrusted.read_error(payload))


def out_of_memory(report: Report, limits: Limits) -> Result:
    """The result of a run for whose memory the kernel ended the whole container."""
    return _exceeded(report, "memory_bytes_max", limits)


def container_died(report: Report, limits: Limits) -> Result:
    """The result of a run whose container died by the program's own doing."""
    if report.reading.refused_forks:
        return _exceeded(report, "processes_max", limits)
    error = ProgramError("ProcessDied", "the container died under the program")
    return _result(report, Outcome.FAILED, error)


def read_refusals(payload: bytes) -> tuple[Refusal, ...]:
    """The refusals of a check. Raises SandboxLostError."""
    try:
        return untrusted.read_refusals(payload)
    except untrusted.UnreadableError as error:
        raise SandboxLostError("a child that only compiles sent what cannot be read") from error


def condemnation(exceeded: str | None, limits: Limits) -> ProgramError:
    """Why the host ended a run: a limit, or None for a broken protocol."""
    if exceeded is None:
        return ProgramError("ProtocolError", "the process broke the protocol of its sandbox and was ended")
    limit = f"{exceeded} ({getattr(limits, exceeded)})"
    return ProgramError("LimitExceeded", f"the run went over {limit}; an agent may ask for more in its limits")


_OUTCOME_OF = {
    "memory_bytes_max": Outcome.OUT_OF_MEMORY,
    "processes_max": Outcome.TOO_MANY_PROCESSES,
    "disk_bytes_max": Outcome.DISK_FULL,
}


def _limit_behind(report: Report, *, no_space: bool) -> str | None:
    """The limit that a run which failed had met, if any: one that goes on in spite of a limit succeeds."""
    if report.reading.memory_kills:
        return "memory_bytes_max"
    if report.reading.refused_forks:
        return "processes_max"
    return "disk_bytes_max" if no_space else None


def _died(report: Report, limits: Limits) -> Result:
    if report.end is None:
        raise SandboxLostError("a run ended and nobody knows how")
    exceeded = _limit_behind(report, no_space=report.end.full)
    if exceeded is not None:
        return _exceeded(report, exceeded, limits)
    status = report.end.status
    how = f"exit status {os.waitstatus_to_exitcode(status)}"
    if os.WIFSIGNALED(status):
        how = f"signal {os.WTERMSIG(status)}"
        with suppress(ValueError):
            how = signal.Signals(os.WTERMSIG(status)).name
    return _result(report, Outcome.FAILED, ProgramError("ProcessDied", f"the process died by itself: {how}"))


def _succeeded(report: Report, payload: bytes) -> Result:
    try:
        value = untrusted.read_result(payload)
    except untrusted.UnreadableError as error:
        return _result(report, Outcome.BAD_RESULT, ProgramError("BadResult", f"the result is unusable: {error}"))
    return _result(report, Outcome.SUCCEEDED, None, value)


def _exceeded(report: Report, limit: str, limits: Limits) -> Result:
    return _result(report, _OUTCOME_OF[limit], condemnation(limit, limits))


def _result(report: Report, outcome: Outcome, error: ProgramError | None, value: JsonValue = None) -> Result:
    heard = report.heard
    return Result(outcome, value, error, tuple(heard.logs), heard.usage, replayable=heard.replayable)
