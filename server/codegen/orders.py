"""What is to be made: from what a caller asks for to the model's task and the examples that must come out."""

from collections.abc import Mapping, Sequence
from typing import Any

from agents_store.generations import Engine
from agents_store.types import AgentDetail, NewVersion, Principal
from server.agents.drafts import Draft, draft_of, refusal
from server.agents.names import is_agent_name
from server.agents.schemas import CreateAgent, Example
from server.codegen.answers import TriedExample
from server.codegen.loop import Order
from server.codegen.prompt import creation_text, fixed_text, revision_text
from server.codegen.schemas import ReviseAgent
from server.gloves.hosts import HostError, Origin, read_pattern

# Any program: what a caller named is checked before a model is paid to write one.
_PLACEHOLDER_CODE = "def run(inputs):\n    return inputs\n"


def creation_contract(asked: CreateAgent) -> Draft:
    """Everything but the code of what a caller asks for. Raises InvalidRequestError."""
    if not is_agent_name(asked.agent_name):
        raise refusal("/agent_name", "looks like a UUID; choose a name that does not")
    if not asked.description.strip():
        raise refusal("/description", "is what a model writes the code from; give it, or give code")
    return draft_of(asked.model_copy(update={"code": _PLACEHOLDER_CODE}))


def creation_order(principal: Principal, engine: Engine, asked: CreateAgent, contract: Draft) -> Order:
    """A new agent, as the caller describes it."""
    pinned = _pinned(asked.examples)
    task = creation_text(
        agent_name=asked.agent_name,
        description=asked.description,
        inputs_schema=contract.inputs_schema,
        examples=pinned,
        allowed_hosts=contract.allowed_hosts,
        tier=contract.tier,
        limits=contract.limits,
    )
    return Order(
        principal=principal,
        engine=engine,
        fixed=fixed_text(engine),
        task=task,
        tier=contract.tier,
        limits=contract.limits,
        allowed_hosts=contract.allowed_hosts,
        inputs_schema=contract.inputs_schema,
        pinned=pinned,
    )


def split_examples(
    examples: Sequence[Mapping[str, Any]], asked: ReviseAgent
) -> tuple[list[TriedExample], list[TriedExample]]:
    """A version's examples that must still hold, with those that the caller adds, and those that may change.

    Raises InvalidRequestError where the caller names an example that the version does not have.
    """
    unknown = [index for index in asked.may_change if index >= len(examples)]
    if unknown:
        raise refusal("/may_change", f"names example {unknown[0]}, and the agent has {len(examples)}")
    known = [_owned(example) for example in examples]
    kept = [example for index, example in enumerate(known) if index not in asked.may_change]
    return [*kept, *_pinned(asked.examples)], [known[index] for index in sorted(set(asked.may_change))]


def revision_contract(current: NewVersion, pinned: Sequence[TriedExample]) -> Draft:
    """What a new version has of the current one; its schema is the model's to change."""
    return Draft(
        code=current.code,
        tier=current.tier,
        inputs_schema=None,
        examples=[example.to_json() for example in pinned],
        limits=current.limits,
        allowed_hosts=current.allowed_hosts,
    )


def revision_order(
    principal: Principal,
    engine: Engine,
    asked: ReviseAgent,
    current: AgentDetail,
    contract: Draft,
    pinned: Sequence[TriedExample],
    free: Sequence[TriedExample],
) -> Order:
    """A new version of an agent, as the caller instructs."""
    task = revision_text(
        agent_name=current.agent.agent_name,
        instruction=asked.instruction,
        current=current.version,
        kept=pinned,
        free=free,
    )
    return Order(
        principal=principal,
        engine=engine,
        fixed=fixed_text(engine),
        task=task,
        tier=contract.tier,
        limits=contract.limits,
        allowed_hosts=contract.allowed_hosts,
        inputs_schema=None,
        pinned=pinned,
        agent_id=current.agent.id,
    )


def proposed_hosts(wanted: Sequence[str], allowed: Sequence[str]) -> list[str]:
    """The hosts that a model wants and its caller did not name; whoever wants one allows it by editing the agent.

    What is no host is left out: nobody could allow it.
    """
    patterns = [read_pattern(text) for text in allowed]
    proposed: dict[str, None] = {}
    for text in wanted:
        try:
            pattern = read_pattern(text)
        except HostError:
            continue
        origin = Origin(pattern.scheme, pattern.host, pattern.port)
        if pattern not in patterns and (pattern.any_below or not any(known.matches(origin) for known in patterns)):
            proposed[str(pattern)] = None
    return list(proposed)


def _pinned(examples: Sequence[Example]) -> list[TriedExample]:
    return [_owned(example.model_dump(exclude_unset=True)) for example in examples]


def _owned(example: Mapping[str, Any]) -> TriedExample:
    return TriedExample(example["inputs"], example.get("expect"), own=True, expects="expect" in example)
