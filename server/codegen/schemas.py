"""What generations look like on the wire."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from server.agents.schemas import DESCRIPTION_CHARS_MAX, EXAMPLES_MAX, AgentShown, Example


class ReviseAgent(BaseModel):
    """A change of an agent, in words."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        json_schema_extra={"examples": [{"instruction": "Also accept the name in capitals."}]},
    )

    instruction: str = Field(min_length=1, max_length=DESCRIPTION_CHARS_MAX)
    examples: list[Example] = Field(
        default_factory=list, max_length=EXAMPLES_MAX, description="more examples that the new version must get right"
    )
    may_change: list[Annotated[int, Field(ge=0)]] = Field(
        default_factory=list,
        max_length=EXAMPLES_MAX,
        description="examples of the current version, from 0, that the change may break; all others must still hold",
    )


class TokensShown(BaseModel):
    """Tokens as the provider counted them; those that its cache took or gave are apart."""

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int


class GenerationSummary(BaseModel):
    """A generation as listed. `version` is what it became, null unless its state is `ready`."""

    id: UUID
    kind: str
    agent_name: str
    request: str = Field(description="the description, or the instruction")
    state: str
    reason: str | None
    model: str
    prompt_version: int
    hold_microcredits: int
    charge_microcredits: int
    usage: TokensShown
    version: int | None
    created_at: datetime
    finished_at: datetime | None


class GenerationShown(GenerationSummary):
    """A generation with its attempts, oldest first: each with its code, and with what was found wrong in `findings`."""

    attempts: Sequence[Mapping[str, Any]]


class GenerationPage(BaseModel):
    """One page of generations, newest first."""

    items: Sequence[GenerationSummary]
    next_cursor: str | None


class GeneratedAgentShown(AgentShown):
    """An agent that a model has just written, or changed.

    `proposed_hosts` are hosts that its code wants to reach and that you did not name: it cannot until you allow them.
    """

    generation_id: UUID
    summary: str
    attempts: int
    usage: TokensShown
    charge_microcredits: int | None = Field(description="null where the database did not answer in time to settle it")
    proposed_hosts: Sequence[str]
