"""How many values a text has is told without parsing it; what is told is what a parser would find."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.json_text import ENCODED_INLINE_BYTES_MAX, encode, has_more_values, is_deeper

texts = st.text(st.sampled_from('",[]{}:\\\n a\u00e9'), max_size=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=40,
)


def marks(value: Any) -> int:
    """Objects, lists and the commas in them."""
    if not isinstance(value, dict | list):
        return 0
    items = value.values() if isinstance(value, dict) else value
    return 1 + max(0, len(value) - 1) + sum(map(marks, items))


@given(values, st.booleans())
def test_marks_in_texts_are_not_counted(value: Any, ascii_only: bool) -> None:
    text, count = json.dumps(value, ensure_ascii=ascii_only).encode(), marks(value)

    assert not has_more_values(text, count)
    assert count == 0 or has_more_values(text, count - 1)


@pytest.mark.parametrize(
    "text", [b'["' + b'\\"' * 100 + b'"]', b'["' + b"," * 100 + b'"]', b'["' + b"\\\\" * 100 + b'"]']
)
def test_a_text_of_marks_is_one_value(text: bytes) -> None:
    assert not has_more_values(text, 1)


@pytest.mark.parametrize("value", [[], [[]], [[[]], 1], {"a": {"b": []}}, 1, "[[["])
def test_depth_counts_containers_one_in_the_other(value: Any) -> None:
    depth = {"[]": 1, "[[]]": 2, "[[[]], 1]": 3, '{"a": {"b": []}}': 3}.get(json.dumps(value), 0)

    assert not is_deeper(value, depth)
    assert depth == 0 or is_deeper(value, depth - 1)


@pytest.mark.parametrize("size_bytes", [0, ENCODED_INLINE_BYTES_MAX + 1])
async def test_small_and_large_are_encoded_alike(size_bytes: int) -> None:
    assert await encode({"a": [1, 2.5, None, "\u00e9"]}, size_bytes) == '{"a":[1,2.5,null,"\u00e9"]}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        await encode(float("nan"), size_bytes)
