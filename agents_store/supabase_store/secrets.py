"""Secrets of agents on a project: stored sealed, listed without what is sealed, found by the server alone."""

from typing import Any
from uuid import UUID

from agents_store.errors import TooManySecretsError, UnknownAgentError, UnknownSecretError
from agents_store.supabase_store.data_api import DataApi, typed
from agents_store.supabase_store.translate import RefusedValueError
from agents_store.types import SECRETS_MAX, Principal, SealedSecret, SecretSummary


class SecretRoom(DataApi):
    """The part of the store that keeps agents' secrets."""

    async def put_secret(self, principal: Principal, agent_id: UUID, secret: SealedSecret) -> SecretSummary:
        """Store a secret in place of one of the same name.

        Raises:
            UnknownAgentError: the caller has no such agent any more.
            TooManySecretsError: the agent has `SECRETS_MAX` secrets; nothing was stored.
            ValueError: something that the schema refuses.
        """
        arguments: dict[str, Any] = {
            "agent_id": str(agent_id),
            "name": secret.name,
            "hosts": list(secret.hosts),
            "key_id": secret.key_id,
            "nonce": secret.nonce.hex(),
            "ciphertext": secret.ciphertext.hex(),
        }
        try:
            stored = await self.call(principal, "put_secret", arguments)
        except RefusedValueError as exc:
            if exc.constraint == "agent_secrets_bounded":
                raise TooManySecretsError(SECRETS_MAX) from exc
            raise
        if stored is None:
            raise UnknownAgentError(str(agent_id))
        return SecretSummary(**typed(stored))

    async def list_secrets(self, principal: Principal, agent_id: UUID) -> list[SecretSummary]:
        """What is told of an agent's secrets, by name."""
        select = self.table(principal, "agent_secrets").select("name,hosts,created_at,updated_at")
        rows = await self.rows(select.eq("agent_id", agent_id).order("name"))
        return [SecretSummary(**row) for row in rows]

    async def delete_secret(self, principal: Principal, agent_id: UUID, name: str) -> None:
        """Remove a secret. Raises UnknownSecretError."""
        if not await self.call(principal, "delete_secret", {"agent_id": str(agent_id), "name": name}):
            raise UnknownSecretError(f"no secret {name!r}")

    async def find_secret(self, principal: Principal, agent_id: UUID, name: str) -> SealedSecret:
        """A secret of an agent that lives, as it is stored. Raises UnknownSecretError."""
        arguments = {"user_id": str(principal.user_id), "agent_id": str(agent_id), "name": name}
        found = await self.call_as_server("find_secret", arguments)
        if found is None:
            raise UnknownSecretError(f"no secret {name!r}")
        sealed = {part: bytes.fromhex(found[part]) for part in ("nonce", "ciphertext")}
        return SealedSecret(found["name"], found["hosts"], found["key_id"], **sealed)
