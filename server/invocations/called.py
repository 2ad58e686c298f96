"""What becomes of one agent's call of another, as the calling program learns it."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from agents_store.errors import StaleRunError, TooManyDryRunsError, UnknownAgentError, VersionMovedError
from agents_store.types import Charge, EffectStatus
from sandbox.errors import TierUnavailableError
from sandbox.types import GloveFault, Result
from server.errors import InvalidInputsError, ServerBusyError
from server.gloves.calls import Called, busy, without_tier
from server.gloves.effect import EffectError
from server.gloves.run import RunGloves
from server.invocations.contracts import Contract
from server.invocations.endings import Lost


@contextmanager
def refusals_of_calls(agent_name: str) -> Iterator[None]:
    """Turn what keeps a called agent from running into what its caller gets. Raises EffectError."""
    try:
        yield
    except UnknownAgentError as exc:
        raise EffectError(GloveFault.LOOKUP, f"you have no agent named {agent_name!r}") from exc
    except InvalidInputsError as exc:
        places = "; ".join(f"{error['path'] or '/'} {error['message']}" for error in exc.errors)
        raise EffectError(GloveFault.VALUE, f"{agent_name} does not take these inputs: {places}") from exc
    except ServerBusyError as exc:
        raise EffectError(GloveFault.RUNTIME, busy(agent_name)) from exc
    except TooManyDryRunsError as exc:
        raise EffectError(GloveFault.RUNTIME, "your dry runs of this hour are spent") from exc
    except TierUnavailableError as exc:
        raise EffectError(GloveFault.RUNTIME, without_tier(agent_name, exc.tier)) from exc
    except (VersionMovedError, StaleRunError) as exc:
        raise EffectError(GloveFault.RUNTIME, f"{agent_name} was changed, or this run ended, at this moment") from exc


def called_of(contract: Contract, run_id: UUID, result: Result | Lost, gloves: RunGloves, charge: Charge) -> Called:
    """What a called agent's run came to. Of a live run nothing is told of its cost: its row has it."""
    if isinstance(result, Lost):
        return Called(run_id, None, not_run=_why_not_run(contract, result))
    error = "" if result.error is None else f"{result.error.type}: {result.error.message}"
    withheld = any(effect.status is EffectStatus.WITHHELD for effect in gloves.effects)
    would_charge = charge.would_charge_microcredits + gloves.called_microcredits if gloves.test else 0
    return Called(
        run_id,
        result.outcome,
        result.value,
        error,
        complete=result.complete,
        withheld=withheld,
        would_charge_microcredits=would_charge,
    )


def _why_not_run(contract: Contract, lost: Lost) -> str:
    if lost.started:
        return ""
    return without_tier(contract.agent_name, contract.tier) if lost.tier_gone else busy(contract.agent_name)
