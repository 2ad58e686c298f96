"""Maps rows to the store's records. Columns are named like the records' fields."""

from typing import Any

from agents_store.types import (
    Agent,
    AgentDetail,
    AgentStatus,
    ApiKey,
    EffectRecord,
    EffectStatus,
    Entry,
    EntryKind,
    MemoryEntry,
    MemoryHit,
    NewVersion,
    Run,
    RunState,
    Version,
    VersionDetail,
)

Row = dict[str, Any]


def to_agent(row: Row) -> Agent:
    """An agent from `id` to `updated_at`; other columns are left alone."""
    return Agent(
        id=row["id"],
        user_id=row["user_id"],
        agent_name=row["agent_name"],
        description=row["description"],
        status=AgentStatus(row["status"]),
        tier=row["tier"],
        version=row["version"],
        revision=row["revision"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def to_agent_detail(row: Row) -> AgentDetail:
    """An agent with its current version."""
    return AgentDetail(to_agent(row), to_contents(row))


def to_version(row: Row) -> Version:
    """A version from `version` to `current`; other columns are left alone."""
    return Version(
        version=row["version"],
        created_at=row["created_at"],
        asked_tier=row["asked_tier"],
        tier=row["tier"],
        code_sha256=row["code_sha256"],
        current=row["current"],
    )


def to_version_detail(row: Row) -> VersionDetail:
    """A version with its code and contract."""
    return VersionDetail(to_version(row), to_contents(row))


def to_contents(row: Row) -> NewVersion:
    """What a version consists of; other columns are left alone."""
    return NewVersion(
        code=row["code"],
        tier=row["asked_tier"],
        resolved_tier=row["tier"],
        limits=row["limits"],
        inputs_schema=row["inputs_schema"],
        examples=row["examples"],
        reasons=row["reasons"],
        allowed_hosts=tuple(row["allowed_hosts"]),
    )


def to_run(row: Row) -> Run:
    """A run; the columns are exactly the record's fields."""
    return Run(**{**row, "state": RunState(row["state"]), "wall_missing": tuple(row["wall_missing"])})


def to_entry(row: Row) -> Entry:
    """A ledger entry; the columns are exactly the record's fields."""
    return Entry(**{**row, "kind": EntryKind(row["kind"])})


def to_api_key(row: Row) -> ApiKey:
    """An API key; the columns are exactly the record's fields."""
    return ApiKey(**row)


def to_effect(row: Row) -> EffectRecord:
    """An effect; the columns are exactly the record's fields."""
    return EffectRecord(**{**row, "status": EffectStatus(row["status"])})


def to_memory_entry(row: Row) -> MemoryEntry:
    """An entry from `key` to `updated_at`; other columns are left alone."""
    return MemoryEntry(
        key=row["key"],
        value=row["value"],
        tags=tuple(row["tags"]),
        importance=row["importance"],
        revision=row["revision"],
        updated_at=row["updated_at"],
    )


def to_memory_hit(row: Row) -> MemoryHit:
    """An entry with its score."""
    return MemoryHit(to_memory_entry(row), row["score"])
