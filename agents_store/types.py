"""The records that a store takes and gives. Moments are UTC; money is microcredits, integers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar
from uuid import UUID

DRY_RUNS_PER_HOUR_MAX = 600  # of one user, where nothing else is set
API_KEYS_LIVE_MAX = 50  # of one user; the schema enforces it

T = TypeVar("T")
Json = Any  # a JSON value as `json.loads` gives it


@dataclass(frozen=True, slots=True)
class Principal:
    """The verified caller.

    `token` is the bearer token that proved it, None for an API key and for local administration. `api_key_id` is the
    API key that proved it, None otherwise.
    """

    user_id: UUID
    token: str | None = field(default=None, repr=False)
    api_key_id: UUID | None = None


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
    or None; `examples` is a list of `{"inputs": ..., "expect": ...}`, where `expect` may be absent; `allowed_hosts` are
    where it may send requests, as its author wrote them.
    """

    code: str
    tier: str
    resolved_tier: str
    limits: Mapping[str, int]
    inputs_schema: Mapping[str, Json] | None = None
    examples: Sequence[Mapping[str, Json]] = ()
    reasons: Mapping[str, str] | None = None
    allowed_hosts: Sequence[str] = ()


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
class DryRunRate:
    """What is left of a user's dry runs in the current hour, which ends in `reset_ms`."""

    per_hour_max: int
    remaining: int
    reset_ms: int


@dataclass(frozen=True, slots=True)
class Version:
    """A version of an agent as listed.

    `asked_tier` is what its author asked for, `tier` what it came to; `code_sha256` is lower-case hex over the UTF-8
    code; `current` tells whether the agent points at it.
    """

    version: int
    created_at: datetime
    asked_tier: str
    tier: str
    code_sha256: str
    current: bool


@dataclass(frozen=True, slots=True)
class VersionDetail:
    """A version with its code and contract."""

    summary: Version
    version: NewVersion


@dataclass(frozen=True, slots=True)
class Purged:
    """How much one round of retention removed."""

    runs: int
    agents: int


@dataclass(frozen=True, slots=True)
class RunStart:
    """What `begin` records. `agent_id` and `version` are what the caller prepared for; `limits` prices the hold.

    `dry_runs_per_hour_max` bounds what the user may begin of dry runs; a live run does not look at it. `parent_run_id`
    is the run whose program calls this agent: then nothing is held, and what this run costs is charged with that one.
    """

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
    dry_runs_per_hour_max: int = DRY_RUNS_PER_HOUR_MAX
    parent_run_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class BegunRun:
    """A run that began: its hold stands (0 in a dry run) until `finish`, or until its server's lease ends.

    `rate` is what a dry run left of the user's rate, None for a live run.
    """

    run_id: UUID
    user_id: UUID
    revision: int
    hold_microcredits: int
    started_at: datetime
    rate: DryRunRate | None = None


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One stored log line; `seq` counts from 1 within the run."""

    seq: int
    at_ms: int
    message: str
    fields: Mapping[str, Json]


class EffectStatus(StrEnum):
    """What became of a glove call."""

    PERFORMED = "performed"  # carried out, with whatever answer
    WITHHELD = "withheld"  # a dry run's: it would have changed something
    MOCKED = "mocked"  # answered by the dry run's mocks
    REFUSED = "refused"  # not allowed, or over a bound; nothing was done
    FAILED = "failed"  # tried, and it is known that nothing was changed, or that the other side failed
    UNKNOWN = "unknown"  # it may have been carried out or not


@dataclass(frozen=True, slots=True)
class EffectRecord:
    """One stored glove call; `seq` counts from 1 within the run, times are in ms, `at_ms` from the run's start.

    `error` is `{"type": ..., "message": ...}` where the program got an exception, None where it got `response`.
    """

    seq: int
    glove: str
    request: Json
    response: Json
    error: Mapping[str, Json] | None
    status: EffectStatus
    at_ms: int
    duration_ms: int


class RunState(StrEnum):
    """Where a run stands. The database enforces the transitions."""

    CREATED = "created"
    EXECUTING = "executing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs a list has: those that are all of what is given. None means any.

    `created_after` and `created_before` are exclusive.
    """

    state: RunState | None = None
    outcome: str | None = None
    test: bool | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


ANY_RUN = RunFilter()
TAIL_TEXT_MAX = 64 * 1024


@dataclass(frozen=True, slots=True)
class TailLine:
    """One log line as followers get it.

    `cut` is true where the stored line is longer: at most `TAIL_TEXT_MAX` characters of its message are here, and no
    fields where their text is longer than that.
    """

    seq: int
    at_ms: int
    message: str
    fields: Mapping[str, Json]
    cut: bool


@dataclass(frozen=True, slots=True)
class LogTail:
    """A piece of a run's log, and where the run stood before it was read: `outcome` is None while it lives."""

    state: RunState
    outcome: str | None
    reason: str | None
    charge_microcredits: int
    lines: Sequence[TailLine]


class NoticeKind(StrEnum):
    """What a server process tells the others of its database."""

    LOGS = "logs"  # the run has new log lines, or has ended
    CANCEL = "cancel"  # the run's owner asked to cancel it
    LIMITS = "limits"  # the operator changed the limits of all servers; the run's id says nothing


@dataclass(frozen=True, slots=True)
class Notice:
    """A hint that something changed, mostly about a run. It proves nothing: look before acting on it."""

    kind: NoticeKind
    run_id: UUID


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it was first given. `headers` has the media type too."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Claim:
    """An idempotency key that this server holds: it carries out the request, and keeps its answer or frees the key.

    A run that the request begins has the id `run_id`. Where `ran` is true, a server that is gone began that run, it has
    ended, and the answer is to be told from it.
    """

    key: str
    run_id: UUID
    server_id: UUID
    ran: bool = False


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended. `billable` decides whether the hold is settled at the measured price or released whole.

    `result_json` is the agent's answer as JSON text, None unless it succeeded. `glove_calls` counts what is priced, by
    the name of its price. `tier`, `wall` and `wall_missing` are None where the run ended in the tier that it began in.
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
    effects: Sequence[EffectRecord] = ()
    glove_calls: Mapping[str, int] = field(default_factory=dict)
    tier: str | None = None
    wall: str | None = None
    wall_missing: Sequence[str] = ()
    complete: bool = True
    replayable: bool = True


@dataclass(frozen=True, slots=True)
class Charge:
    """What a run cost. In a dry run `charge_microcredits` is 0 and `would_charge_microcredits` the live price."""

    charge_microcredits: int
    would_charge_microcredits: int


@dataclass(frozen=True, slots=True)
class Run:
    """A stored run. `result_json` and `inputs` are None in lists.

    `parent_run_id` is the run whose program called this one's agent; what this one cost is charged with that one.
    `complete` is False for a dry run that met an effect without an answer.
    """

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
    parent_run_id: UUID | None = None
    complete: bool = True
    replayable: bool = True


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
    """One line of the append-only ledger. `available_delta + held_delta` over all entries is the balance.

    `pricing` is there where a generation was charged: its model, its tokens of each kind, and their prices.
    """

    id: int
    kind: EntryKind
    amount_microcredits: int
    available_delta_microcredits: int
    held_delta_microcredits: int
    run_id: UUID | None
    created_at: datetime
    generation_id: UUID | None = None
    pricing: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """An API key to store: never the key itself. `key_hash` is its SHA-256; `prefix` and `last4` are shown in lists.

    `expires_in_days` is None for a key that lives until it is revoked.
    """

    name: str
    key_hash: bytes = field(repr=False)
    prefix: str
    last4: str
    expires_in_days: int | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A stored API key, without anything that it could be used by. `last_used_at` is at most a minute behind."""

    id: UUID
    name: str
    prefix: str
    last4: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class ApiKeyOwner:
    """Whom a live key stands for. `expires_in_s` is None for a key that lives until it is revoked."""

    api_key_id: UUID
    user_id: UUID
    expires_in_s: float | None


MEMORY_KEY_CHARS_MAX = 256
MEMORY_VALUE_BYTES_MAX = 64 * 1024
MEMORY_ENTRIES_MAX = 10_000  # of one agent; the schema enforces it
MEMORY_BYTES_MAX = 64 * 1024**2  # of one agent's keys, values and tags; the schema enforces it
MEMORY_TAGS_MAX = 16
MEMORY_TAG_CHARS_MAX = 64
EMBEDDING_DIMENSIONS = 256
SECRETS_MAX = 64  # of one agent; the schema enforces it
RUN_FILES_MAX = 32  # of one run; the schema enforces it
FILE_NAME_CHARS_MAX = 128


@dataclass(frozen=True, slots=True)
class Embedding:
    """A text as a vector of `EMBEDDING_DIMENSIONS` numbers, and the model that made it: others cannot be compared."""

    model: str
    vector: Sequence[float] = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewMemory:
    """What an agent remembers under a key.

    `importance` is 0 to 1. Without an `embedding` the entry is not found by meaning.
    """

    key: str
    value: Json
    tags: Sequence[str] = ()
    importance: float = 0.0
    embedding: Embedding | None = None


@dataclass(frozen=True, slots=True)
class MemoryEntry:
    """A stored entry. `revision` is another one after every change of the key, also after it was forgotten."""

    key: str
    value: Json
    tags: Sequence[str]
    importance: float
    revision: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class MemoryKeys:
    """Keys in their order. `revision` is that of the agent's whole memory: another one after every change."""

    keys: Sequence[str]
    revision: int


@dataclass(frozen=True, slots=True)
class MemoryHit:
    """An entry found by meaning. `score` is the cosine of both embeddings, -1 to 1."""

    entry: MemoryEntry
    score: float


@dataclass(frozen=True, slots=True)
class MemoryHits:
    """Entries found by meaning, best first. `revision` is that of the agent's whole memory."""

    hits: Sequence[MemoryHit]
    revision: int


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """A secret as it is stored. `hosts` are those that it may be sent to; nothing here opens it without its key."""

    name: str
    hosts: Sequence[str]
    key_id: str
    nonce: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SecretSummary:
    """What is told of a secret: never its value."""

    name: str
    hosts: Sequence[str]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that a run leaves. `storage_key` is where its bytes are; `sha256` is lower-case hex over them."""

    name: str
    media_type: str
    size_bytes: int
    sha256: str
    storage_key: str


@dataclass(frozen=True, slots=True)
class RunFile:
    """A file that a run left for its owner."""

    name: str
    media_type: str
    size_bytes: int
    sha256: str
    storage_key: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """What running again, or carrying out, a run wants to know beside the run: whose program, and its seed."""

    agent_id: UUID
    seed: int
    version: NewVersion


@dataclass(frozen=True, slots=True)
class MemoryRead:
    """What a dry run read: one key of an agent's memory, or for None the whole of it, and its revision then."""

    agent_id: UUID
    key: str | None
    revision: int


@dataclass(frozen=True, slots=True)
class ApplyStart:
    """What `begin_apply` records: the run that carries out, and what it carries out.

    `agent_id` and `version` are the dry run's, `reads` what it and all that it called read from memory.
    """

    run_id: UUID
    dry_run_id: UUID
    agent_id: UUID
    agent_name: str
    version: int
    wall: str
    wall_missing: Sequence[str]
    server_id: UUID
    reads: Sequence[MemoryRead] = ()
