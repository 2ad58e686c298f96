import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.agents.same_json import is_same_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_value_is_the_same_as_itself_read_again_in_another_order(value: Any) -> None:
    text = json.dumps(value, sort_keys=True)

    assert is_same_json(value, json.loads(text))
    assert not is_same_json(value, [value])


@pytest.mark.parametrize(
    ("one", "other"), [(1, True), (0, False), (None, False), ("1", 1), ([1], [1, 1]), ({"a": 1}, {"b": 1}), ({}, [])]
)
def test_values_of_another_kind_or_shape_are_not_the_same(one: Any, other: Any) -> None:
    assert not is_same_json(one, other)
    assert not is_same_json({"x": [other]}, {"x": [one]})


def test_numbers_are_compared_by_value() -> None:
    assert is_same_json([1, 1e2, -0.0], [1.0, 100, 0])
    assert not is_same_json(2**53 + 1, float(2**53))


def test_values_nested_deeper_than_the_stack_are_compared() -> None:
    one: Any = []
    other: Any = []
    for _ in range(100_000):
        one, other = [one], [other]
    same = is_same_json(one, other)
    for value in (one, other):  # taken apart here: letting go of them whole recurses
        while value:
            value = value.pop()

    assert same
