"""What a call asks for: dry or live, and with which inputs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.agents.input_contract import InputContract
from server.errors import InvalidRequestError
from server.gloves.mocks import Mocks

TEST = "test"
_DRY = dict.fromkeys(("", "1", "true", "yes", "on"), True) | dict.fromkeys(("0", "false", "no", "off"), False)


@dataclass(frozen=True, slots=True)
class Asked:
    """The inputs as they were written. Either `texts`, from a query, or `inputs`, from a body, is set.

    `mocks` are what a dry run's effects are to answer.
    """

    texts: Mapping[str, Sequence[str]] | None = None
    inputs: Mapping[str, Any] | None = None
    mocks: Mocks = field(default_factory=Mocks)

    async def inputs_for(self, contract: InputContract) -> Mapping[str, Any]:
        """The inputs as the contract reads them. Raises InvalidInputsError when they do not fit it."""
        inputs = self.inputs if self.inputs is not None else contract.read_texts(self.texts or {})
        await contract.check(inputs)
        return inputs


def read_test(pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether a query asks for a dry run.

    Raises:
        InvalidRequestError: `test` is given twice, or has a value that says neither.
    """
    values = [value for name, value in pairs if name == TEST]
    if not values:
        return False
    if len(values) > 1:
        raise InvalidRequestError("The query has `test` more than once.", [_finding("is given more than once")])
    dry = _DRY.get(values[0])
    if dry is None:
        allowed = "empty, 1, true, yes or on for a dry run; 0, false, no or off for a live one"
        raise InvalidRequestError(
            "`test` has a value that means neither dry nor live.", [_finding(f"must be {allowed}")]
        )
    return dry


def asked_by_query(pairs: Sequence[tuple[str, str]]) -> Asked:
    """What a GET asks for: every query parameter but `test` is an input."""
    texts: dict[str, list[str]] = {}
    for name, value in pairs:
        if name != TEST:
            texts.setdefault(name, []).append(value)
    return Asked(texts=texts)


def refuse_other_parameters(pairs: Sequence[tuple[str, str]]) -> None:
    """Raise InvalidRequestError when the query of a POST has more than `test`: its body is exactly the inputs."""
    others = sorted({name for name, _ in pairs if name != TEST})
    if others:
        errors = [{"path": f"query/{name}", "message": "is not known here"} for name in others[:10]]
        raise InvalidRequestError("The query of a POST may only have `test`; inputs are the body.", errors)


def _finding(message: str) -> dict[str, str]:
    return {"path": f"query/{TEST}", "message": message}
