import gc
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from server.agents.input_contract import ERRORS_MAX, InputContract
from server.errors import InvalidInputsError
from tests.support.garbage import nothing_collected


def contract(**properties: Any) -> InputContract:
    return InputContract({"type": "object", "properties": properties})


@pytest.mark.parametrize(
    ("schema", "texts", "expected"),
    [
        ({"type": "integer"}, ["7"], 7),
        ({"type": "integer"}, ["-7"], -7),
        ({"type": "integer"}, ["007"], "007"),
        ({"type": "integer"}, ["7.0"], "7.0"),
        ({"type": "integer"}, ["٣"], "٣"),
        ({"type": "integer"}, ["9" * 5000], "9" * 5000),
        ({"type": "number"}, ["1.5"], 1.5),
        ({"type": "number"}, ["2"], 2),
        ({"type": "number"}, ["1e3"], 1000.0),
        ({"type": "number"}, ["1e999"], "1e999"),
        ({"type": "number"}, ["NaN"], "NaN"),
        ({"type": "number"}, ["Infinity"], "Infinity"),
        ({"type": "number"}, ["0x10"], "0x10"),
        ({"type": "boolean"}, ["true"], True),
        ({"type": "boolean"}, ["0"], False),
        ({"type": "boolean"}, ["True"], "True"),
        ({"type": "string"}, ["7"], "7"),
        ({"type": ["string", "integer"]}, ["007"], "007"),
        ({"type": ["integer", "null"]}, [""], None),
        ({"type": ["integer", "null"]}, ["3"], 3),
        ({"type": ["string", "null"]}, ["null"], "null"),
        ({"enum": [1, 2]}, ["2"], 2),
        ({"const": True}, ["true"], True),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, ["5"], 5),
        ({"type": "array", "items": {"type": "integer"}}, ["1"], [1]),
        ({"type": "array", "items": {"type": "integer"}}, ["1", "2"], [1, 2]),
        ({"type": "array", "items": {"type": "integer"}}, ["1", "x"], [1, "x"]),
        ({"type": "array"}, ["1"], ["1"]),
        ({"type": ["array", "string"]}, ["1"], "1"),
        ({"type": ["array", "string"]}, ["1", "2"], ["1", "2"]),
        ({"anyOf": [{"type": "array", "items": {"type": "number"}}, {"type": "null"}]}, ["1.5"], [1.5]),
        ({"type": "string"}, ["a", "b"], ["a", "b"]),
        ({}, ["a"], "a"),
    ],
)
def test_a_text_becomes_what_its_schema_says(schema: dict[str, Any], texts: list[str], expected: object) -> None:
    read = contract(x=schema).read_texts({"x": texts})

    assert read == {"x": expected}
    assert type(read["x"]) is type(expected)


def test_without_a_schema_texts_stay_texts_and_repeats_become_lists() -> None:
    assert InputContract(None).read_texts({"a": ["1"], "b": ["1", "2"]}) == {"a": "1", "b": ["1", "2"]}


def test_undeclared_names_are_read_as_additional_properties_say() -> None:
    anything = InputContract({"additionalProperties": {"type": "integer"}})

    assert anything.read_texts({"a": ["1"]}) == {"a": 1}


async def test_inputs_that_fit_pass() -> None:
    schema = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer", "minimum": 0}}}

    await InputContract(schema).check({"n": 1})


async def test_a_refusal_points_at_each_place() -> None:
    schema = {
        "type": "object",
        "required": ["name"],
        "properties": {"a/b": {"type": "array", "items": {"type": "integer"}}},
        "additionalProperties": False,
    }

    with pytest.raises(InvalidInputsError) as refusal:
        await InputContract(schema).check({"a/b": [1, "x"], "more": 1})

    assert {error["path"] for error in refusal.value.errors} == {"", "/a~1b/1"}
    assert any("'name' is a required property" in error["message"] for error in refusal.value.errors)


async def test_a_refusal_names_a_bounded_number_of_places_and_repeats_no_large_input() -> None:
    schema = {"additionalProperties": {"type": "integer"}}

    with pytest.raises(InvalidInputsError) as refusal:
        await InputContract(schema).check({f"k{index}": "x" * 1000 for index in range(100)})

    assert len(refusal.value.errors) == ERRORS_MAX
    assert all(len(error["message"]) < 250 for error in refusal.value.errors)


@pytest.mark.parametrize(
    ("schema", "inputs"),
    [
        (
            {"properties": {"x": {"items": {"anyOf": [{"const": n} for n in range(2000)]}}}},
            {"x": [-1] * 200_000},
        ),
        ({"properties": {"x": {"items": {"enum": list(range(5000))}}}}, {"x": [-1] * 200_000}),
        (
            {"properties": {"x": {"anyOf": [{"type": "string"}] * 1500}}},
            {"x": [{"k": "v" * 50}] * 15_000},
        ),
    ],
)
async def test_no_schema_times_no_inputs_costs_more_than_its_budget(
    schema: dict[str, Any], inputs: dict[str, Any]
) -> None:
    started = time.process_time()

    with pytest.raises(InvalidInputsError):
        await InputContract(schema).check(inputs)

    assert time.process_time() - started < 2


async def test_what_alternatives_refused_is_left_to_no_collector() -> None:
    contract = InputContract({"additionalProperties": {"anyOf": [{"const": n} for n in range(1_000)]}})

    with nothing_collected():
        with pytest.raises(InvalidInputsError):
            await contract.check({f"i{n}": -1 for n in range(20_000)})

        assert gc.collect() < 1_000  # if they hung together, some 16 for each that did not fit


async def test_large_inputs_that_fit_a_simple_schema_pass() -> None:
    schema = {"properties": {"x": {"type": "array", "items": {"type": "integer"}}}}

    await InputContract(schema).check({"x": list(range(20_000))})


SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=3)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("xy", max_size=1), inner, max_size=3),
    max_leaves=6,
)
SCHEMAS = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["object", "array", "string", "integer", "null"]),
            "minimum": st.integers(-2, 2),
            "maxLength": st.integers(0, 2),
            "enum": st.lists(SCALARS, min_size=1, max_size=3),
        },
    ),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.text("xy", max_size=1), inner, max_size=2),
            "items": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "additionalProperties": st.booleans() | inner,
        },
    ),
    max_leaves=5,
)


@given(schema=SCHEMAS, inputs=st.dictionaries(st.text("xy", max_size=1), VALUES, max_size=3))
async def test_counting_changes_no_verdict(schema: dict[str, Any], inputs: dict[str, Any]) -> None:
    expected = Draft202012Validator(schema).is_valid(inputs)

    try:
        await InputContract(schema).check(inputs)
        verdict = True
    except InvalidInputsError:
        verdict = False

    assert verdict is expected
