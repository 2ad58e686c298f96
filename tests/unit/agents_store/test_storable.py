import json
from collections import UserDict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents_store.postgres.storable import storable_json


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ({"a": [1, 2.5, None, True, "\u00fc \U0001f600"]}, {"a": [1, 2.5, None, True, "\u00fc \U0001f600"]}),
        ("a\0b", "a\ufffdb"),
        ("\\u0000", "\\u0000"),
        ("half \ud800", "half \ufffd"),
        ({"k\0": ["\udfff"]}, {"k\ufffd": ["\ufffd"]}),
        ([float("nan"), float("inf")], ["nan", "inf"]),
        ((1, 2), [1, 2]),
        (UserDict(a=1), {"a": 1}),
        (object(), "object"),
    ],
)
def test_what_postgresql_cannot_store_is_replaced_and_nothing_else(value: Any, stored: Any) -> None:
    text = storable_json(value)

    assert json.loads(text) == stored
    text.encode()


def test_a_number_that_python_does_not_spell_out_is_hexadecimal() -> None:
    assert json.loads(storable_json([2**20_000])) == [hex(2**20_000)]


def test_what_is_nested_too_deep_is_cut() -> None:
    value: Any = 1
    for _ in range(100_000):
        value = [value]

    text = storable_json(value)

    assert 200 < text.count("[") < 300


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_whatever_is_given_becomes_json_that_can_be_stored(value: Any) -> None:
    text = storable_json(value)

    text.encode()
    assert "\0" not in repr(json.loads(text))
    json.dumps(json.loads(text), allow_nan=False)
