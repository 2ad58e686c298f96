"""What runs look like on the wire."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from agents_store.types import EffectStatus


class UsageShown(BaseModel):
    """What the run used, measured by the host."""

    wall_ms: int
    cpu_ms: int
    peak_memory_bytes: int
    output_bytes: int


class RunShown(BaseModel):
    """A run. `inputs` and `result` are null in lists; `usage`, `outcome` and `finished_at` until it is finished."""

    id: UUID
    kind: str
    agent_name: str
    version: int
    tier: str
    wall: str = Field(description="`full`, or `minimum` with what it lacks in `wall_missing`")
    wall_missing: Sequence[str]
    test: bool
    state: str
    outcome: str | None
    reason: str | None
    inputs: Mapping[str, Any] | None
    result: Any
    error: Mapping[str, Any] | None
    usage: UsageShown | None
    charge_microcredits: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class RunPage(BaseModel):
    """One page of runs, newest first."""

    items: Sequence[RunShown]
    next_cursor: str | None


class LogLineShown(BaseModel):
    """One log line; `seq` counts from 1 within the run, `at_ms` from its start."""

    seq: int
    at_ms: int
    message: str
    fields: Mapping[str, Any]


class LogPage(BaseModel):
    """One page of a run's log lines, in order."""

    items: Sequence[LogLineShown]
    next_cursor: str | None


class EffectShown(BaseModel):
    """One glove call: what was asked, what came back or which exception, and what became of it."""

    seq: int
    glove: str
    request: Any = Field(description="as the program asked; of a file its size and SHA-256 in place of its bytes")
    response: Any
    error: Mapping[str, Any] | None
    status: EffectStatus
    at_ms: int
    duration_ms: int


class EffectPage(BaseModel):
    """One page of a run's effects, in order."""

    items: Sequence[EffectShown]
    next_cursor: str | None


class FileShown(BaseModel):
    """A file that the run left; `url` is the path to get it from."""

    name: str
    media_type: str
    size_bytes: int
    sha256: str
    url: str
    created_at: datetime


class FilePage(BaseModel):
    """A run's files, by name: all of them."""

    items: Sequence[FileShown]
    next_cursor: None = None


class AppliedShown(BaseModel):
    """What became of applying a dry run. `effects` has all that was carried out so far, by earlier applies too."""

    run_id: UUID | None = Field(description="the run that did it, null where nothing was left to do")
    applied_run_id: UUID = Field(description="the dry run")
    complete: bool = Field(description="whether everything that the dry run listed is carried out")
    left: int = Field(description="how many effects are not; another apply goes on with them")
    effects: Sequence[EffectShown]
    charge_microcredits: int


class DivergenceShown(BaseModel):
    """Where a replay asked its gloves something else than the record has; `recorded` is null where that had ended."""

    seq: int
    glove: str
    request: Any
    recorded: EffectShown | None


class ReplayedShown(BaseModel):
    """What a run came to when it was run again from its record."""

    run_id: UUID
    same: bool = Field(description="whether outcome, result, and what was raised at which line are those of the run")
    outcome: str
    complete: bool
    result: Any
    error: Mapping[str, Any] | None
    divergence: DivergenceShown | None
    logs: Sequence[LogLineShown]
    usage: UsageShown
