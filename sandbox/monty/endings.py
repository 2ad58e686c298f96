"""From what became of a session to the result of a run."""

from collections.abc import Callable
from dataclasses import replace
from itertools import groupby

from pydantic_monty import MontyCrashedError, MontyError, MontyRuntimeError, MontySyntaxError

from sandbox import untrusted
from sandbox.errors import SandboxLostError
from sandbox.guest.report import MESSAGE_CHARS_MAX, TRACEBACK_LINES_MAX
from sandbox.guest.worker import LAUNCH_FAILED
from sandbox.monty.assembly import AUTHORS_FILE, PREFIX, Assembly
from sandbox.monty.inability import what_is_missing
from sandbox.monty.session import Heard
from sandbox.types import JsonValue, Limits, Outcome, ProgramError, Result


def to_result(heard: Heard, limits: Limits, kernel_killed: Callable[[], bool]) -> Result:
    """How a run ended. Raises SandboxLostError where its worker never stood.

    `kernel_killed` tells of a worker that is gone whether the kernel ended one for memory.
    """
    if heard.stopped:
        return _result(heard, Outcome.SUCCEEDED, None)
    if heard.condemned is not None:
        return _result(heard, heard.condemned, _condemnation(heard, limits))
    if heard.fault is not None:
        return _result(heard, Outcome.BAD_RESULT, ProgramError("BadResult", heard.fault[:MESSAGE_CHARS_MAX]))
    if heard.error is not None:
        return _failed(heard, heard.error, limits, kernel_killed)
    return _succeeded(heard, limits)


def _succeeded(heard: Heard, limits: Limits) -> Result:
    text = heard.answer[0] if heard.answer is not None else None
    payload = b"" if text is None else text.encode()
    if text is None or len(payload) > limits.output_bytes_max:
        heard.exceeded = "output_bytes_max"
        return _result(heard, Outcome.BAD_RESULT, _condemnation(heard, limits))
    try:
        value = untrusted.read_result(payload)
    except untrusted.UnreadableError as error:
        return _result(heard, Outcome.BAD_RESULT, ProgramError("BadResult", f"the result is unusable: {error}"))
    heard.output_bytes += len(payload)
    return _result(heard, Outcome.SUCCEEDED, None, value)


def _failed(heard: Heard, error: Exception, limits: Limits, kernel_killed: Callable[[], bool]) -> Result:
    if isinstance(error, MontyCrashedError):
        return _crashed(heard, error, kernel_killed=kernel_killed())
    if not isinstance(error, MontyError):  # a frame over the library's own bound
        heard.exceeded = "output_bytes_max"
        return _result(heard, Outcome.TOO_MUCH_OUTPUT, _condemnation(heard, limits))
    assert heard.assembled is not None  # noqa: S101 - nothing raises before there is a feed
    told = describe(error, heard.assembled)
    if isinstance(error, MontySyntaxError):
        line = told.line
        return _result(heard, Outcome.REJECTED, ProgramError("Rejected", f"invalid syntax: {told.message}", line))
    if told.type == "MemoryError":
        heard.exceeded = "memory_bytes_max"
        return _result(heard, Outcome.OUT_OF_MEMORY, _condemnation(heard, limits))
    if told.type == "NameError" and told.line is None:
        return _result(heard, Outcome.REJECTED, ProgramError("Rejected", "the program defines no function `run`"))
    missing = missing_in(error, heard.assembled)
    if missing is not None:
        unsuited = ProgramError("TierUnsuited", missing, told.line, None, told.traceback)
        return _result(heard, Outcome.TIER_UNSUITED, unsuited)
    if told.type == "OSError" and told.message in heard.connection_faults:
        told = replace(told, type="ConnectionError")
    return _result(heard, Outcome.FAILED, told)


def _crashed(heard: Heard, error: MontyCrashedError, *, kernel_killed: bool) -> Result:
    if error.exit_status == LAUNCH_FAILED:
        raise SandboxLostError("a worker's wall could not be built")
    if kernel_killed:
        told = ProgramError("LimitExceeded", "all runs together used up the memory of the tier; this one was largest")
        return _result(heard, Outcome.OUT_OF_MEMORY, told)
    how = str(error).rpartition("(")[2].rstrip(")")
    return _result(heard, Outcome.FAILED, ProgramError("ProcessDied", f"the process died by itself: {how}"))


def missing_in(error: MontyError, assembled: Assembly) -> str | None:
    """What the interpreter lacks, by the exception that it raised; None when the program is at fault."""
    frames = error.traceback() if isinstance(error, MontyRuntimeError) else []
    inner = error.exception()
    authors = [frame for frame in frames if frame.filename == AUTHORS_FILE and assembled.author_line(frame.line)]
    source_line = authors[-1].source_line if authors and authors[-1] is frames[-1] else None
    return what_is_missing(_type_of(error), str(inner), source_line)


def describe(error: MontyError, assembled: Assembly) -> ProgramError:
    """Type, message, the author's line and the author's own frames of an exception."""
    frames = error.traceback() if isinstance(error, MontyRuntimeError | MontySyntaxError) else []
    lines = [
        (line, frame.function_name or "<module>")
        for frame in frames
        if frame.filename == AUTHORS_FILE and (line := assembled.author_line(frame.line)) is not None
    ]
    line = lines[-1][0] if lines else None
    if line is None and frames and (isinstance(error, MontySyntaxError) or _type_of(error) == "NotImplementedError"):
        line = assembled.nearest_line(frames[-1].line)
    shown = [f"line {number}, in {name}" for number, name in lines]
    return ProgramError(
        type=_clean(_type_of(error))[:200],
        message=_clean(str(error.exception()))[:MESSAGE_CHARS_MAX],
        line=line,
        traceback=_clean("\n".join(_fold(shown)[-TRACEBACK_LINES_MAX:])),
    )


def _type_of(error: MontyError) -> str:
    if isinstance(error, MontyRuntimeError):
        shown = error.display("type-msg").partition(":")[0]
        if shown.replace(".", "").isidentifier():
            return shown.rpartition(".")[2]
    return type(error.exception()).__name__


def _fold(lines: list[str]) -> list[str]:
    counted = [(line, sum(1 for _ in same)) for line, same in groupby(lines)]
    return [line if count == 1 else f"{line} ({count} times)" for line, count in counted]


def _clean(text: str) -> str:
    return untrusted.clean_text(text).replace(PREFIX, "")


def _result(heard: Heard, outcome: Outcome, error: ProgramError | None, value: JsonValue = None) -> Result:
    return Result(
        outcome,
        value,
        error,
        tuple(heard.logs),
        heard.usage,
        complete=not heard.stopped,
        replayable=heard.replayable,
    )


def _condemnation(heard: Heard, limits: Limits) -> ProgramError:
    if heard.exceeded is None:
        return ProgramError("TierUnsuited", heard.reason)
    limit = f"{heard.exceeded} ({getattr(limits, heard.exceeded)})"
    return ProgramError("LimitExceeded", f"the run went over {limit}; an agent may ask for more in its limits")
