"""What runs look like on the wire."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field


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
