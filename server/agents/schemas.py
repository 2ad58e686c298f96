"""What agents look like on the wire."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from server.agents.names import AGENT_NAME_PATTERN

DESCRIPTION_CHARS_MAX = 4_000
EXAMPLES_MAX = 50
ALLOWED_HOSTS_MAX = 50


class RequestedLimits(BaseModel):
    """Hard caps of a run that the author sets; what is absent takes its default. Times in ms, sizes in bytes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    wall_ms_max: Annotated[int | None, Field(ge=1)] = None
    cpu_ms_max: Annotated[int | None, Field(ge=1)] = None
    memory_bytes_max: Annotated[int | None, Field(ge=1)] = None
    output_bytes_max: Annotated[int | None, Field(ge=1)] = None
    processes_max: Annotated[int | None, Field(ge=1)] = None
    disk_bytes_max: Annotated[int | None, Field(ge=1)] = None
    fetches_max: Annotated[int | None, Field(ge=0)] = None
    calls_max: Annotated[int | None, Field(ge=0)] = None
    effects_bytes_max: Annotated[int | None, Field(ge=1)] = None


class Example(BaseModel):
    """Inputs, and the result that is expected for them. Without `expect` the tiers are compared with each other."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    inputs: dict[str, Any]
    expect: Any = Field(default_factory=lambda: None, description="JSON; absent: nothing is expected")


class CreateAgent(BaseModel):
    """A new agent: from `code`, or from `description` alone, when a model writes it."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        json_schema_extra={
            "examples": [
                {"agent_name": "hello", "code": 'def run(inputs):\n    return {"hello": inputs["name"]}'},
            ]
        },
    )

    agent_name: str = Field(
        pattern=AGENT_NAME_PATTERN, description="unique among your agents; must not look like a UUID"
    )
    description: str = Field("", max_length=DESCRIPTION_CHARS_MAX)
    code: str | None = Field(
        None,
        min_length=1,
        description="Python, at most 256 KiB of UTF-8; defines run(inputs, ctx); absent: a model writes it",
    )
    tier: Literal["auto", "monty", "restricted", "docker"] = "auto"
    inputs_schema: dict[str, Any] | None = Field(
        None, description="JSON Schema 2020-12, a bounded subset without `pattern` and `$ref`; absent takes any inputs"
    )
    examples: list[Example] = Field(default_factory=list, max_length=EXAMPLES_MAX)
    limits: RequestedLimits = RequestedLimits()
    allowed_hosts: list[str] = Field(
        default_factory=list,
        max_length=ALLOWED_HOSTS_MAX,
        description="where ctx.fetch may go: `api.example.com`, `*.example.com` (every name below it), both by https; "
        "`http://example.com:8080` fixes scheme and port",
    )


class EditAgent(BaseModel):
    """Changes of an agent. What is not named stays; all but `description` makes a new version.

    `limits` is merged name by name, null being its default; null clears `inputs_schema`, `examples`, `limits` and
    `allowed_hosts`.
    """

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        json_schema_extra={"examples": [{"description": "Greets", "limits": {"wall_ms_max": 2_000}}]},
    )

    description: str = Field(default_factory=str, max_length=DESCRIPTION_CHARS_MAX)
    code: str = Field(default_factory=str, min_length=1, description="Python, at most 256 KiB of UTF-8")
    tier: Literal["auto", "monty", "restricted", "docker"] = Field(default_factory=lambda: "auto")
    inputs_schema: dict[str, Any] | None = Field(default_factory=lambda: None, description="replaced as a whole")
    examples: list[Example] | None = Field(
        default_factory=lambda: None, max_length=EXAMPLES_MAX, description="replaced as a whole"
    )
    limits: RequestedLimits | None = Field(default_factory=lambda: None)
    allowed_hosts: list[str] | None = Field(
        default_factory=lambda: None, max_length=ALLOWED_HOSTS_MAX, description="replaced as a whole"
    )


class AgentSummary(BaseModel):
    """An agent as listed. `tier` is what its current version runs in; `revision` changes with every change."""

    id: UUID
    user_id: UUID
    agent_name: str
    description: str
    url: str
    tier: str
    version: int
    revision: int
    status: str
    created_at: datetime
    updated_at: datetime


class AgentShown(AgentSummary):
    """An agent with its current version's code and contract. `tier_reasons` says why smaller tiers were passed over."""

    code: str
    inputs_schema: Mapping[str, Any] | None
    examples: Sequence[Mapping[str, Any]]
    limits: Mapping[str, int]
    allowed_hosts: Sequence[str]
    tier_reasons: Mapping[str, str]


class AgentPage(BaseModel):
    """One page of agents, newest first."""

    items: Sequence[AgentSummary]
    next_cursor: str | None


class VersionSummary(BaseModel):
    """A version as listed. `asked_tier` is what its author asked for, `tier` what it runs in."""

    version: int
    created_at: datetime
    asked_tier: str
    tier: str
    code_sha256: str = Field(description="lower-case hex over the UTF-8 code")
    current: bool = Field(description="whether the agent's URL runs it")


class VersionShown(VersionSummary):
    """A version with its code and contract."""

    code: str
    inputs_schema: Mapping[str, Any] | None
    examples: Sequence[Mapping[str, Any]]
    limits: Mapping[str, int]
    allowed_hosts: Sequence[str]
    tier_reasons: Mapping[str, str]


class VersionPage(BaseModel):
    """One page of versions, newest first."""

    items: Sequence[VersionSummary]
    next_cursor: str | None


class CheckedExample(BaseModel):
    """What one example's dry run came to. `index` counts from 0 in the order of the version's examples."""

    index: int
    passed: bool
    expected: Any = Field(description="null also where the example expects nothing")
    got: Any = Field(description="null without a result, and for one above 64 KiB, which the run has whole")
    outcome: str | None = Field(description="null when the check's time was up before its turn")
    error: Mapping[str, Any] | None
    run_id: UUID | None


class CheckReport(BaseModel):
    """Whether a version does what its examples say. `passed` is true where it has none."""

    version: int
    passed: bool
    results: Sequence[CheckedExample]
