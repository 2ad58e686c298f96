"""A version's input schema, compiled once: what text means as a value, and whether inputs fit."""

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from sandbox.offload import offload
from server.errors import InvalidInputsError

ERRORS_MAX = 10
MESSAGE_CHARS_MAX = 200
STEPS_INLINE_MAX = 2_000  # about 5 ms of the event loop
STEPS_MAX = 100_000  # about 800 ms of a thread at worst
ERROR_STEPS = 25  # making an error takes that much longer than a check, and leaves as much to collect
NUMBER_CHARS_MAX = 400

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)", re.ASCII)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
_SCALARS = frozenset(("string", "integer", "number", "boolean"))
_WALKS_INSTANCE = frozenset(("items", "additionalProperties"))
_ALTERNATIVES = ("anyOf", "oneOf", "allOf")


class TooManyStepsError(Exception):
    """Checking these inputs against this schema costs more than is allowed."""


class _Steps:
    """How much one validation may still cost."""

    def __init__(self, left: int) -> None:
        self.left = left

    def spend(self, steps: int) -> None:
        self.left -= steps
        if self.left < 0:
            raise TooManyStepsError


_steps: ContextVar[_Steps] = ContextVar("_steps")


def _counted(keyword: str, check: Any) -> Any:
    """A keyword's check that pays for what it does, so that no schema times no inputs holds a processor for long."""

    def counted(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        steps = _steps.get()
        steps.spend(1 + _length(value) + (_length(instance) if keyword in _WALKS_INSTANCE else 0))
        for error in check(validator, value, instance, schema) or ():
            steps.spend(ERROR_STEPS + (len(error.message) >> 6))  # a message has the whole instance in it
            _leave_behind(error)
            yield error

    return counted


def _leave_behind(error: ValidationError) -> None:
    """Part an error from those of its alternatives, which nobody reads.

    They refer to each other in rings, which only the collector frees, and it holds every thread until it has walked
    them all: some 60 ms for as many as one validation may make.
    """
    for alternative in error.context:
        alternative.parent = None
    error.context.clear()


def _length(value: object) -> int:
    return len(value) if isinstance(value, (list, dict)) else 0


_Validator = extend(  # type: ignore[no-untyped-call] # the stubs leave it untyped
    Draft202012Validator,
    {keyword: _counted(keyword, check) for keyword, check in Draft202012Validator.VALIDATORS.items()},
)


@dataclass(frozen=True, slots=True)
class _Reading:
    """How text is read where a schema stands: the types that it allows, and the reading of an array's items."""

    types: frozenset[str]
    items: "_Reading | None" = None


class InputContract:
    """One version's input schema, already checked to be of the supported subset; None takes any inputs."""

    def __init__(self, schema: Mapping[str, Any] | None) -> None:
        self._validator = None if schema is None else _Validator(dict(schema))
        self._readings = {} if schema is None else _readings(schema)
        rest = None if schema is None else schema.get("additionalProperties")
        self._rest = _reading(rest) if isinstance(rest, dict) else None

    def read_texts(self, texts: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """Inputs from named texts, as a query has them.

        Each text becomes what its schema says where it can be read so, and stays text otherwise. A name given several
        times is a list, and so is a single one where the schema allows an array and no scalar.
        """
        return {name: _read(self._readings.get(name, self._rest), values) for name, values in texts.items()}

    async def check(self, inputs: Mapping[str, Any]) -> None:
        """Raise InvalidInputsError unless the inputs fit; at most `ERRORS_MAX` places are named."""
        if self._validator is None:
            return
        try:
            errors = self._errors(inputs, STEPS_INLINE_MAX)
        except TooManyStepsError:
            try:
                errors = await offload(lambda: self._errors(inputs, STEPS_MAX))
            except TooManyStepsError as exc:
                raise InvalidInputsError("The inputs are too large to be checked against the agent's schema.") from exc
        if errors:
            raise InvalidInputsError("The inputs do not fit the agent's inputs_schema.", errors)

    def _errors(self, inputs: Mapping[str, Any], steps_max: int) -> list[dict[str, str]]:
        if self._validator is None:
            return []
        token = _steps.set(_Steps(steps_max))
        try:
            found = itertools.islice(self._validator.iter_errors(inputs), ERRORS_MAX)
            return [{"path": _pointer(error), "message": _message(error)} for error in found]
        finally:
            _steps.reset(token)


def _pointer(error: ValidationError) -> str:
    """Where it is, as a JSON pointer into the inputs (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in error.absolute_path)


def _message(error: ValidationError) -> str:
    if len(error.message) <= MESSAGE_CHARS_MAX:
        return error.message
    return f"does not meet {error.validator!r} of the schema"


def _readings(schema: Mapping[str, Any]) -> dict[str, _Reading]:
    found: dict[str, _Reading] = {}
    for part in (*itertools.chain.from_iterable(schema.get(name, ()) for name in _ALTERNATIVES), schema):
        found.update({name: _reading(member) for name, member in part.get("properties", {}).items()})
    return found


def _reading(schema: Mapping[str, Any]) -> _Reading:
    parts = [_reading(part) for name in _ALTERNATIVES for part in schema.get(name, ())]
    types = frozenset(_own_types(schema)).union(*(part.types for part in parts))
    items = schema.get("items")
    if items is not None:
        return _Reading(types, _reading(items))
    return _Reading(types, next((part.items for part in parts if part.items is not None), None))


def _own_types(schema: Mapping[str, Any]) -> Iterator[str]:
    declared = schema.get("type")
    if declared is not None:
        yield from [declared] if isinstance(declared, str) else declared
        return
    for value in (*schema.get("enum", ()), *([schema["const"]] if "const" in schema else ())):
        yield _type_name(value)


def _type_name(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    names = {str: "string", int: "integer", float: "number", list: "array", dict: "object"}
    return names.get(type(value), "null")


def _read(reading: _Reading | None, values: Sequence[str]) -> Any:
    if reading is None:
        return values[0] if len(values) == 1 else list(values)
    as_list = len(values) > 1 or ("array" in reading.types and not reading.types & _SCALARS)
    if not as_list:
        return _read_scalar(reading, values[0])
    items = reading.items
    return [value if items is None else _read_scalar(items, value) for value in values]


def _read_scalar(reading: _Reading, text: str) -> Any:
    types = reading.types
    if "null" in types and text in ("", "null") and "string" not in types:
        return None
    if "string" in types:
        return text
    if "integer" in types and len(text) <= NUMBER_CHARS_MAX and _INTEGER.fullmatch(text):
        return int(text)
    if "number" in types and len(text) <= NUMBER_CHARS_MAX and _NUMBER.fullmatch(text):
        number = float(text) if any(mark in text for mark in ".eE") else int(text)
        return number if math.isfinite(number) else text
    if "boolean" in types:
        return _BOOLEANS.get(text, text)
    return text
