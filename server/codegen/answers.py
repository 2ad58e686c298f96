"""What a model answers: asked for as a typed structure, and read as text of a stranger."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox.types import SOURCE_BYTES_MAX
from server.bodies import parse_json
from server.codegen.attempts import Finding
from server.errors import InvalidRequestError
from server.gloves.mocks import MOCKS_MAX, STATUS_MAX, STATUS_MIN

ANSWER_BYTES_MAX = 1024 * 1024
OWN_EXAMPLES_MAX = 10  # of the model; the caller's count apart
HOSTS_MAX = 20


class FetchText(BaseModel):
    """What one fetch of an example is answered."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    method: str = Field(max_length=16)
    url: str = Field(max_length=8_192, description="as the program writes it, without params")
    status: int = Field(ge=STATUS_MIN, le=STATUS_MAX)
    body: str


class ExampleText(BaseModel):
    """An example. Any JSON value is text here: a structured answer has no place for values of unknown shape."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    inputs: str = Field(description="JSON text of the inputs, an object")
    expect: str = Field(description="JSON text of exactly what run returns for them")
    fetches: list[FetchText] = Field(
        max_length=MOCKS_MAX, description="what ctx.fetch is answered in this example; usually empty"
    )


class AgentText(BaseModel):
    """An agent, as the model is asked to write it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    summary: str = Field(description="one line that says what the agent does")
    code: str = Field(description="the whole Python program")
    inputs_schema: str = Field(description="JSON text of the JSON Schema of the inputs")
    examples: list[ExampleText] = Field(description="at least three, one of them an edge case")
    hosts: list[str] = Field(description="every host that the agent fetches from")
    tier: Literal["monty", "restricted", "docker"] = Field(description="the smallest sandbox that it fits")


@dataclass(frozen=True, slots=True)
class TriedExample:
    """Inputs, what is expected of them, what fetches are answered meanwhile.

    `own`: the caller's, not the model's. Where `expects` is False, whatever comes out is right.
    """

    inputs: Mapping[str, Any]
    expect: Any
    own: bool
    fetches: Sequence[FetchText] = ()
    expects: bool = True

    def to_json(self) -> dict[str, Any]:
        """As a version keeps it."""
        return {"inputs": self.inputs, "expect": self.expect} if self.expects else {"inputs": self.inputs}


@dataclass(frozen=True, slots=True)
class Proposal:
    """A model's answer that could be read. Nothing in it was checked any further."""

    summary: str
    code: str
    inputs_schema: Mapping[str, Any]
    examples: Sequence[TriedExample]
    hosts: Sequence[str]
    tier: str


class UnreadableAnswerError(Exception):
    """The answer is not of the form that was asked for. `findings` say where. Never leaves this package."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(findings[0].message)
        self.findings = findings


def read_answer(text: str) -> Proposal:
    """Read a whole answer. Raises UnreadableAnswerError."""
    try:
        told = AgentText.model_validate(_json(text, "The answer"))
    except ValidationError as exc:
        places = [".".join(str(part) for part in error["loc"]) + ": " + error["msg"] for error in exc.errors()[:10]]
        raise UnreadableAnswerError([_unreadable(f"The answer has another form: {place}") for place in places]) from exc
    if len(told.code.encode()) > SOURCE_BYTES_MAX:
        raise UnreadableAnswerError([_unreadable(f"The code has more than {SOURCE_BYTES_MAX} bytes.")])
    schema = _json(told.inputs_schema, "inputs_schema")
    if not isinstance(schema, dict):
        raise UnreadableAnswerError([_unreadable("inputs_schema is not the text of a JSON object.")])
    return Proposal(
        summary=" ".join(told.summary.split())[:500],
        code=told.code,
        inputs_schema=schema,
        examples=[_example(index, example) for index, example in enumerate(told.examples[:OWN_EXAMPLES_MAX])],
        hosts=[host[:253] for host in told.hosts[:HOSTS_MAX]],
        tier=told.tier,
    )


def _example(index: int, told: ExampleText) -> TriedExample:
    inputs = _json(told.inputs, f"examples[{index}].inputs")
    if not isinstance(inputs, dict):
        raise UnreadableAnswerError([_unreadable(f"examples[{index}].inputs is not the text of a JSON object.")])
    return TriedExample(inputs, _json(told.expect, f"examples[{index}].expect"), own=False, fetches=told.fetches)


def _json(text: str, what: str) -> Any:
    try:
        return parse_json(text.encode())
    except InvalidRequestError as exc:
        raise UnreadableAnswerError([_unreadable(exc.detail.replace("The body", what))]) from exc
    except UnicodeEncodeError as exc:
        raise UnreadableAnswerError([_unreadable(f"{what} holds half a surrogate pair.")]) from exc


def _unreadable(message: str) -> Finding:
    return Finding("answer", message)


def encoded(value: object) -> str:
    """JSON text for a model to read."""
    return json.dumps(value, ensure_ascii=False, indent=1)
