"""Creating, showing, listing and deleting agents."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace

from agents_store.errors import UnknownAgentError
from agents_store.store import Store
from agents_store.types import Agent, AgentDetail, NewVersion, Page, Principal
from sandbox.backend import Sandbox
from sandbox.types import SOURCE_BYTES_MAX, Limits, Program
from server.agents.input_contract import InputContract
from server.agents.input_schema import RESERVED_INPUT, check_input_schema
from server.agents.names import is_agent_name
from server.agents.schemas import CreateAgent, RequestedLimits
from server.errors import CodeRejectedError, InvalidInputsError, InvalidRequestError
from server.invocations.admission import Admission
from server.invocations.contracts import Contracts


class Agents:
    """The caller's agents."""

    def __init__(
        self, *, store: Store, sandbox: Sandbox, admission: Admission, contracts: Contracts, ceilings: Limits
    ) -> None:
        self._store = store
        self._sandbox = sandbox
        self._admission = admission
        self._contracts = contracts
        self._ceilings = ceilings

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
            limits = await self._check_contract(asked)
            async with self._admission.place(principal.user_id):
                refusals = await self._sandbox.check(Program(asked.code))
        if refusals:
            raise CodeRejectedError("The code uses what this tier refuses.", [asdict(refusal) for refusal in refusals])
        version = NewVersion(
            code=asked.code,
            tier=asked.tier,
            resolved_tier=self._sandbox.tier.value,
            limits=asdict(limits),
            inputs_schema=asked.inputs_schema,
            examples=[example.model_dump() for example in asked.examples],
            reasons={},
        )
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

    async def _check_contract(self, asked: CreateAgent) -> Limits:
        if not is_agent_name(asked.agent_name):
            raise _refusal("/agent_name", "looks like a UUID; choose a name that does not")
        size = len(asked.code.encode())
        if size > SOURCE_BYTES_MAX:
            raise _refusal("/code", f"is {size} bytes; at most {SOURCE_BYTES_MAX} are allowed")
        limits = resolve_limits(asked.limits, self._ceilings)
        if asked.inputs_schema is not None:
            check_input_schema(asked.inputs_schema)
        contract = InputContract(asked.inputs_schema)
        for index, example in enumerate(asked.examples):
            if RESERVED_INPUT in example.inputs:
                raise _refusal(f"/examples/{index}/inputs/{RESERVED_INPUT}", "is a reserved name")
            try:
                await contract.check(example.inputs)
            except InvalidInputsError as exc:
                errors = [{**error, "path": f"/examples/{index}/inputs{error['path']}"} for error in exc.errors]
                raise InvalidRequestError(f"Example {index} does not fit inputs_schema.", errors) from exc
        return limits


def resolve_limits(asked: RequestedLimits, ceilings: Limits) -> Limits:
    """Every limit of a version: as asked, or its default where the ceiling allows it.

    Raises InvalidRequestError naming each limit above its ceiling.
    """
    highest = asdict(ceilings)
    wanted = asked.model_dump(exclude_none=True)
    errors = [
        {"path": f"/limits/{name}", "message": f"must be at most {highest[name]}"}
        for name, value in wanted.items()
        if value > highest[name]
    ]
    if errors:
        raise InvalidRequestError("A limit is above what this server allows.", errors)
    defaults = {name: min(value, highest[name]) for name, value in asdict(Limits()).items()}
    return replace(Limits(**defaults), **wanted)


def _require_name(agent_name: str) -> None:
    if not is_agent_name(agent_name):
        raise UnknownAgentError(agent_name)


def _refusal(path: str, message: str) -> InvalidRequestError:
    return InvalidRequestError(f"{path} {message}.", [{"path": path, "message": message}])
