"""The records that a store takes and gives. Moments are UTC; money is microcredits, integers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar
from uuid import UUID

T = TypeVar("T")
Json = Any  # a JSON value as `json.loads` gives it


@dataclass(frozen=True, slots=True)
class Principal:
    """The verified caller. `token` is the bearer token that proved it, None for local administration."""

    user_id: UUID
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list, newest first. `next_cursor` is opaque, None on the last page."""

    items: Sequence[T]
    next_cursor: str | None


class AgentStatus(StrEnum):
    """Whether an agent can be called."""

    ACTIVE = "active"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What one version of an agent consists of.

    `tier` is what the author asked for (`auto` or a tier), `resolved_tier` what it came to, `reasons` why each lower
    tier was passed over. `limits` holds every limit of the sandbox contract, resolved. `inputs_schema` is a JSON Schema
    or None; `examples` is a list of `{"inputs": ..., "expect": ...}`.
    """

    code: str
    tier: str
    resolved_tier: str
    limits: Mapping[str, int]
    inputs_schema: Mapping[str, Json] | None = None
    examples: Sequence[Mapping[str, Json]] = ()
    reasons: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent as listed. `version` is its current one; `tier` that version's resolved tier."""

    id: UUID
    user_id: UUID
    agent_name: str
    description: str
    status: AgentStatus
    tier: str
    version: int
    revision: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class AgentDetail:
    """An agent with its current version's code and contract."""

    agent: Agent
    version: NewVersion


@dataclass(frozen=True, slots=True)
class RunStart:
    """What `begin` records. `agent_id` and `version` are what the caller prepared for; `limits` prices the hold."""

    run_id: UUID
    agent_id: UUID
    agent_name: str
    version: int
    test: bool
    inputs: Mapping[str, Json]
    seed: int
    wall: str
    wall_missing: Sequence[str]
    server_id: UUID


@dataclass(frozen=True, slots=True)
class BegunRun:
    """A run that began: its hold stands (0 in a dry run) until `finish`, or until its server's lease ends."""

    run_id: UUID
    user_id: UUID
    revision: int
    hold_microcredits: int
    started_at: datetime


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One stored log line; `seq` counts from 1 within the run."""

    seq: int
    at_ms: int
    message: str
    fields: Mapping[str, Json]


class RunState(StrEnum):
    """Where a run stands. The database enforces the transitions."""

    CREATED = "created"
    EXECUTING = "executing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended. `billable` decides whether the hold is settled at the measured price or released whole.

    `result_json` is the agent's answer as JSON text, None unless it succeeded.
    """

    state: RunState
    outcome: str
    reason: str | None
    billable: bool
    result_json: str | None
    error: Mapping[str, Json] | None
    wall_ms: int
    cpu_ms: int
    peak_memory_bytes: int
    output_bytes: int
    logs: Sequence[LogRecord] = ()


@dataclass(frozen=True, slots=True)
class Charge:
    """What a run cost. In a dry run `charge_microcredits` is 0 and `would_charge_microcredits` the live price."""

    charge_microcredits: int
    would_charge_microcredits: int


@dataclass(frozen=True, slots=True)
class Run:
    """A stored run. `result_json` and `inputs` are None in lists."""

    id: UUID
    kind: str
    agent_name: str
    version: int
    tier: str
    wall: str
    wall_missing: Sequence[str]
    test: bool
    state: RunState
    outcome: str | None
    reason: str | None
    inputs: Mapping[str, Json] | None
    result_json: str | None
    error: Mapping[str, Json] | None
    wall_ms: int | None
    cpu_ms: int | None
    peak_memory_bytes: int | None
    output_bytes: int | None
    charge_microcredits: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Balance:
    """A credit account. Both are never negative and always the sum of the account's entries."""

    available_microcredits: int
    held_microcredits: int


class EntryKind(StrEnum):
    """What a ledger entry did."""

    GRANT = "grant"  # available grows by the amount
    HOLD = "hold"  # the amount moves from available to held
    SETTLE = "settle"  # closes a hold: the amount is charged, the hold's rest returns to available
    RELEASE = "release"  # closes a hold: nothing is charged, the amount returns to available


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the append-only ledger. `available_delta + held_delta` over all entries is the balance."""

    id: int
    kind: EntryKind
    amount_microcredits: int
    available_delta_microcredits: int
    held_delta_microcredits: int
    run_id: UUID | None
    created_at: datetime
