"""What the conditions of a rewritten `match` call; each gives the parts of a subject, or None when it does not match.

Source: PEP 634, "Structural Pattern Matching: Specification".
"""

import array
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.policy.guards import guarded_getattr, read_attribute
from sandbox.policy.rewrite_names import PRIVATE

_SEQUENCES = (list, tuple, range, deque, array.array, Sequence)
_TEXTS = (str, bytes, bytearray)
_MATCHES_ITSELF = (bool, bytearray, bytes, dict, float, frozenset, int, list, set, str, tuple)
_MISSING = object()


def match_sequence(subject: Any, before: int, after: int | None) -> Sequence[Any] | None:
    """The items; with a star, `before` items, a list of those between, `after` items."""
    if not isinstance(subject, _SEQUENCES) or isinstance(subject, _TEXTS):
        return None
    count = len(subject)
    if after is None:
        return tuple(subject) if count == before else None
    if count < before + after:
        return None
    items = list(subject)
    end = count - after
    return (*items[:before], items[before:end], *items[end:])


def match_mapping(subject: Any, keys: tuple[Any, ...], rest: bool) -> Sequence[Any] | None:
    """The values of the keys; then, if asked for, a dict of the rest."""
    if not isinstance(subject, Mapping):
        return None
    values = [subject.get(key, _MISSING) for key in keys]
    if any(value is _MISSING for value in values):
        return None
    if rest:
        others = dict(subject)
        for key in keys:
            del others[key]
        values.append(others)
    return values


def match_class(subject: Any, cls: Any, positional: int, names: tuple[str, ...]) -> Sequence[Any] | None:
    """The values of the positional attributes, then of the named ones.

    Raises:
        TypeError: `cls` is no class, or takes fewer positional patterns.
    """
    if not isinstance(cls, type):
        raise TypeError("called match pattern must be a class")
    if not isinstance(subject, cls):
        return None
    values: list[Any] = []
    if positional == 1 and issubclass(cls, _MATCHES_ITSELF) and not hasattr(cls, "__match_args__"):
        values.append(subject)
        positional = 0
    try:
        values += [_read_positional(subject, name) for name in _positional_names(cls, positional)]
        values += [guarded_getattr(subject, name) for name in names]
    except AttributeError:
        return None
    return values


def _positional_names(cls: type, count: int) -> tuple[Any, ...]:
    if not count:
        return ()
    names = getattr(cls, "__match_args__", ())
    if type(names) is not tuple:
        raise TypeError(f"{cls.__name__}.__match_args__ must be a tuple")
    if len(names) < count:
        raise TypeError(f"{cls.__name__}() accepts {len(names)} positional sub-patterns ({count} given)")
    return names[:count]


def _read_positional(subject: Any, name: Any) -> Any:
    # A dataclass lists its private fields under their compiled names.
    if type(name) is str and name.startswith(PRIVATE):
        return guarded_getattr(subject, name)
    return read_attribute(subject, name)
