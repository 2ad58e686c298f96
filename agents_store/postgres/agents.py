"""Agents and their versions."""

from uuid import UUID

from psycopg.errors import UniqueViolation
from psycopg.types.numeric import Int4
from uuid_utils.compat import uuid7

from agents_store.errors import AgentExistsError, RevisionMovedError, UnknownAgentError, UnknownVersionError
from agents_store.postgres.connection import Role, acting_as, claims_of
from agents_store.postgres.cursors import decode_cursor, encode_cursor
from agents_store.postgres.database import AFTER_EVERY_UUID, Database, Params, bounded, execute, the, to_json, to_page
from agents_store.postgres.rows import to_agent, to_agent_detail, to_version, to_version_detail
from agents_store.types import Agent, AgentDetail, NewVersion, Page, Principal, Version, VersionDetail

VERSION_MAX = 2**31 - 1  # as the schema counts


class AgentRoom(Database):
    """The part of the store that keeps agents."""

    async def create_agent(
        self, principal: Principal, agent_name: str, description: str, version: NewVersion
    ) -> AgentDetail:
        """Store a new agent with its version 1.

        Raises:
            AgentExistsError: the caller has an agent of this name.
            ValueError: a name, a tier or a text that the schema refuses.
        """
        params = {
            "id": uuid7(),
            "user_id": principal.user_id,
            "agent_name": agent_name,
            "description": description,
            **_version_params(version),
        }
        async with self.connection() as conn:
            try:
                async with acting_as(conn, Role.USER, claims_of(principal.user_id)):
                    stored = await execute(conn, "insert_agent", params)
                    await execute(conn, "insert_version", params)
                    await execute(conn, "insert_version_tier", params)
            except UniqueViolation as exc:
                if exc.diag.constraint_name == "agents_name_once":
                    raise AgentExistsError(agent_name) from exc
                raise
            return AgentDetail(to_agent(the(await stored.fetchone())), version)

    async def list_agents(
        self, principal: Principal, *, agent_name: str | None, limit: int, cursor: str | None
    ) -> Page[Agent]:
        """The caller's agents, newest first; with `agent_name` at most the one of that name.

        Raises:
            ValueError: `cursor` is none of this method, or `limit` is not 1 to 1,000.
        """
        name = "list_agents" if agent_name is None else "list_agents_by_name"
        before = UUID(int=AFTER_EVERY_UUID if cursor is None else decode_cursor("agents", cursor))
        rows = await self.page(principal, name, limit, {"agent_name": agent_name, "before": before})
        return to_page("agents", rows, limit, to_agent)

    async def get_agent(self, principal: Principal, agent_name: str) -> AgentDetail:
        """One of the caller's agents with its current version. Raises UnknownAgentError."""
        rows = await self.as_user(principal, "get_agent", {"agent_name": agent_name})
        if not rows:
            raise UnknownAgentError(agent_name)
        return to_agent_detail(rows[0])

    async def delete_agent(self, principal: Principal, agent_name: str) -> None:
        """Free the name and end its versions; runs and ledger stay. Raises UnknownAgentError."""
        if not await self.as_user(principal, "delete_agent", {"agent_name": agent_name}):
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
        params = {
            "id": agent.id,
            "agent_name": agent.agent_name,
            "revision": Int4(agent.revision),
            "description": description,
            **({} if version is None else _version_params(version)),
        }
        edit = "edit_agent" if version is None else "edit_agent_with_version"
        async with self.connection() as conn:
            async with acting_as(conn, Role.USER, claims_of(principal.user_id)):
                edited = await execute(conn, edit, params)
                found = await execute(conn, "get_agent", params)
            row = await found.fetchone()
            if row is None:
                raise UnknownAgentError(agent.agent_name)
            if await edited.fetchone() is None:
                raise RevisionMovedError(f"agent {agent.agent_name!r} is not at revision {agent.revision} any more")
            return to_agent_detail(row)

    async def activate_version(
        self, principal: Principal, agent_name: str, version: int, *, revision: int | None
    ) -> AgentDetail:
        """Make a version the current one, where the agent still is at `revision`, or wherever it is for None.

        Raises:
            UnknownAgentError, UnknownVersionError, RevisionMovedError: nothing was changed.
        """
        if not 1 <= version <= VERSION_MAX:
            raise UnknownVersionError(f"no version {version} of {agent_name!r}")
        params = {
            "agent_name": agent_name,
            "version": Int4(version),
            "revision": None if revision is None else Int4(revision),
        }
        async with self.connection() as conn:
            async with acting_as(conn, Role.USER, claims_of(principal.user_id)):
                activated = await execute(conn, "activate_version", params)
                known = await execute(conn, "version_exists", params)
                found = await execute(conn, "get_agent", params)
            row = await found.fetchone()
            if row is None:
                raise UnknownAgentError(agent_name)
            if await known.fetchone() is None:
                raise UnknownVersionError(f"no version {version} of {agent_name!r}")
            if await activated.fetchone() is None:
                raise RevisionMovedError(f"agent {agent_name!r} is not at revision {revision} any more")
            return to_agent_detail(row)

    async def raise_tier(self, principal: Principal, agent_id: UUID, version: int, tier: str, reason: str) -> bool:
        """Let a version run in a larger tier from now on, where its author left the choice.

        Returns:
            False where the version is not the caller's, was pinned, or has this tier or a larger one already.
        """
        params = {"agent_id": agent_id, "version": Int4(version), "tier": tier, "reason": reason}
        return bool(await self.as_user(principal, "raise_tier", params))

    async def list_versions(
        self, principal: Principal, agent_name: str, *, limit: int, cursor: str | None
    ) -> Page[Version]:
        """The versions of one of the caller's agents, newest first.

        Raises:
            UnknownAgentError: the caller has no agent of this name.
            ValueError: `cursor` is none of this method, or `limit` is not 1 to 1,000.
        """
        before = VERSION_MAX if cursor is None else decode_cursor("versions", cursor)
        params = {
            "agent_name": agent_name,
            "before": Int4(min(before, VERSION_MAX)),
            "rows_max": Int4(bounded(limit) + 1),
        }
        async with self.connection() as conn:
            async with acting_as(conn, Role.USER, claims_of(principal.user_id)):
                known = await execute(conn, "agent_exists", params)
                listed = await execute(conn, "list_versions", params)
            if await known.fetchone() is None:
                raise UnknownAgentError(agent_name)
            versions = [to_version(row) for row in await listed.fetchall()]
        next_cursor = encode_cursor("versions", versions[limit - 1].version) if len(versions) > limit else None
        return Page(versions[:limit], next_cursor)

    async def get_version(self, principal: Principal, agent_name: str, version: int) -> VersionDetail:
        """One version of one of the caller's agents. Raises UnknownAgentError, UnknownVersionError."""
        if not 1 <= version <= VERSION_MAX:
            raise UnknownVersionError(f"no version {version} of {agent_name!r}")
        params = {"agent_name": agent_name, "version": Int4(version)}
        async with self.connection() as conn:
            async with acting_as(conn, Role.USER, claims_of(principal.user_id)):
                known = await execute(conn, "agent_exists", params)
                found = await execute(conn, "get_version", params)
            if await known.fetchone() is None:
                raise UnknownAgentError(agent_name)
            row = await found.fetchone()
        if row is None:
            raise UnknownVersionError(f"no version {version} of {agent_name!r}")
        return to_version_detail(row)


def _version_params(version: NewVersion) -> Params:
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
