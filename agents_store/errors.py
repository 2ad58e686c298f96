"""What a store refuses or cannot do.

StoreError
├── AgentExistsError            the name is taken by another of the caller's agents
├── UnknownAgentError           no such agent among the caller's own
├── UnknownVersionError         the caller's agent has no such version
├── RevisionMovedError          the agent was changed since the caller saw it; nothing changed
├── UnknownRunError             no such run among the caller's own
├── RunsLiveError               the account has runs that are not finished; nothing changed
├── VersionMovedError           the agent's current version is no longer the one that the caller prepared for
├── InsufficientCreditsError    the hold exceeds what is available; nothing changed
│   └── GenerationUnaffordableError  the same, of a generation
├── TooManyDryRunsError         the user's dry runs of this hour are spent; nothing changed
├── UnknownApiKeyError          no such API key among the caller's own
├── TooManyApiKeysError         the caller has as many live API keys as one may have; nothing changed
├── EffectClaimedError          the effect may have been carried out before; nothing changed
├── MemoryMovedError            what a dry run read from memory has changed since; nothing changed
├── ApplyLiveError              another run carries out this dry run now; nothing changed
├── MemoryFullError             the agent remembers as much as one may; nothing changed
├── SearchUnavailableError      the database cannot search by meaning
├── UnknownSecretError          the caller's agent has no such secret
├── TooManySecretsError         the agent has as many secrets as one may; nothing changed
├── UnknownFileError            the caller's run has no such file
├── TooManyFilesError           the run has as many files as one may; nothing changed
├── UnknownGenerationError      no such generation among the caller's own
├── UnknownEngineError          no row says which model writes agents, or what it is told
├── StaleGenerationError        the generation was ended by someone else; nothing changed
├── StaleRunError               the run was finished by someone else; nothing changed
├── RunFinishedError            the run has ended already; nothing changed
├── KeyInFlightError            another request with this idempotency key is being carried out
├── KeyMismatchError            the idempotency key belongs to another request
├── TokenRefusedError           the Supabase project does not take the caller's token (any more)
├── TokenNeededError            the caller came with an API key, and the store can make no token for them
├── StoreUnavailableError       the database cannot be reached; safe to retry
└── StoreMisconfiguredError     the store refuses to work like this, and says what to do
    └── SchemaMismatchError     the database's schema is behind or ahead of this release
"""

from uuid import UUID

from agents_store.types import DryRunRate


class StoreError(Exception):
    """Base of everything that this package raises."""


class AgentExistsError(StoreError):
    """The caller already has an agent of this name."""

    def __init__(self, agent_name: str) -> None:
        super().__init__(f"agent {agent_name!r} exists")
        self.agent_name = agent_name


class UnknownAgentError(StoreError):
    """The caller has no agent of this name. Another user's agent looks exactly the same."""

    def __init__(self, agent_name: str) -> None:
        super().__init__(f"no agent {agent_name!r}")
        self.agent_name = agent_name


class UnknownVersionError(StoreError):
    """The caller's agent has no version of this number."""


class RevisionMovedError(StoreError):
    """The agent was changed since the caller saw it. Nothing was changed; read it again."""


class RunsLiveError(StoreError):
    """The account has runs that are not finished, or holds. Nothing was changed."""


class UnknownRunError(StoreError):
    """The caller has no such run. Another user's run looks exactly the same."""


class VersionMovedError(StoreError):
    """The agent's current version changed since the caller read it. Nothing was held; read again and retry."""


class InsufficientCreditsError(StoreError):
    """The hold exceeds the available balance. Nothing was changed."""

    def __init__(self, needed_microcredits: int, available_microcredits: int) -> None:
        super().__init__(f"needs {needed_microcredits} microcredits, {available_microcredits} available")
        self.needed_microcredits = needed_microcredits
        self.available_microcredits = available_microcredits


class GenerationUnaffordableError(InsufficientCreditsError):
    """The worst case of a generation exceeds the available balance. Nothing was changed."""


class TooManyDryRunsError(StoreError):
    """The user's dry runs of this hour are spent, on whichever servers. Nothing was changed.

    Attributes:
        rate: what the user may do, and when the hour ends.
    """

    def __init__(self, rate: DryRunRate) -> None:
        super().__init__(f"{rate.per_hour_max} dry runs an hour are spent for another {rate.reset_ms} ms")
        self.rate = rate


class UnknownApiKeyError(StoreError):
    """The caller has no such API key. Another user's key looks exactly the same."""


class TooManyApiKeysError(StoreError):
    """The caller has as many live API keys as one may have. Nothing was stored."""

    def __init__(self, live_max: int) -> None:
        super().__init__(f"at most {live_max} live API keys")
        self.live_max = live_max


class EffectClaimedError(StoreError):
    """The effect was claimed before, so that it may have been carried out. Nothing was changed."""


class MemoryMovedError(StoreError):
    """What a dry run read from memory has changed since. Nothing was changed; run it dry again."""


class ApplyLiveError(StoreError):
    """Another run carries out this dry run now. Nothing was changed."""


class MemoryFullError(StoreError):
    """The agent remembers as much as one may. Nothing was changed.

    Attributes:
        detail: which bound was reached.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class SearchUnavailableError(StoreError):
    """The database cannot search by meaning: it has no pgvector."""


class UnknownSecretError(StoreError):
    """The caller's agent has no secret of this name."""


class TooManySecretsError(StoreError):
    """The agent has as many secrets as one may have. Nothing was stored."""

    def __init__(self, secrets_max: int) -> None:
        super().__init__(f"at most {secrets_max} secrets")
        self.secrets_max = secrets_max


class UnknownFileError(StoreError):
    """The caller's run has no file of this name."""


class TooManyFilesError(StoreError):
    """The run has as many files as one may have. Nothing was stored."""

    def __init__(self, files_max: int) -> None:
        super().__init__(f"at most {files_max} files")
        self.files_max = files_max


class UnknownGenerationError(StoreError):
    """The caller has no such generation. Another user's generation looks exactly the same."""


class UnknownEngineError(StoreError):
    """No row says which model writes agents, or what it is told. The message names the table; nothing was held."""


class StaleGenerationError(StoreError):
    """Somebody else ended the generation. Nothing was changed."""


class StaleRunError(StoreError):
    """The run's revision moved on: somebody else finished it. Nothing was changed."""


class RunFinishedError(StoreError):
    """The run has ended already, so that it cannot be cancelled. Nothing was changed."""

    def __init__(self, run_id: UUID, state: str) -> None:
        super().__init__(f"run {run_id} is {state}")
        self.run_id = run_id
        self.state = state


class KeyInFlightError(StoreError):
    """Another request with this idempotency key is being carried out. Ask again later."""


class KeyMismatchError(StoreError):
    """The idempotency key was used for another request."""


class TokenRefusedError(StoreError):
    """The Supabase project does not take the caller's token, or not any more."""

    def __init__(self) -> None:
        super().__init__("the project refuses the token")


class TokenNeededError(StoreError):
    """The caller came with an API key. To act for them the store needs a token, and has no secret to make one with."""

    def __init__(self) -> None:
        super().__init__("API keys need SUPABASE_JWT_SECRET, to make the tokens that they act with")


class StoreUnavailableError(StoreError):
    """The database cannot be reached or ended the session; safe to retry."""


class StoreMisconfiguredError(StoreError):
    """The store refuses to work with what it was given. The message says what to do."""


class SchemaMismatchError(StoreMisconfiguredError):
    """The database's schema is behind or ahead of this release. The message says what to run."""
