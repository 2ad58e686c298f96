"""The bounded subset of JSON Schema that an agent's inputs may be described in, checked when the agent is created."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from server.errors import InvalidRequestError

SCHEMA_BYTES_MAX = 32 * 1024
SCHEMA_DEPTH_MAX = 8
RESERVED_INPUT = "test"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")

Finding = dict[str, str]


def check_input_schema(schema: Mapping[str, Any]) -> None:
    """Refuse a schema that is not of the subset, is too large or too deep, or names the reserved input.

    Raises:
        InvalidRequestError: `errors` has one object per offending place: `path`, a JSON pointer, and `message`.

    Source: JSON Schema 2020-12, core and validation; the subset has nothing that is slow to match (`pattern`,
    `uniqueItems`) or that refers elsewhere (`$ref`). `format` is an annotation, as the specification's default is.
    """
    size = len(json.dumps(schema, ensure_ascii=False).encode())
    if size > SCHEMA_BYTES_MAX:
        raise _refusal([_finding("/inputs_schema", f"is {size} bytes; at most {SCHEMA_BYTES_MAX} are allowed")])
    findings = list(_check(schema, "/inputs_schema", SCHEMA_DEPTH_MAX))
    if not findings:
        findings.extend(_check_root(schema))
    if findings:
        raise _refusal(findings)


def _refusal(findings: list[Finding]) -> InvalidRequestError:
    return InvalidRequestError("inputs_schema is not of the supported subset of JSON Schema 2020-12.", findings)


def _finding(path: str, message: str) -> Finding:
    return {"path": path, "message": message}


def _check_root(schema: Mapping[str, Any]) -> Iterator[Finding]:
    if schema.get("type", "object") != "object":
        yield _finding("/inputs_schema/type", "must be `object`: inputs are always an object")
    if RESERVED_INPUT in schema.get("properties", {}):
        yield _finding(f"/inputs_schema/properties/{RESERVED_INPUT}", "is a reserved name: it asks for a dry run")
    if RESERVED_INPUT in schema.get("required", ()):
        yield _finding("/inputs_schema/required", f"names {RESERVED_INPUT}, which is reserved")


def _check(schema: object, path: str, depth: int) -> Iterator[Finding]:
    if not isinstance(schema, Mapping):
        yield _finding(path, "must be an object")
        return
    if depth == 0:
        yield _finding(path, f"is nested more than {SCHEMA_DEPTH_MAX} schemas deep")
        return
    for keyword, value in schema.items():
        place = f"{path}/{_escaped(keyword)}"
        if (check := _VALUE_CHECKS.get(keyword)) is not None:
            if (message := check(value)) is not None:
                yield _finding(place, message)
        elif (walk := _SUBSCHEMAS.get(keyword)) is not None:
            yield from walk(value, place, depth - 1)
        else:
            yield _finding(place, "is not supported")


def _check_members(value: object, path: str, depth: int) -> Iterator[Finding]:
    if not isinstance(value, Mapping):
        yield _finding(path, "must be an object of schemas")
        return
    for name, schema in value.items():
        yield from _check(schema, f"{path}/{_escaped(name)}", depth)


def _check_alternatives(value: object, path: str, depth: int) -> Iterator[Finding]:
    if not isinstance(value, list) or not value:
        yield _finding(path, "must be a list of schemas, not empty")
        return
    for index, schema in enumerate(value):
        yield from _check(schema, f"{path}/{index}", depth)


def _check_schema_or_boolean(value: object, path: str, depth: int) -> Iterator[Finding]:
    if not isinstance(value, bool):
        yield from _check(value, path, depth)


def _escaped(name: str) -> str:
    """A JSON pointer's reference token (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def _type(value: object) -> str | None:
    names = value if isinstance(value, list) else [value]
    if not names or any(name not in TYPES for name in names) or len(set(map(str, names))) != len(names):
        return f"must be one of {', '.join(TYPES)}, or a list of them"
    return None


def _string(value: object) -> str | None:
    return None if isinstance(value, str) else "must be a string"


def _dialect(value: object) -> str | None:
    return None if value in (DIALECT, f"{DIALECT}#") else f"must be {DIALECT}"


def _names(value: object) -> str | None:
    fits = isinstance(value, list) and all(isinstance(name, str) for name in value) and len(set(value)) == len(value)
    return None if fits else "must be a list of distinct names"


def _number(value: object) -> str | None:
    return None if isinstance(value, (int, float)) and not isinstance(value, bool) else "must be a number"


def _count(value: object) -> str | None:
    fits = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return None if fits else "must be a whole number, 0 or more"


def _values(value: object) -> str | None:
    return None if isinstance(value, list) and value else "must be a list, not empty"


def _list(value: object) -> str | None:
    return None if isinstance(value, list) else "must be a list"


def _anything(_value: object) -> str | None:
    return None


_VALUE_CHECKS: Mapping[str, Callable[[object], str | None]] = {
    "$schema": _dialect,
    "type": _type,
    "title": _string,
    "description": _string,
    "format": _string,
    "default": _anything,
    "examples": _list,
    "enum": _values,
    "const": _anything,
    "required": _names,
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _number),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), _count),
}
_SUBSCHEMAS: Mapping[str, Callable[[object, str, int], Iterator[Finding]]] = {
    "properties": _check_members,
    "items": _check,
    "additionalProperties": _check_schema_or_boolean,
    **dict.fromkeys(("anyOf", "oneOf", "allOf"), _check_alternatives),
}
