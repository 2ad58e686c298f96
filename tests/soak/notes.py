"""What the users of a soak were told, and which of it nobody should have been told."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

KEPT_MAX = 50  # unexpected answers that are told in full
AFTER_S = 5.0  # how long a fault is felt once it is over: what waited meanwhile is answered


class UnexpectedError(Exception):
    """An answer that the user of a soak did not expect."""

    def __init__(self, answer: httpx.Response | None, detail: str) -> None:
        super().__init__(detail)
        self.answer = answer

    @property
    def was_kind(self) -> bool:
        """Whether it is what a fault may do: told to come again, or a run that ended and says how."""
        if self.answer is None:
            return True
        if self.answer.status_code not in (502, 503):
            return False
        return "retry-after" in self.answer.headers or "glovebox-run-id" in self.answer.headers


@dataclass
class Fault:
    """Something that was broken on purpose. Times in seconds since the load began; `over_s` None while it is."""

    name: str
    began_s: float
    over_s: float | None = None

    @property
    def took_s(self) -> float:
        return float("inf") if self.over_s is None else self.over_s - self.began_s


@dataclass(frozen=True)
class Call:
    """A call that was answered as it must. Seconds since the load began; the latency from when it was due."""

    kind: str
    due_s: float
    took_s: float


@dataclass
class Notes:
    """Everything that was seen, in bounded space but for one small record a call."""

    calls: list[Call] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    outcomes: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    unexpected_count: int = 0
    borne_count: int = 0  # refusals and lost runs beside a fault, told as they must be

    def saw(self, answer: httpx.Response) -> None:
        """Remember how the run of an answer ended, to compare it with what is stored."""
        run_id = answer.headers.get("glovebox-run-id")
        if run_id is None or answer.status_code == 202:
            return
        self.outcomes[run_id] = "succeeded" if answer.status_code == 200 else str(answer.json().get("code"))

    def done(self, kind: str, due_s: float, now_s: float) -> None:
        self.kinds[kind] += 1
        self.calls.append(Call(kind, due_s, now_s - due_s))

    def failed(self, kind: str, due_s: float, now_s: float, error: Exception) -> None:
        """Judge what went wrong between two moments."""
        self.kinds[kind] += 1
        if isinstance(error, UnexpectedError) and error.was_kind and self.disturbed(due_s, now_s):
            self.borne_count += 1
            return
        self.unexpected_count += 1
        if len(self.unexpected) < KEPT_MAX:
            self.unexpected.append(f"{now_s:.1f} s, {kind}: {type(error).__name__}: {error}"[:600])

    def disturbed(self, since_s: float, until_s: float) -> bool:
        """Whether any of that time was within a fault, or just behind one."""
        return any(
            fault.began_s <= until_s and (fault.over_s is None or since_s <= fault.over_s + AFTER_S)
            for fault in self.faults
        )

    def quiet_calls(self, kind: str, since_s: float, until_s: float) -> list[float]:
        """Latencies of a kind, in seconds, of calls that were due then and that no fault disturbed."""
        return [
            call.took_s
            for call in self.calls
            if call.kind == kind
            and since_s <= call.due_s < until_s
            and not self.disturbed(call.due_s, call.due_s + call.took_s)
        ]

    @contextmanager
    def fault(self, name: str, began_s: float) -> Iterator[Fault]:
        """A fault for as long as the block lasts; whoever enters says when it was over."""
        made = Fault(name, began_s)
        self.faults.append(made)
        yield made


def expect(notes: Notes, answer: httpx.Response, status: int, value: Any = ...) -> Any:
    """The body of an answer that must have this status and, where given, this value. Raises UnexpectedError."""
    notes.saw(answer)
    if answer.status_code != status:
        raise UnexpectedError(answer, f"{answer.status_code} instead of {status}: {answer.text[:300]}")
    told = answer.json() if answer.content else None
    if value is not ... and told != value:
        raise UnexpectedError(answer, f"{str(told)[:150]} instead of {str(value)[:150]}")
    return told
