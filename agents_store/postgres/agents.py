"""Agents and their versions."""

from uuid import UUID

from psycopg.errors import UniqueViolation
from uuid_utils.compat import uuid7

from agents_store.errors import AgentExistsError, UnknownAgentError
from agents_store.postgres.connection import Role, acting_as, claims_of
from agents_store.postgres.cursors import decode_cursor
from agents_store.postgres.database import AFTER_EVERY_UUID, Database, execute, the, to_json, to_page
from agents_store.postgres.rows import to_agent, to_agent_detail
from agents_store.types import Agent, AgentDetail, NewVersion, Page, Principal


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
            "code": version.code,
            "tier": version.tier,
            "resolved_tier": version.resolved_tier,
            "limits": to_json(version.limits),
            "inputs_schema": None if version.inputs_schema is None else to_json(version.inputs_schema),
            "examples": to_json(version.examples),
            "reasons": to_json(version.reasons or {}),
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
