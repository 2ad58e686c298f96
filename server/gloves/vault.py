"""The secrets of agents: taken in clear, kept sealed, opened for a request of a run and for nothing else."""

from collections.abc import Sequence
from uuid import UUID

from agents_store.store import Store
from agents_store.types import Principal, SecretSummary
from sandbox.types import GloveFault
from server.errors import SecretsUnavailableError
from server.gloves.effect import EffectError
from server.gloves.hosts import read_pattern
from server.gloves.secret_box import SecretBox, SecretUnreadableError
from server.gloves.secrets import OpenByName, OpenSecret


class Vault:
    """Keeps secrets in the store, sealed by the box."""

    def __init__(self, store: Store, box: SecretBox | None) -> None:
        """Without a box, which is where the operator set no keys, nothing is kept and nothing opens."""
        self._store = store
        self._box = box

    async def put(
        self, principal: Principal, agent_id: UUID, name: str, value: str, hosts: Sequence[str]
    ) -> SecretSummary:
        """Keep a value in place of one of the same name.

        Raises:
            HostError: one of `hosts` is no place that a request may be sent to.
            UnknownAgentError, TooManySecretsError: nothing was kept.
            SecretsUnavailableError: this server has no keys.
        """
        if self._box is None:
            raise SecretsUnavailableError
        places = [str(read_pattern(host)) for host in hosts]
        sealed = self._box.seal(principal.user_id, agent_id, name, places, value)
        return await self._store.put_secret(principal, agent_id, sealed)

    async def open(self, principal: Principal, agent_id: UUID, name: str) -> OpenSecret:
        """A secret in clear. Raises UnknownSecretError, EffectError where no key of this server opens it."""
        sealed = await self._store.find_secret(principal, agent_id, name)
        try:
            if self._box is None:
                raise SecretUnreadableError("GLOVEBOX_SECRETS_KEYS is not set")
            value = self._box.open(principal.user_id, agent_id, sealed)
        except SecretUnreadableError as exc:
            raise EffectError(GloveFault.RUNTIME, f"the secret {name!r} cannot be read any more; set it again") from exc
        return OpenSecret(name, value, [read_pattern(host) for host in sealed.hosts])

    def opener(self, principal: Principal, agent_id: UUID) -> OpenByName:
        """Opens the secrets of one agent, by name."""

        async def open_by_name(name: str) -> OpenSecret:
            return await self.open(principal, agent_id, name)

        return open_by_name
