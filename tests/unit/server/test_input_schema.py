from typing import Any

import pytest

from server.agents.input_schema import SCHEMA_DEPTH_MAX, check_input_schema
from server.errors import InvalidRequestError


def paths(schema: dict[str, Any]) -> list[str]:
    with pytest.raises(InvalidRequestError) as refusal:
        check_input_schema(schema)
    return [error["path"].removeprefix("/inputs_schema") for error in refusal.value.errors]


def nested(depth: int) -> dict[str, Any]:
    return {"properties": {"x": nested(depth - 1)}} if depth > 1 else {}


def test_a_schema_of_the_whole_subset_is_accepted() -> None:
    check_input_schema(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "title": "t",
            "description": "d",
            "required": ["a"],
            "minProperties": 1,
            "properties": {
                "a": {"type": ["integer", "null"], "minimum": 0, "exclusiveMaximum": 1.5, "default": 1},
                "b": {"type": "array", "items": {"type": "string", "maxLength": 3, "format": "date"}, "minItems": 1},
                "c": {"anyOf": [{"enum": [1, "x", None]}, {"const": True}], "examples": [1]},
            },
            "additionalProperties": False,
        }
    )


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"properties": {"x": {"pattern": "(a+)+$"}}}, "/properties/x/pattern"),
        ({"$ref": "https://example.com/schema"}, "/$ref"),
        ({"$ref": "#"}, "/$ref"),
        ({"$defs": {}}, "/$defs"),
        ({"patternProperties": {}}, "/patternProperties"),
        ({"uniqueItems": True}, "/uniqueItems"),
        ({"not": {}}, "/not"),
        ({"type": "array"}, "/type"),
        ({"type": "date"}, "/type"),
        ({"type": []}, "/type"),
        ({"type": ["string", "string"]}, "/type"),
        ({"type": {}}, "/type"),
        ({"required": "name"}, "/required"),
        ({"required": ["a", "a"]}, "/required"),
        ({"required": [["a"]]}, "/required"),
        ({"properties": []}, "/properties"),
        ({"properties": {"a": True}}, "/properties/a"),
        ({"properties": {"a": {"minimum": True}}}, "/properties/a/minimum"),
        ({"properties": {"a": {"minLength": -1}}}, "/properties/a/minLength"),
        ({"properties": {"a": {"enum": []}}}, "/properties/a/enum"),
        ({"properties": {"a/b": {"anyOf": []}}}, "/properties/a~1b/anyOf"),
        ({"properties": {"a": {"oneOf": [1]}}}, "/properties/a/oneOf/0"),
        ({"properties": {"a": {"items": [{}]}}}, "/properties/a/items"),
        ({"additionalProperties": "no"}, "/additionalProperties"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "/$schema"),
        ({"properties": {"test": {}}}, "/properties/test"),
        ({"required": ["test"]}, "/required"),
    ],
)
def test_what_is_outside_the_subset_is_refused_at_its_place(schema: dict[str, Any], path: str) -> None:
    assert paths(schema) == [path]


def test_every_offending_place_is_named() -> None:
    assert paths({"type": "date", "properties": {"a": {"pattern": "x"}, "b": {"not": {}}}}) == [
        "/type",
        "/properties/a/pattern",
        "/properties/b/not",
    ]


def test_nesting_is_bounded() -> None:
    check_input_schema(nested(SCHEMA_DEPTH_MAX))

    assert len(paths(nested(SCHEMA_DEPTH_MAX + 1))) == 1


def test_size_is_bounded() -> None:
    assert paths({"description": "x" * 40_000}) == [""]
