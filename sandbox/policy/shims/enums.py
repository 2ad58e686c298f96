"""`enum`: the same classes, but the functional form takes public names only.

`Enum("E", {"__reduce_ex__": f})` would make a class whose members tell `copy.copy` which function to call and which
attributes of which object to set. Class statements are checked by the compiler.
"""

import enum
from collections.abc import Mapping
from typing import Any

__all__ = ["Enum", "Flag", "IntEnum", "IntFlag", "StrEnum"]

_make_enumeration = enum.EnumType._create_  # type: ignore[attr-defined]  # the stubs leave out the functional form


def _create(
    cls: Any,
    /,
    class_name: str,
    names: Any,
    *,
    type: Any = None,  # noqa: A002 - the library's name
    start: int = 1,
    boundary: enum.FlagBoundary | None = None,
    **_: object,
) -> Any:
    """The functional form. `module` and `qualname`, which are for pickling, are ignored."""
    if not isinstance(class_name, str):
        raise TypeError(f"the name of an enumeration must be a string: {class_name!r}")
    members = _plain_members(names)
    return _make_enumeration(cls, class_name, members, module="__main__", type=type, start=start, boundary=boundary)


def _plain_members(names: Any) -> list[Any]:
    if isinstance(names, str):
        names = names.replace(",", " ").split()
    elif isinstance(names, Mapping):
        names = names.items()
    members: list[Any] = []
    for item in names:
        if isinstance(item, str):
            members.append(_public_name(item))
        else:
            name, value = item
            members.append((_public_name(name), value))
    return members


def _public_name(name: object) -> str:
    if type(name) is not str:
        raise TypeError(f"names of members must be strings: {name!r}")
    if name.startswith("_"):
        raise ValueError(f"names of members cannot start with an underscore here: {name!r}")
    return name


class Enum(enum.Enum):
    """Base of the others, so that `isinstance(member, Enum)` holds for all."""


# Where `EnumType.__call__` looks for it first; a metaclass of our own would be one more kind of class.
Enum._create_ = classmethod(_create)  # type: ignore[attr-defined]  # likewise


class IntEnum(Enum, enum.IntEnum):
    """Members are integers."""


class StrEnum(Enum, enum.StrEnum):
    """Members are texts."""


class Flag(Enum, enum.Flag):
    """Members combine with `|`, `&`, `^` and `~`."""


class IntFlag(Flag, enum.IntFlag):
    """Flags that are integers."""
