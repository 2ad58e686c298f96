"""A run in a tier that cannot run it: the version moves up, and the run with it where nothing was performed yet."""

from dataclasses import dataclass, replace

import structlog

from agents_store.errors import StoreError
from agents_store.store import Store
from agents_store.types import Principal
from sandbox.errors import SandboxError
from sandbox.tiers import Tiers
from sandbox.types import Result, Tier
from server.invocations.contracts import Contract, Contracts
from server.invocations.settling import EndedIn

log = structlog.get_logger("server.invocations")


@dataclass(frozen=True, slots=True)
class Raised:
    """A version in its new tier, and what a run that moves with it is to say of where it ended."""

    contract: Contract
    ended_in: EndedIn


class Raising:
    """Moves versions up whose author left the choice of the tier."""

    def __init__(self, tiers: Tiers, store: Store, contracts: Contracts) -> None:
        self._tiers = tiers
        self._store = store
        self._contracts = contracts

    async def raised(self, principal: Principal, contract: Contract, result: Result) -> Raised | None:
        """Let a version run in the next tier that takes it, from now on. Never raises: its run must be settled.

        Args:
            principal: whose version it is.
            contract: the version, in the tier that cannot run it.
            result: what tells so.

        Returns:
            None where no larger tier is there for it, or its author pinned the tier.
        """
        if not contract.raisable:
            return None
        reason = "it cannot run this program" if result.error is None else result.error.message
        try:
            tier = await self._next(contract)
            if tier is None:
                return None
            wall = self._tiers.wall(tier)
            await self._store.raise_tier(principal, contract.agent_id, contract.version, tier.value, reason)
        except (SandboxError, StoreError) as exc:  # the next run will find it out again
            log.warning("tier not raised", error=type(exc).__name__)
            return None
        # The boundary around one run: a defect of ours must not keep it from being settled.
        except Exception:
            log.exception("tier not raised")
            return None
        log.info("tier raised", agent_name=contract.agent_name, tier=tier.value, reason=reason)
        self._contracts.drop(principal, contract.agent_name)
        raised = replace(contract, tier=tier.value)
        return Raised(raised, EndedIn(tier.value, wall.kind.value, wall.missing))

    async def _next(self, contract: Contract) -> Tier | None:
        """The first larger tier that takes the program; None where none is available."""
        above = [tier for tier in self._tiers.available if tier in _above(Tier(contract.tier))]
        for tier in above:
            if not await self._tiers.get(tier).check(contract.program):
                return tier
        return None


def _above(tier: Tier) -> list[Tier]:
    order = list(Tier)
    return order[order.index(tier) + 1 :]
