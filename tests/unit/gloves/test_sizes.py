import json

import pytest

from sandbox.types import JsonValue
from server.gloves.sizes import VALUE_BYTES, is_small, measure, size_of


@pytest.mark.parametrize(
    ("value", "values"),
    [(None, 1), ("\u00fc", 1), ([], 1), ({}, 1), ([1, [2, {"a": 3}]], 6), ({"a": {"b": "c"}, "d": [0] * 3}, 7)],
)
def test_each_value_counts_beside_its_text(value: JsonValue, values: int) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    assert size_of(value) == len(text) + VALUE_BYTES * values


@pytest.mark.parametrize(
    "value", ["x" * 1_000_000, [0] * 100_000, {str(n): n for n in range(100_000)}, [[[0] * 50] * 50] * 50]
)
async def test_a_large_value_is_measured_all_the_same(value: JsonValue) -> None:
    assert not is_small(value)
    assert await measure(value) == size_of(value)


@pytest.mark.parametrize("value", [None, "x" * 1_000, {"key": "k", "value": [1, 2, 3], "tags": ["a"]}])
async def test_a_small_value_is_measured_at_once(value: JsonValue) -> None:
    assert is_small(value)
    assert await measure(value) == size_of(value)
