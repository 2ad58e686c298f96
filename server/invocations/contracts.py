"""What calls of an agent need to know about its current version, kept in memory within a bound."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from agents_store.store import Store
from agents_store.types import AgentDetail, Principal
from sandbox.types import Limits, Program
from server.agents.input_contract import InputContract
from server.gloves.hosts import HostPattern, read_pattern

BYTES_MAX = 64 * 1024 * 1024
OVERHEAD_BYTES = 8 * 1024  # a compiled schema and the entry itself

_Key = tuple[UUID, str]


@dataclass(frozen=True, slots=True)
class Contract:
    """One version of an agent, ready to be called. `raisable` where its author left the choice of the tier."""

    agent_id: UUID
    agent_name: str
    version: int
    tier: str
    program: Program
    limits: Limits
    inputs: InputContract
    allowed_hosts: tuple[HostPattern, ...] = ()
    raisable: bool = False


class Contracts:
    """The most recently called versions, by user and name. What it has may be outdated; `begin` verifies it."""

    def __init__(self, store: Store, bytes_max: int = BYTES_MAX) -> None:
        self._store = store
        self._bytes_left = bytes_max
        self._kept: OrderedDict[_Key, tuple[Contract, int]] = OrderedDict()
        self._loading: dict[_Key, asyncio.Task[Contract]] = {}

    def kept(self, principal: Principal, agent_name: str) -> Contract | None:
        """What memory has, None when it has nothing."""
        key = (principal.user_id, agent_name)
        if (entry := self._kept.get(key)) is None:
            return None
        self._kept.move_to_end(key)
        return entry[0]

    async def load(self, principal: Principal, agent_name: str) -> Contract:
        """Read the current version, once for everybody who asks meanwhile.

        Raises UnknownAgentError, StoreUnavailableError.
        """
        key = (principal.user_id, agent_name)
        task = self._loading.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._load(principal, key))
            self._loading[key] = task
            task.add_done_callback(lambda _: self._loading.pop(key, None))
        return await asyncio.shield(task)

    def drop(self, principal: Principal, agent_name: str) -> None:
        """Forget a version."""
        if (entry := self._kept.pop((principal.user_id, agent_name), None)) is not None:
            self._bytes_left += entry[1]

    async def _load(self, principal: Principal, key: _Key) -> Contract:
        self.drop(principal, key[1])
        detail = await self._store.get_agent(principal, key[1])
        contract = _contract(detail)
        weight = len(contract.program.source) + OVERHEAD_BYTES + len(str(detail.version.inputs_schema))
        self.drop(principal, key[1])
        self._kept[key] = (contract, weight)
        self._bytes_left -= weight
        while self._bytes_left < 0:
            _, (_, dropped) = self._kept.popitem(last=False)
            self._bytes_left += dropped
        return contract


def _contract(detail: AgentDetail) -> Contract:
    version = detail.version
    return Contract(
        agent_id=detail.agent.id,
        agent_name=detail.agent.agent_name,
        version=detail.agent.version,
        tier=version.resolved_tier,
        program=Program(version.code),
        limits=Limits(**version.limits),
        inputs=InputContract(version.inputs_schema),
        allowed_hosts=tuple(map(read_pattern, version.allowed_hosts)),
        raisable=version.tier == "auto",
    )
