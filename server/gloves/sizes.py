"""How large JSON values are, found out without holding the event loop."""

import json

from sandbox.offload import offload
from sandbox.types import JsonValue

NODES_INLINE_MAX = 2_000
VALUE_BYTES = 16  # walking, encoding and storing small values costs more than their text tells
CHARS_INLINE_MAX = 128 * 1024  # encoding that much takes about a millisecond


def is_small(value: object) -> bool:
    """Whether a value is quickly walked and encoded. Looks at a bounded part of it."""
    pending, nodes, chars = [value], 0, 0
    while pending:
        item = pending.pop()
        nodes += 1
        if isinstance(item, str):
            chars += len(item)
        elif isinstance(item, dict):
            if len(item) > NODES_INLINE_MAX:
                return False
            chars += sum(map(len, item))
            pending.extend(item.values())
        elif isinstance(item, list | tuple):
            pending.extend(item[: NODES_INLINE_MAX + 1])
        if nodes + len(pending) > NODES_INLINE_MAX or chars > CHARS_INLINE_MAX:
            return False
    return True


async def measure(value: JsonValue) -> int:
    """What a JSON value counts for. A large one is measured in a thread. Raises ValueError as `size_of` does."""
    return size_of(value) if is_small(value) else await offload(lambda: size_of(value))


def size_of(value: JsonValue) -> int:
    """What a JSON value counts for: its bytes as text, and `VALUE_BYTES` for each value in it.

    Raises ValueError for numbers that JSON cannot carry, or that have too many digits to be written.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    size = len(text.encode("utf-8", "surrogatepass"))
    return size + VALUE_BYTES * _count(value)


def _count(value: object) -> int:
    """How many objects, lists, members and items a value has, itself among them."""
    count, level = 0, [value]
    while level:
        count += len(level)
        level = [
            item
            for outer in level
            if isinstance(outer, dict | list | tuple)
            for item in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return count
