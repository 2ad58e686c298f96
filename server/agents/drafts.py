"""What a version is to consist of, from creating or editing, before any sandbox has seen its code."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from agents_store.types import NewVersion
from sandbox.types import SOURCE_BYTES_MAX, Limits
from server.agents.input_contract import InputContract
from server.agents.input_schema import RESERVED_INPUT, check_input_schema
from server.agents.schemas import CreateAgent, EditAgent
from server.errors import InvalidInputsError, InvalidRequestError
from server.gloves.hosts import HostError, HostPattern, read_pattern

_CONTENTS = frozenset(("code", "tier", "inputs_schema", "examples", "limits", "allowed_hosts"))


@dataclass(frozen=True, slots=True)
class Draft:
    """A version's code and contract as asked for. `limits` has those that are not to be the default."""

    code: str
    tier: str
    inputs_schema: Mapping[str, Any] | None
    examples: Sequence[Mapping[str, Any]]
    limits: Mapping[str, int]
    allowed_hosts: Sequence[str] = ()


def draft_of(asked: CreateAgent) -> Draft:
    """The first version of an agent that is created from code. Raises InvalidRequestError where there is none."""
    if asked.code is None:
        raise refusal("/code", "is missing")
    return Draft(
        code=asked.code,
        tier=asked.tier,
        inputs_schema=asked.inputs_schema,
        examples=[example.model_dump(exclude_unset=True) for example in asked.examples],
        limits=asked.limits.model_dump(exclude_none=True),
        allowed_hosts=asked.allowed_hosts,
    )


def edited_draft(asked: EditAgent, current: NewVersion) -> Draft | None:
    """The current version with what is asked for changed; None where no part of a version is named."""
    named = asked.model_fields_set & _CONTENTS
    if not named:
        return None
    return Draft(
        code=asked.code if "code" in named else current.code,
        tier=asked.tier if "tier" in named else current.tier,
        inputs_schema=asked.inputs_schema if "inputs_schema" in named else current.inputs_schema,
        examples=[example.model_dump(exclude_unset=True) for example in asked.examples or []]
        if "examples" in named
        else current.examples,
        limits=_edited_limits(asked, current) if "limits" in named else current.limits,
        allowed_hosts=asked.allowed_hosts or () if "allowed_hosts" in named else current.allowed_hosts,
    )


def _edited_limits(asked: EditAgent, current: NewVersion) -> Mapping[str, int]:
    if asked.limits is None:
        return {}
    limits = {**current.limits, **asked.limits.model_dump(exclude_unset=True)}
    return {name: value for name, value in limits.items() if value is not None}


async def check_draft(draft: Draft, ceilings: Limits) -> Limits:
    """Check all of a draft but what its code says. Its limits, every one of them.

    Raises:
        InvalidRequestError: it is not acceptable; every place that is not, is named.
    """
    size = len(draft.code.encode())
    if size > SOURCE_BYTES_MAX:
        raise refusal("/code", f"is {size} bytes; at most {SOURCE_BYTES_MAX} are allowed")
    limits = resolve_limits(draft.limits, ceilings)
    if draft.inputs_schema is not None:
        check_input_schema(draft.inputs_schema)
    contract = InputContract(draft.inputs_schema)
    for index, example in enumerate(draft.examples):
        if RESERVED_INPUT in example["inputs"]:
            raise refusal(f"/examples/{index}/inputs/{RESERVED_INPUT}", "is a reserved name")
        await asyncio.sleep(0)  # each may take what a whole call may
        try:
            await contract.check(example["inputs"])
        except InvalidInputsError as exc:
            errors = [{**error, "path": f"/examples/{index}/inputs{error['path']}"} for error in exc.errors]
            raise InvalidRequestError(f"Example {index} does not fit inputs_schema.", errors) from exc
    return limits


def read_hosts(wanted: Sequence[str]) -> tuple[HostPattern, ...]:
    """What `allowed_hosts` means, each entry once. Raises InvalidRequestError naming each entry that is none."""
    patterns: dict[HostPattern, None] = {}
    errors = []
    for index, text in enumerate(wanted):
        try:
            patterns[read_pattern(text)] = None
        except HostError as exc:
            errors.append({"path": f"/allowed_hosts/{index}", "message": str(exc)})
    if errors:
        raise InvalidRequestError("An entry of allowed_hosts is no host.", errors)
    return tuple(patterns)


def resolve_limits(wanted: Mapping[str, int], ceilings: Limits) -> Limits:
    """Every limit of a version: as asked, or its default where the ceiling allows it.

    Raises InvalidRequestError naming each limit above its ceiling.
    """
    highest = asdict(ceilings)
    errors = [
        {"path": f"/limits/{name}", "message": f"must be at most {highest[name]}"}
        for name, value in wanted.items()
        if value > highest[name]
    ]
    if errors:
        raise InvalidRequestError("A limit is above what this server allows.", errors)
    defaults = {name: min(value, highest[name]) for name, value in asdict(Limits()).items()}
    return Limits(**{**defaults, **wanted})


def refusal(path: str, message: str) -> InvalidRequestError:
    """One place that is not acceptable."""
    return InvalidRequestError(f"{path} {message}.", [{"path": path, "message": message}])
