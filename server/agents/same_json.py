"""Whether two JSON values are the same: how an expected result is compared with what a program returned."""

from typing import Any


def is_same_json(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same, whatever the order of members and the spelling of numbers (RFC 8785)."""
    pending = [(one, other)]
    while pending:
        left, right = pending.pop()
        if isinstance(left, dict) and isinstance(right, dict):
            if left.keys() != right.keys():
                return False
            pending.extend((left[name], right[name]) for name in left)
        elif isinstance(left, list) and isinstance(right, list):
            if len(left) != len(right):
                return False
            pending.extend(zip(left, right, strict=True))
        elif isinstance(left, bool) or isinstance(right, bool):  # in Python, True is 1
            if left is not right:
                return False
        elif left != right:
            return False
    return True
