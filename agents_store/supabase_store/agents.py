"""Agents and their versions on a project."""

from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from agents_store.errors import AgentExistsError, RevisionMovedError, UnknownAgentError, UnknownVersionError
from agents_store.postgres.agents import VERSION_MAX
from agents_store.postgres.cursors import decode_cursor, encode_cursor
from agents_store.postgres.database import bounded, to_json, to_page
from agents_store.postgres.rows import to_agent, to_agent_detail, to_version, to_version_detail
from agents_store.supabase_store.data_api import DataApi, typed
from agents_store.supabase_store.translate import RefusedValueError
from agents_store.types import Agent, AgentDetail, NewVersion, Page, Principal, Version, VersionDetail

_AGENT = "id,user_id,agent_name,description,status,tier,version,revision,created_at,updated_at"
_VERSION = "version,created_at,asked_tier,tier,code_sha256,current"
_CONTENTS = "code,asked_tier,limits,inputs_schema,examples,allowed_hosts,reasons"


class AgentRoom(DataApi):
    """The part of the store that keeps agents."""

    async def create_agent(
        self, principal: Principal, agent_name: str, description: str, version: NewVersion
    ) -> AgentDetail:
        """Store a new agent with its version 1.

        Raises:
            AgentExistsError: the caller has an agent of this name.
            ValueError: a name, a tier or a text that the schema refuses.
        """
        arguments = {
            "id": str(uuid7()),
            "agent_name": agent_name,
            "description": description,
            **_version_arguments(version),
        }
        try:
            stored = await self.call(principal, "create_agent", arguments)
        except RefusedValueError as exc:
            if exc.constraint == "agents_name_once":
                raise AgentExistsError(agent_name) from exc
            raise
        return AgentDetail(to_agent(typed(stored)), version)

    async def list_agents(
        self, principal: Principal, *, agent_name: str | None, limit: int, cursor: str | None
    ) -> Page[Agent]:
        """The caller's agents, newest first; with `agent_name` at most the one of that name.

        Raises:
            ValueError: `cursor` is none of this method, or `limit` is not 1 to 1,000.
        """
        before = None if cursor is None else UUID(int=decode_cursor("agents", cursor))
        select = self.table(principal, "agent_details").select(_AGENT)
        if agent_name is not None:
            select = select.eq("agent_name", agent_name)
        return to_page("agents", await self.page(select, limit, before=before), limit, to_agent)

    async def get_agent(self, principal: Principal, agent_name: str) -> AgentDetail:
        """One of the caller's agents with its current version. Raises UnknownAgentError."""
        select = self.table(principal, "agent_details").select(f"{_AGENT},{_CONTENTS}").eq("agent_name", agent_name)
        rows = await self.rows(select)
        if not rows:
            raise UnknownAgentError(agent_name)
        return to_agent_detail(rows[0])

    async def delete_agent(self, principal: Principal, agent_name: str) -> None:
        """Free the name and end its versions; runs and ledger stay. Raises UnknownAgentError."""
        if await self.call(principal, "delete_agent", {"agent_name": agent_name}) is None:
            raise UnknownAgentError(agent_name)

    async def edit_agent(
        self, principal: Principal, agent: Agent, *, description: str | None, version: NewVersion | None
    ) -> AgentDetail:
        """Change what is not None, where the agent still is at `agent.revision`; a version becomes the current one.

        Raises:
            UnknownAgentError: the caller has no agent of this name any more; nothing was changed.
            RevisionMovedError: it is at another revision, or another agent by now; nothing was changed.
            ValueError: a tier or a text that the schema refuses.
        """
        arguments = {
            "id": str(agent.id),
            "agent_name": agent.agent_name,
            "revision": agent.revision,
            "description": description,
            **({} if version is None else _version_arguments(version)),
        }
        answer = await self.call(principal, "edit_agent", arguments)
        if answer["agent"] is None:
            raise UnknownAgentError(agent.agent_name)
        if not answer["edited"]:
            raise RevisionMovedError(f"agent {agent.agent_name!r} is not at revision {agent.revision} any more")
        return to_agent_detail(typed(answer["agent"]))

    async def activate_version(
        self, principal: Principal, agent_name: str, version: int, *, revision: int | None
    ) -> AgentDetail:
        """Make a version the current one, where the agent still is at `revision`, or wherever it is for None.

        Raises:
            UnknownAgentError, UnknownVersionError, RevisionMovedError: nothing was changed.
        """
        if not 1 <= version <= VERSION_MAX:
            raise UnknownVersionError(f"no version {version} of {agent_name!r}")
        arguments = {"agent_name": agent_name, "version": version, "revision": revision}
        answer = await self.call(principal, "activate_version", arguments)
        if answer["agent"] is None:
            raise UnknownAgentError(agent_name)
        if not answer["known"]:
            raise UnknownVersionError(f"no version {version} of {agent_name!r}")
        if not answer["activated"]:
            raise RevisionMovedError(f"agent {agent_name!r} is not at revision {revision} any more")
        return to_agent_detail(typed(answer["agent"]))

    async def raise_tier(self, principal: Principal, agent_id: UUID, version: int, tier: str, reason: str) -> bool:
        """Let a version run in a larger tier from now on, where its author left the choice.

        Returns:
            False where the version is not the caller's, was pinned, or has this tier or a larger one already.
        """
        arguments = {"agent_id": str(agent_id), "version": version, "tier": tier, "reason": reason}
        return await self.call(principal, "raise_tier", arguments) is not None

    async def list_versions(
        self, principal: Principal, agent_name: str, *, limit: int, cursor: str | None
    ) -> Page[Version]:
        """The versions of one of the caller's agents, newest first.

        Raises:
            UnknownAgentError: the caller has no agent of this name.
            ValueError: `cursor` is none of this method, or `limit` is not 1 to 1,000.
        """
        before = min(VERSION_MAX if cursor is None else decode_cursor("versions", cursor), VERSION_MAX)
        select = self.table(principal, "version_details").select(_VERSION).eq("agent_name", agent_name)
        rows = await self.rows(select.lt("version", before).order("version", desc=True).limit(bounded(limit) + 1))
        if not rows:
            await self._find_agent(principal, agent_name)
        versions = [to_version(row) for row in rows]
        next_cursor = encode_cursor("versions", versions[limit - 1].version) if len(versions) > limit else None
        return Page(versions[:limit], next_cursor)

    async def get_version(self, principal: Principal, agent_name: str, version: int) -> VersionDetail:
        """One version of one of the caller's agents. Raises UnknownAgentError, UnknownVersionError."""
        if not 1 <= version <= VERSION_MAX:
            raise UnknownVersionError(f"no version {version} of {agent_name!r}")
        select = self.table(principal, "version_details").select(f"{_VERSION},{_CONTENTS}")
        rows = await self.rows(select.eq("agent_name", agent_name).eq("version", version))
        if not rows:
            await self._find_agent(principal, agent_name)
            raise UnknownVersionError(f"no version {version} of {agent_name!r}")
        return to_version_detail(rows[0])

    async def _find_agent(self, principal: Principal, agent_name: str) -> None:
        """Raise UnknownAgentError unless the caller has this agent."""
        select = self.table(principal, "agents").select("id").eq("status", "active").eq("agent_name", agent_name)
        if not await self.rows(select):
            raise UnknownAgentError(agent_name)


def _version_arguments(version: NewVersion) -> dict[str, Any]:
    return {
        "code": version.code,
        "tier": version.tier,
        "resolved_tier": version.resolved_tier,
        "limits": to_json(version.limits),
        "allowed_hosts": to_json(list(version.allowed_hosts)),
        "inputs_schema": None if version.inputs_schema is None else to_json(version.inputs_schema),
        "examples": to_json(version.examples),
        "reasons": to_json(version.reasons or {}),
    }
