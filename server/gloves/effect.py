"""What one glove call came to: what the program gets, and what is recorded of it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from agents_store.types import EffectStatus
from sandbox.types import GloveError, GloveFault, JsonValue, RunStoppedError

Arguments = Mapping[str, JsonValue]

MESSAGE_CHARS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Answered:
    """What a glove answers, and how the effect shows it.

    `value` goes to the program. `request` and `response` are recorded where they are not None; else the arguments and
    the value are.
    """

    value: JsonValue
    status: EffectStatus = EffectStatus.PERFORMED
    request: Arguments | None = None
    response: JsonValue = None


# Carries out the calls of one glove for one run. Raises GloveError, RunStoppedError, StoreError.
Glove = Callable[[Arguments], Awaitable[Answered]]


class EffectError(GloveError):
    """A GloveError that says how its effect is to be recorded.

    Attributes:
        status: what became of the call.
        response: what is known of an answer that the program does not get.
    """

    def __init__(
        self, fault: GloveFault, message: str, status: EffectStatus = EffectStatus.REFUSED, response: JsonValue = None
    ) -> None:
        super().__init__(fault, message[:MESSAGE_CHARS_MAX])
        self.status = status
        self.response = response


class StoppedError(RunStoppedError):
    """A dry run cannot go on, and its effect shows another request than what was asked for.

    Attributes:
        request: what it shows.
    """

    def __init__(self, request: Arguments) -> None:
        super().__init__()
        self.request = request


_REFUSALS = frozenset({GloveFault.PERMISSION, GloveFault.VALUE, GloveFault.LOOKUP})


def status_of(error: GloveError) -> EffectStatus:
    """How an effect that ended with an error is recorded."""
    if isinstance(error, EffectError):
        return error.status
    return EffectStatus.REFUSED if error.fault in _REFUSALS else EffectStatus.FAILED


def error_of(error: GloveError) -> dict[str, JsonValue]:
    """An error as effects show it."""
    return {"type": error.fault.value, "message": error.message}
