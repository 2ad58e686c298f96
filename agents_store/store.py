"""The contract of a store. Every implementation passes one contract test-suite."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from agents_store.types import (
    ANY_RUN,
    Agent,
    AgentDetail,
    ApiKey,
    ApiKeyOwner,
    Balance,
    BegunRun,
    Charge,
    Claim,
    Entry,
    LogRecord,
    LogTail,
    NewApiKey,
    NewVersion,
    Notice,
    Page,
    Principal,
    Purged,
    Run,
    RunEnd,
    RunFilter,
    RunStart,
    StoredAnswer,
    Version,
    VersionDetail,
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

    async def edit_agent(
        self, principal: Principal, agent: Agent, *, description: str | None, version: NewVersion | None
    ) -> AgentDetail:
        """Change what is not None, where the agent still is at `agent.revision`; a version becomes the current one.

        Raises UnknownAgentError, RevisionMovedError: nothing was changed.
        """

    async def activate_version(
        self, principal: Principal, agent_name: str, version: int, *, revision: int | None
    ) -> AgentDetail:
        """Make a version the current one, where the agent still is at `revision`, or wherever it is for None.

        Raises UnknownAgentError, UnknownVersionError, RevisionMovedError: nothing was changed.
        """

    async def list_versions(
        self, principal: Principal, agent_name: str, *, limit: int, cursor: str | None
    ) -> Page[Version]:
        """The versions of one of the caller's agents, newest first.

        Raises UnknownAgentError, and ValueError on a cursor that this method did not make.
        """

    async def get_version(self, principal: Principal, agent_name: str, version: int) -> VersionDetail:
        """One version of one of the caller's agents. Raises UnknownAgentError, UnknownVersionError."""

    async def begin(self, principal: Principal, start: RunStart) -> BegunRun:
        """In one round trip: verify the current version, hold the most that its limits allow, insert the run.

        Raises UnknownAgentError, VersionMovedError, InsufficientCreditsError, TooManyDryRunsError: nothing was held.
        """

    async def finish(self, principal: Principal, run: BegunRun, end: RunEnd) -> Charge:
        """In one round trip: settle or release the hold, store outcome, usage and logs.

        Charges `min(price, hold)`. Raises StaleRunError when the run's revision moved on.
        """

    async def list_runs(
        self,
        principal: Principal,
        *,
        agent_name: str | None,
        limit: int,
        cursor: str | None,
        wanted: RunFilter = ANY_RUN,
    ) -> Page[Run]:
        """The caller's runs, of one agent or of all, newest first, those that are `wanted`.

        Raises ValueError on a cursor that this method did not make.
        """

    async def get_run(self, principal: Principal, run_id: UUID) -> Run:
        """One of the caller's runs. Raises UnknownRunError."""

    async def get_logs(self, principal: Principal, run_id: UUID, *, after_seq: int, limit: int) -> list[LogRecord]:
        """A run's log lines with `seq > after_seq`, in order. Raises UnknownRunError."""

    async def append_logs(self, principal: Principal, run: BegunRun, lines: Sequence[LogRecord]) -> bool:
        """Store log lines of a run that lives, and tell its followers. False when it does not: nothing was stored.

        May be repeated with the same lines where it is not known whether they were stored.
        """

    async def read_tail(self, principal: Principal, run_id: UUID, *, after_seq: int) -> LogTail:
        """The next lines of a run's log, a bounded number of bytes of them. Raises UnknownRunError.

        Where the run has ended and there are no lines, there never will be any.
        """

    async def announce_end(self, run_id: UUID) -> None:
        """Tell a run's followers at other servers that it has ended."""

    async def request_cancel(self, principal: Principal, run_id: UUID) -> None:
        """Ask the server that executes a run to end it. Raises UnknownRunError, RunFinishedError."""

    async def cancel_requests(self, server_id: UUID) -> Sequence[UUID]:
        """The live runs of a server that their owners asked to cancel."""

    def notices(self) -> AsyncIterator[Notice]:
        """What servers of this database tell each other, from now on, until the iterator is closed.

        Ends at once where notices cannot come through; whoever waits for them must look by itself, too.
        """

    async def claim_key(
        self, principal: Principal, key: str, request_hash: bytes, *, run_id: UUID, server_id: UUID
    ) -> Claim | StoredAnswer:
        """Claim an idempotency key (1 to 255 visible ASCII characters) for a request, told by its SHA-256.

        Returns:
            The claim, or the answer that was kept.

        Raises:
            KeyMismatchError: the key is another request's.
            KeyInFlightError: a request with it is being carried out.
        """

    async def keep_answer(self, principal: Principal, claim: Claim, answer: StoredAnswer) -> None:
        """Keep the answer for repeats of the request, 24 h from the claim."""

    async def free_key(self, principal: Principal, claim: Claim, *, in_doubt: bool) -> None:
        """Let go of a claim whose request changed nothing; `in_doubt`: or whose run may have begun all the same."""

    async def get_balance(self, principal: Principal) -> Balance:
        """The caller's account, made with its first grant when seen first."""

    async def list_entries(self, principal: Principal, *, limit: int, cursor: str | None) -> Page[Entry]:
        """The caller's ledger, newest first. Raises ValueError on a cursor that this method did not make."""

    async def create_api_key(self, principal: Principal, key: NewApiKey) -> ApiKey:
        """Store a new key. Raises TooManyApiKeysError."""

    async def list_api_keys(self, principal: Principal, *, limit: int, cursor: str | None) -> Page[ApiKey]:
        """The caller's keys, revoked ones too, newest first. Raises ValueError on a cursor of another making."""

    async def revoke_api_key(self, principal: Principal, api_key_id: UUID) -> None:
        """End a key for good; revoking it again changes nothing. Raises UnknownApiKeyError."""

    async def find_api_key(self, key_hash: bytes) -> ApiKeyOwner | None:
        """Whom the live key of this SHA-256 stands for, None when there is none. Acts for nobody."""

    async def touch_api_keys(self, api_key_ids: Sequence[UUID]) -> None:
        """Note that these keys were used just now; a key that was noted within a minute is left alone."""

    def export_account(self, principal: Principal) -> AsyncIterator[str]:
        """Everything that is stored of the caller, one JSON object as text at a time, each with its `type`.

        The account, agents, versions, runs, logs and ledger entries, each oldest first, read in bounded batches; a last
        object of type `end` tells how many there were. What changes meanwhile may be in it or not.
        """

    async def erase_account(self, principal: Principal) -> None:
        """Remove every row of the caller; what stays is that there is no second first grant. Raises RunsLiveError."""

    async def purge(self, retention: timedelta) -> Purged:
        """Remove, in bounded batches, runs that finished and agents that were deleted longer ago than `retention`.

        The ledger stays, and nothing that lives is touched. What is left after one call, the next ones remove.
        """

    async def register_server(self, server_id: UUID) -> None:
        """Take the lease of this server process, or extend it: it expires 15 s after the last call."""

    async def reap(self) -> int:
        """End the runs of servers whose lease expired (failed, lost), releasing their holds. How many it ended.

        Also forgets idempotency keys that expired.
        """

    async def retire_server(self, server_id: UUID) -> None:
        """Give up the lease at once, so that what this server left can be reaped now."""
