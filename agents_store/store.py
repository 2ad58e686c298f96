"""The contract of a store. Every implementation passes one contract test-suite."""

from typing import Protocol
from uuid import UUID

from agents_store.types import (
    Agent,
    AgentDetail,
    Balance,
    BegunRun,
    Charge,
    Entry,
    LogRecord,
    NewVersion,
    Page,
    Principal,
    Run,
    RunEnd,
    RunStart,
)


class Store(Protocol):
    """Agents, runs and credits. Every method that takes a principal acts for that user alone, under RLS.

    Any method may raise StoreUnavailableError; nothing was changed then, unless the method says otherwise.
    """

    async def open(self) -> None:
        """Connect and verify role and schema. Raises StoreMisconfiguredError with what to do."""

    async def close(self) -> None:
        """Close every connection. Idempotent."""

    async def ping(self) -> None:
        """Prove within 2 s that the database answers."""

    async def create_agent(
        self, principal: Principal, agent_name: str, description: str, version: NewVersion
    ) -> AgentDetail:
        """Store a new agent with its version 1. Raises AgentExistsError."""

    async def list_agents(
        self, principal: Principal, *, agent_name: str | None, limit: int, cursor: str | None
    ) -> Page[Agent]:
        """The caller's agents, newest first; with `agent_name` at most the one of that name.

        Raises ValueError on a cursor that this method did not make.
        """

    async def get_agent(self, principal: Principal, agent_name: str) -> AgentDetail:
        """One of the caller's agents with its current version. Raises UnknownAgentError."""

    async def delete_agent(self, principal: Principal, agent_name: str) -> None:
        """Free the name and end its versions; runs and ledger stay. Raises UnknownAgentError."""

    async def begin(self, principal: Principal, start: RunStart) -> BegunRun:
        """In one round trip: verify the current version, hold the most that its limits allow, insert the run.

        Raises UnknownAgentError, VersionMovedError, InsufficientCreditsError: nothing was held.
        """

    async def finish(self, principal: Principal, run: BegunRun, end: RunEnd) -> Charge:
        """In one round trip: settle or release the hold, store outcome, usage and logs.

        Charges `min(price, hold)`. Raises StaleRunError when the run's revision moved on.
        """

    async def list_runs(
        self, principal: Principal, *, agent_name: str | None, limit: int, cursor: str | None
    ) -> Page[Run]:
        """The caller's runs, newest first. Raises ValueError on a cursor that this method did not make."""

    async def get_run(self, principal: Principal, run_id: UUID) -> Run:
        """One of the caller's runs. Raises UnknownRunError."""

    async def get_logs(self, principal: Principal, run_id: UUID, *, after_seq: int, limit: int) -> list[LogRecord]:
        """A run's log lines with `seq > after_seq`, in order. Raises UnknownRunError."""

    async def get_balance(self, principal: Principal) -> Balance:
        """The caller's account, made with its first grant when seen first."""

    async def list_entries(self, principal: Principal, *, limit: int, cursor: str | None) -> Page[Entry]:
        """The caller's ledger, newest first. Raises ValueError on a cursor that this method did not make."""

    async def register_server(self, server_id: UUID) -> None:
        """Take the lease of this server process, or extend it: it expires 15 s after the last call."""

    async def reap(self) -> int:
        """End the runs of servers whose lease expired (failed, lost), releasing their holds. How many it ended."""

    async def retire_server(self, server_id: UUID) -> None:
        """Give up the lease at once, so that what this server left can be reaped now."""
