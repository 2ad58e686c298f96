"""JSON that may be hostile or large: what parsing would cost is told before, and encoding it holds nobody up."""

import json
import math
from collections.abc import Collection
from typing import Any

from sandbox.offload import offload
from sandbox.types import JsonValue

ENCODED_INLINE_BYTES_MAX = 256 * 1024  # encoding this much holds the event loop for 10 ms at most

_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def has_more_values(text: bytes, values_max: int) -> bool:
    """Whether JSON text has more than some so many objects, lists, members and items.

    It takes a few passes over the bytes and makes no value: parsing is one call that lets nothing else run, and the
    values of a text can take a hundred times its size. Whatever is no JSON is left to the parser.
    """
    if not _is_crowded(text, values_max):
        return False
    # The marks may stand inside strings: take out the escapes, then every second piece between quotes.
    bare = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    return bare.count(b'"') > 4 * values_max + 2 or _is_crowded(b"".join(bare.split(b'"')[::2]), values_max)


async def encode(value: JsonValue, size_bytes: int) -> str:
    """A JSON value as compact text. A large one is encoded in a thread that lets go of the interpreter.

    Raises ValueError, TypeError or RecursionError for what is no JSON.
    """
    if size_bytes <= ENCODED_INLINE_BYTES_MAX:
        return _encoder.encode(value)
    return await offload(lambda: "".join(_encoder.iterencode(value)))


def is_deeper(value: Any, levels_max: int) -> bool:
    """Whether more than so many objects and lists stand one in the other."""
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(levels_max):
        if not level:
            return False
        level = [item for container in level for item in items_of(container) if isinstance(item, (dict, list))]
    return bool(level)


def items_of(container: dict[str, Any] | list[Any]) -> Collection[Any]:
    """What stands in an object, without its names, or in a list."""
    return container.values() if isinstance(container, dict) else container


def finite(text: str) -> float:
    """The number, for a parser. Raises ValueError where it is too large for one."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _is_crowded(text: bytes, values_max: int) -> bool:
    return text.count(b"[") + text.count(b"{") + text.count(b",") > values_max
