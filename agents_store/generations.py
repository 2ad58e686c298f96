"""Generations: the records of asking a model for an agent, and what a store does with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from agents_store.types import Json, Page, Principal


class GenerationKind(StrEnum):
    """What a model is asked for."""

    CREATE = "create"  # a new agent, from a description
    REVISE = "revise"  # a new version of an agent, from an instruction


class GenerationState(StrEnum):
    """Where a generation stands."""

    GENERATING = "generating"
    READY = "ready"  # it became a version
    FAILED = "failed"  # no attempt did; they are kept as drafts
    CANCELLED = "cancelled"  # by the caller, who left


@dataclass(frozen=True, slots=True)
class Engine:
    """Which model writes agents and what it is told, as the rows say now.

    `effort` None is the provider's default. `input_tokens_max` bounds one request, `output_tokens_max` one answer,
    `answer_ms_max` the wait for it, `retries_max` how often a request that was turned away is sent again, `repairs_max`
    how often an agent that failed may be mended.
    """

    prompt_version: int
    text: str = field(repr=False)
    repairs_max: int
    model: str
    effort: str | None
    input_tokens_max: int
    output_tokens_max: int
    answer_ms_max: int
    retries_max: int


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Tokens that a provider counted. `input_tokens` has none of those that its cache took or gave."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    def __add__(self, other: "TokenUsage") -> "TokenUsage":
        """Both together."""
        return TokenUsage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
        )


@dataclass(frozen=True, slots=True)
class GenerationStart:
    """What begins a generation. The hold is `attempts_max` times the most that one request and its answer may cost.

    `request` is the description or the instruction, as the caller wrote it.
    """

    generation_id: UUID
    kind: GenerationKind
    agent_name: str
    request: str
    model: str
    prompt_version: int
    attempts_max: int
    input_tokens_max: int
    output_tokens_max: int
    server_id: UUID


@dataclass(frozen=True, slots=True)
class GenerationEnd:
    """How a generation ended. `attempts` are JSON objects, oldest first; `version` is what it became, where it did."""

    state: GenerationState
    reason: str | None
    usage: TokenUsage
    attempts: Sequence[Mapping[str, Json]] = ()
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Generation:
    """A stored generation. `attempts` is None in lists. `version` is what it became, None unless it is ready."""

    id: UUID
    kind: GenerationKind
    agent_name: str
    request: str
    state: GenerationState
    reason: str | None
    model: str
    prompt_version: int
    hold_microcredits: int
    charge_microcredits: int
    usage: TokenUsage
    attempts: Sequence[Mapping[str, Json]] | None
    version: int | None
    created_at: datetime
    finished_at: datetime | None


class GenerationStore(Protocol):
    """The part of a store that keeps generations. As everywhere, a principal is acted for alone, under RLS."""

    async def read_engine(self, principal: Principal) -> Engine:
        """The rows that generations go by, as they are now. Raises UnknownEngineError."""

    async def begin_generation(self, principal: Principal, start: GenerationStart) -> int:
        """In one round trip: hold the worst case at the model's prices, insert the generation.

        Returns:
            The hold in microcredits; it stands until `finish_generation`, or until the server's lease ends.

        Raises:
            GenerationUnaffordableError, UnknownEngineError: nothing was held.
        """

    async def finish_generation(self, principal: Principal, generation_id: UUID, end: GenerationEnd) -> int:
        """In one round trip: settle by the tokens used, or release where none cost anything; store the attempts.

        Returns:
            The charge in microcredits, at the prices of the begin, at most the hold.

        Raises:
            StaleGenerationError: somebody else ended it.
        """

    async def get_generation(self, principal: Principal, generation_id: UUID) -> Generation:
        """One of the caller's generations. Raises UnknownGenerationError."""

    async def list_generations(self, principal: Principal, *, limit: int, cursor: str | None) -> Page[Generation]:
        """The caller's generations, newest first. Raises ValueError on a cursor that this method did not make."""
