"""Creating, showing, listing, editing and deleting agents, and their versions."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from uuid import UUID

from agents_store.errors import RevisionMovedError, UnknownAgentError
from agents_store.store import Store
from agents_store.types import Agent, AgentDetail, NewVersion, Page, Principal, Version, VersionDetail
from sandbox.tiers import Tiers
from sandbox.types import Limits
from server.agents.drafts import Draft, check_draft, draft_of, edited_draft, read_hosts, refusal
from server.agents.names import is_agent_name
from server.agents.preconditions import Expected
from server.agents.schemas import CreateAgent, EditAgent
from server.agents.tier_choice import choose_tier
from server.errors import InvalidRequestError
from server.gloves.fitting import Fitting
from server.invocations.admission import Admission
from server.invocations.contracts import Contracts

ANY_REVISION_RETRIES_MAX = 3


class Agents:
    """The caller's agents."""

    def __init__(
        self,
        *,
        store: Store,
        tiers: Tiers,
        fitting: Fitting,
        admission: Admission,
        contracts: Contracts,
        ceilings: Limits,
    ) -> None:
        self._store = store
        self._tiers = tiers
        self._fitting = fitting
        self._admission = admission
        self._contracts = contracts
        self.ceilings = ceilings

    async def create(self, principal: Principal, read: Callable[[], Awaitable[CreateAgent]]) -> AgentDetail:
        """Check an agent's code and contract, and store it with its version 1.

        Checking occupies a sandbox as a run does, so it counts as a dry run; nothing is charged for it.

        Args:
            principal: whose agent it will be.
            read: reads what is asked for, once the caller may ask for anything.

        Raises:
            InvalidRequestError: the contract is not acceptable; every place that is not, is named.
            CodeRejectedError: the policy refuses the code.
            AgentExistsError: the name is taken.
            UserBusyError, ServerBusyError, SandboxBusyError, SandboxLostError: nothing was decided.
        """
        with self._admission.call(principal.user_id, dry=True):
            asked = await read()
            if not is_agent_name(asked.agent_name):
                raise refusal("/agent_name", "looks like a UUID; choose a name that does not")
            version = await self.checked(principal, draft_of(asked), agent_id=None)
        return await self._store.create_agent(principal, asked.agent_name, asked.description, version)

    async def list(
        self, principal: Principal, *, agent_name: str | None, limit: int, cursor: str | None
    ) -> Page[Agent]:
        """The caller's agents, newest first. Raises ValueError on a cursor that this list did not make."""
        if agent_name is not None and not is_agent_name(agent_name):
            return Page((), None)
        return await self._store.list_agents(principal, agent_name=agent_name, limit=limit, cursor=cursor)

    async def show(self, principal: Principal, agent_name: str) -> AgentDetail:
        """One of the caller's agents. Raises UnknownAgentError."""
        _require_name(agent_name)
        return await self._store.get_agent(principal, agent_name)

    async def delete(self, principal: Principal, agent_name: str) -> None:
        """Free the name; runs and ledger stay. Raises UnknownAgentError."""
        _require_name(agent_name)
        self._contracts.drop(principal, agent_name)
        await self._store.delete_agent(principal, agent_name)

    async def edit(
        self, principal: Principal, agent_name: str, expected: Expected, read: Callable[[], Awaitable[EditAgent]]
    ) -> AgentDetail:
        """Change an agent that is as expected. Code and contract make a new version, checked as a first one is.

        Args:
            principal: whose agent it is.
            agent_name: which one.
            expected: what the agent must be when it is changed.
            read: reads what is asked for, once the caller may ask for anything.

        Raises:
            UnknownAgentError: the caller has no agent of this name.
            RevisionMovedError: the agent is not, or not any more, as expected; nothing was changed.
            InvalidRequestError, CodeRejectedError: the change is not acceptable; nothing was changed.
            UserBusyError, ServerBusyError, SandboxBusyError, SandboxLostError: nothing was decided.
        """
        _require_name(agent_name)
        with self._admission.call(principal.user_id, dry=True):
            asked = await read()
            if not asked.model_fields_set:
                raise InvalidRequestError("The body names nothing to change.")
            retries_left = ANY_REVISION_RETRIES_MAX
            while True:
                current = await self._store.get_agent(principal, agent_name)
                expected.require(current.agent)
                draft = edited_draft(asked, current.version)
                version = None if draft is None else await self.checked(principal, draft, agent_id=current.agent.id)
                description = asked.description if "description" in asked.model_fields_set else None
                try:
                    edited = await self._store.edit_agent(
                        principal, current.agent, description=description, version=version
                    )
                except RevisionMovedError:
                    if not expected.is_anything or not retries_left:
                        raise
                    retries_left -= 1  # what others made of it meanwhile is expected, too
                else:
                    self._contracts.drop(principal, agent_name)
                    return edited

    async def activate(self, principal: Principal, agent_name: str, version: int, expected: Expected) -> AgentDetail:
        """Make a version the current one, where the agent is as expected.

        Raises UnknownAgentError, UnknownVersionError, RevisionMovedError: nothing was changed.
        """
        _require_name(agent_name)
        revision = None
        if not expected.is_anything:
            current = await self._store.get_agent(principal, agent_name)
            expected.require(current.agent)
            revision = current.agent.revision
        activated = await self._store.activate_version(principal, agent_name, version, revision=revision)
        self._contracts.drop(principal, agent_name)
        return activated

    async def versions(self, principal: Principal, agent_name: str, *, limit: int, cursor: str | None) -> Page[Version]:
        """An agent's versions, newest first.

        Raises UnknownAgentError, and ValueError on a cursor that this list did not make.
        """
        _require_name(agent_name)
        return await self._store.list_versions(principal, agent_name, limit=limit, cursor=cursor)

    async def version(self, principal: Principal, agent_name: str, version: int) -> VersionDetail:
        """One version of an agent. Raises UnknownAgentError, UnknownVersionError."""
        _require_name(agent_name)
        return await self._store.get_version(principal, agent_name, version)

    async def checked(self, principal: Principal, draft: Draft, *, agent_id: UUID | None = None) -> NewVersion:
        """The version that a draft comes to; nothing is stored.

        Args:
            principal: whose it will be.
            draft: what is asked for.
            agent_id: whose version it will be; None for an agent that is not made yet.

        Raises:
            InvalidRequestError, CodeRejectedError: it is not acceptable.
            TierUnavailableError: the tier that it pins, or every tier, is unavailable here.
        """
        limits = await check_draft(draft, self.ceilings)
        allowed_hosts = [str(pattern) for pattern in read_hosts(draft.allowed_hosts)]
        async with self._admission.place(principal.user_id):
            choice = await choose_tier(self._tiers, self._fitting, principal, draft, limits, agent_id)
        return NewVersion(
            code=draft.code,
            tier=draft.tier,
            resolved_tier=choice.tier.value,
            limits=asdict(limits),
            inputs_schema=draft.inputs_schema,
            examples=draft.examples,
            allowed_hosts=allowed_hosts,
            reasons=choice.reasons,
        )


def _require_name(agent_name: str) -> None:
    if not is_agent_name(agent_name):
        raise UnknownAgentError(agent_name)
