"""The contract of a store. Every implementation passes one contract test-suite."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from agents_store.generations import GenerationStore
from agents_store.types import (
    ANY_RUN,
    Agent,
    AgentDetail,
    ApiKey,
    ApiKeyOwner,
    ApplyStart,
    Balance,
    BegunRun,
    Charge,
    Claim,
    DryRunRate,
    EffectRecord,
    Embedding,
    Entry,
    LogRecord,
    LogTail,
    MemoryEntry,
    MemoryHits,
    MemoryKeys,
    NewApiKey,
    NewFile,
    NewMemory,
    NewVersion,
    Notice,
    Page,
    Principal,
    Purged,
    RecordedRun,
    Run,
    RunEnd,
    RunFile,
    RunFilter,
    RunStart,
    SealedSecret,
    SecretSummary,
    StoredAnswer,
    Version,
    VersionDetail,
)


class Store(GenerationStore, Protocol):
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

    async def raise_tier(self, principal: Principal, agent_id: UUID, version: int, tier: str, reason: str) -> bool:
        """Let a version run in a larger tier from now on, where its author left the choice.

        Args:
            principal: whose version it is.
            agent_id: the agent's.
            version: which of its versions.
            tier: the larger one.
            reason: why the one that it had is passed over.

        Returns:
            False where the version is not the caller's, was pinned, or has this tier or a larger one already.
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

    async def take_dry_run(self, principal: Principal, per_hour_max: int) -> DryRunRate:
        """Count what is no stored run, but costs as much as a dry run. Raises TooManyDryRunsError."""

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

    async def list_effects(
        self, principal: Principal, run_id: UUID, *, after_seq: int, limit: int
    ) -> list[EffectRecord]:
        """A run's effects with `seq > after_seq`, in order. Raises UnknownRunError."""

    async def claim_effect(self, principal: Principal, run: BegunRun, effect: EffectRecord) -> None:
        """Store an effect of a run that lives before it is tried, `unknown` until the run's end tells more.

        Of a run that carries out a dry run, each place of it can be claimed once.

        Raises:
            StaleRunError: the run has ended, or is somebody else's: it must perform nothing more.
            EffectClaimedError: it may have been carried out before.
        """

    async def conclude_effect(self, principal: Principal, run: BegunRun, effect: EffectRecord) -> None:
        """Store what became of an effect that was claimed."""

    async def recorded_run(self, principal: Principal, run_id: UUID) -> RecordedRun:
        """Program and seed of a run. Raises UnknownRunError, UnknownVersionError where its agent is gone."""

    async def begin_apply(self, principal: Principal, start: ApplyStart) -> BegunRun:
        """Begin a run that carries out what a dry run listed: a hold, as of any live run of the agent's.

        Raises:
            UnknownAgentError, VersionMovedError: the agent is not what it was in the dry run.
            MemoryMovedError: what the dry run read from memory has changed since, and nothing is carried out yet.
            ApplyLiveError: another run carries it out now.
            InsufficientCreditsError: nothing was held.
        """

    async def applied_effects(self, principal: Principal, dry_run_id: UUID) -> list[EffectRecord]:
        """What runs have carried out of a dry run, or may have: `seq` is the place in all that it listed."""

    async def apply_memory(
        self, principal: Principal, run: BegunRun, effect: EffectRecord, agent_id: UUID, entry: NewMemory | None
    ) -> None:
        """In one transaction: claim an effect as performed, and remember `entry`, or for None forget the effect's key.

        Raises StaleRunError, EffectClaimedError, UnknownAgentError, MemoryFullError: nothing was changed.
        """

    async def apply_file(self, principal: Principal, run: BegunRun, effect: EffectRecord, file: NewFile) -> None:
        """In one transaction: claim an effect as performed, and let the run have the file.

        Raises StaleRunError, EffectClaimedError, TooManyFilesError: nothing was changed.
        """

    # Of the glove calls of a dry run `dry` is true: they act as a role that cannot write, whatever is asked of it.

    async def get_memory(
        self, principal: Principal, agent_id: UUID, key: str, *, dry: bool = False
    ) -> MemoryEntry | None:
        """What one of the caller's agents remembers under a key; None when nothing."""

    async def put_memory(
        self, principal: Principal, agent_id: UUID, entry: NewMemory, *, dry: bool = False
    ) -> MemoryEntry:
        """Remember a value in place of what the key had. Raises UnknownAgentError, MemoryFullError."""

    async def delete_memory(self, principal: Principal, agent_id: UUID, key: str, *, dry: bool = False) -> bool:
        """Forget a key. Whether it was there."""

    async def list_memory(
        self, principal: Principal, agent_id: UUID, *, prefix: str, after: str, limit: int, dry: bool = False
    ) -> MemoryKeys:
        """The keys that begin with `prefix` and come after `after`, in the order of their bytes, at most `limit`."""

    async def search_memory(
        self,
        principal: Principal,
        agent_id: UUID,
        wanted: Embedding,
        *,
        tags: Sequence[str],
        limit: int,
        dry: bool = False,
    ) -> MemoryHits:
        """The entries that mean nearly what is wanted and have all `tags`, best first, at most `limit`.

        Raises SearchUnavailableError where the database has no pgvector.
        """

    async def put_secret(self, principal: Principal, agent_id: UUID, secret: SealedSecret) -> SecretSummary:
        """Store a secret in place of one of the same name. Raises UnknownAgentError, TooManySecretsError."""

    async def list_secrets(self, principal: Principal, agent_id: UUID) -> list[SecretSummary]:
        """What is told of an agent's secrets, by name."""

    async def delete_secret(self, principal: Principal, agent_id: UUID, name: str) -> None:
        """Remove a secret. Raises UnknownSecretError."""

    async def find_secret(self, principal: Principal, agent_id: UUID, name: str) -> SealedSecret:
        """A secret of an agent that lives, as it is stored. Raises UnknownSecretError."""

    async def reserve_file(self, storage_key: str) -> None:
        """Note that bytes are about to be stored: where no file names them within the hour, they are to be removed."""

    async def add_file(self, principal: Principal, run_id: UUID, file: NewFile) -> RunFile:
        """Let a run have a file whose bytes are stored, in place of one of the same name.

        Raises UnknownRunError, TooManyFilesError.
        """

    async def list_files(self, principal: Principal, run_id: UUID) -> list[RunFile]:
        """The files of a run, by name. Raises UnknownRunError."""

    async def get_file(self, principal: Principal, run_id: UUID, name: str) -> RunFile:
        """One file of a run. Raises UnknownFileError."""

    async def unneeded_files(self, limit: int) -> list[str]:
        """Storage keys of bytes that no file names any more, at most `limit`."""

    async def forget_files(self, storage_keys: Sequence[str]) -> None:
        """Note that unneeded bytes have been removed."""

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

    async def read_limits(self) -> Mapping[str, int]:
        """What the operator has set for all servers while they run, by the name of the setting that it goes before."""

    async def live_servers(self) -> frozenset[str]:
        """The names of the servers whose lease has not expired, each ending in its id; no other database has them."""
