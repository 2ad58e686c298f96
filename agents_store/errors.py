"""What a store refuses or cannot do.

StoreError
├── AgentExistsError            the name is taken by another of the caller's agents
├── UnknownAgentError           no such agent among the caller's own
├── UnknownRunError             no such run among the caller's own
├── VersionMovedError           the agent's current version is no longer the one that the caller prepared for
├── InsufficientCreditsError    the hold exceeds what is available; nothing changed
├── StaleRunError               the run was finished by someone else; nothing changed
├── StoreUnavailableError       the database cannot be reached; safe to retry
└── StoreMisconfiguredError     the store refuses to work like this, and says what to do
    └── SchemaMismatchError     the database's schema is behind or ahead of this release
"""


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


class StaleRunError(StoreError):
    """The run's revision moved on: somebody else finished it. Nothing was changed."""


class StoreUnavailableError(StoreError):
    """The database cannot be reached or ended the session; safe to retry."""


class StoreMisconfiguredError(StoreError):
    """The store refuses to work with what it was given. The message says what to do."""


class SchemaMismatchError(StoreMisconfiguredError):
    """The database's schema is behind or ahead of this release. The message says what to run."""
