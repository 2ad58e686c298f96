"""Makes what came out of a sandbox storable: PostgreSQL refuses NUL, lone surrogates and numbers that JSON has not.

A run must be finished whatever its code printed, so nothing here raises on content.
"""

import asyncio
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SUSPICIOUS = re.compile(r"\\u0000|[\ud800-\udfff]")  # in JSON text: perhaps an escaped NUL, or half a pair
_DEPTH_MAX = 220  # a little above what a sandbox may say
_CHARS_AT_ONCE = 32 * 1024  # encoding so much may hold up the event loop for some 10 ms
_INTEGER_BITS_MAX = 4096  # far within what `numeric` holds and `str` converts


def storable_text(text: str) -> str:
    """`text` with U+FFFD for what PostgreSQL cannot store."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


async def storable_rows(rows: Iterable[Any]) -> str:
    """JSON text of a list that `jsonb` takes, as `storable_json` makes it; each row is small, and all may be large."""
    texts, chars = [], 0
    for row in rows:
        texts.append(storable_json(row))
        chars += len(texts[-1])
        if chars > _CHARS_AT_ONCE:
            chars = 0
            await asyncio.sleep(0)  # others' turn
    return f"[{','.join(texts)}]"


def storable_json(value: Any) -> str:
    """JSON text of `value` that `jsonb` takes; what is nested deeper than 220 levels becomes its type's name."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        text = ""
    # Nearly everything is storable as it is, and walking it in Python takes many times longer than encoding it.
    if not text or _SUSPICIOUS.search(text) or _is_deep(value, text):
        return json.dumps(_clean(value, _DEPTH_MAX), separators=(",", ":"))
    return text


def _is_deep(value: Any, text: str) -> bool:
    if text.count("[") + text.count("{") <= _DEPTH_MAX:
        return False
    level = [value]
    for _ in range(_DEPTH_MAX):
        level = [
            item
            for outer in level
            if isinstance(outer, dict | list | tuple)
            for item in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(item, dict | list | tuple)
        ]
        if not level:
            return False
    return True


def _clean(value: Any, depth: int) -> Any:
    match value:
        case str():
            return storable_text(value)
        case None | bool():
            return value
        case int():
            return value if value.bit_length() <= _INTEGER_BITS_MAX else hex(value)
        case float():
            return value if math.isfinite(value) else str(value)
        case Mapping() if depth:
            return {storable_text(str(key)): _clean(item, depth - 1) for key, item in value.items()}
        case Sequence() if depth:
            return [_clean(item, depth - 1) for item in value]
    return type(value).__name__
