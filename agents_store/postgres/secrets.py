"""Secrets of agents: stored sealed, listed without what is sealed, found by the server alone."""

from uuid import UUID

from psycopg.errors import CheckViolation
from psycopg.rows import class_row

from agents_store.errors import TooManySecretsError, UnknownAgentError, UnknownSecretError
from agents_store.postgres.connection import Role, acting_as, claims_of
from agents_store.postgres.database import Database, execute
from agents_store.postgres.queries import query
from agents_store.types import SECRETS_MAX, Principal, SealedSecret, SecretSummary


class SecretRoom(Database):
    """The part of the store that keeps agents' secrets."""

    async def put_secret(self, principal: Principal, agent_id: UUID, secret: SealedSecret) -> SecretSummary:
        """Store a secret in place of one of the same name.

        Raises:
            UnknownAgentError: the caller has no such agent any more.
            TooManySecretsError: the agent has `SECRETS_MAX` secrets; nothing was stored.
            ValueError: something that the schema refuses.
        """
        params = {
            "agent_id": agent_id,
            "name": secret.name,
            "hosts": list(secret.hosts),
            "key_id": secret.key_id,
            "nonce": secret.nonce,
            "ciphertext": secret.ciphertext,
        }
        async with self.connection() as conn:
            try:
                async with acting_as(conn, Role.USER, claims_of(principal.user_id)):
                    stored = await execute(conn, "put_secret", params)
            except CheckViolation as exc:
                if exc.diag.constraint_name == "agent_secrets_bounded":
                    raise TooManySecretsError(SECRETS_MAX) from exc
                raise
            row = await stored.fetchone()
        if row is None:
            raise UnknownAgentError(str(agent_id))
        return SecretSummary(**row)

    async def list_secrets(self, principal: Principal, agent_id: UUID) -> list[SecretSummary]:
        """What is told of an agent's secrets, by name."""
        rows = await self.as_user(principal, "list_secrets", {"agent_id": agent_id})
        return [SecretSummary(**row) for row in rows]

    async def delete_secret(self, principal: Principal, agent_id: UUID, name: str) -> None:
        """Remove a secret. Raises UnknownSecretError."""
        (row,) = await self.as_user(principal, "delete_secret", {"agent_id": agent_id, "name": name})
        if not row["removed"]:
            raise UnknownSecretError(f"no secret {name!r}")

    async def find_secret(self, principal: Principal, agent_id: UUID, name: str) -> SealedSecret:
        """A secret of an agent that lives, as it is stored. Raises UnknownSecretError."""
        params = {"user_id": principal.user_id, "agent_id": agent_id, "name": name}
        async with self.connection() as conn:
            cursor = conn.cursor(row_factory=class_row(SealedSecret))
            found = await (await cursor.execute(query("find_secret"), params)).fetchone()
        if found is None:
            raise UnknownSecretError(f"no secret {name!r}")
        return found
