"""JSON from strangers: refused before it costs anything, and read one way only."""

import json
from typing import Any, NoReturn


def loads(raw: bytes, brackets_max: int) -> Any:
    """Parse JSON text that may be hostile.

    Args:
        raw: the text; the caller has bounded its length.
        brackets_max: most `{` and `[` in it, strings included. It bounds the depth, and so the parser's recursion.

    Returns:
        The value. Every object in it has distinct names, so no second parser can read another value out of it.

    Raises:
        ValueError: not UTF-8, not JSON (NaN and Infinity are not), too many brackets, or a name given twice.

    Source: RFC 8259 section 4 (names should be unique), RFC 8725 section 2.4.
    """
    if raw.count(b"{") + raw.count(b"[") > brackets_max:
        raise ValueError("too many brackets")
    # Decoded here, because json.loads takes bytes for UTF-16 or UTF-32 where they look like it.
    return json.loads(raw.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name is given twice")
    return members


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
