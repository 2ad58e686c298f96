"""What decides at run time: reads of names whose meaning depends on the object, attribute writes, names as values.

Names written in the source were checked when the program was compiled; names that come as values go through
`checked_name` first.
"""

import array
import collections
import decimal
import enum
import reprlib
import textwrap
from collections.abc import Callable
from functools import partial
from types import BuiltinMethodType, FunctionType, SimpleNamespace
from typing import Any

from RestrictedPython.transformer import INSPECT_ATTRIBUTES

from sandbox.policy.guards_format import GuardedFormatter
from sandbox.policy.rewrite_names import (
    CHECKED_NAMES,
    ENUM_NAMES,
    PREFIX,
    PRIVATE,
    READABLE,
    SPECIAL,
    SPECIAL_METHODS,
    TUPLE_NAMES,
    author_name,
    is_special,
    private_name,
    special_name,
)

# Set on every class that a program defines; the name cannot be written in a program, and `Protocol` takes what starts
# with `_abc_` for no member of a protocol.
CLASS_MARK = "_abc_program"
_MARK = object()
_SHARED_CLASSES: set[type] = set()
_MISSING = object()

_WRITABLE = (
    dict,
    list,
    bytearray,
    collections.defaultdict,
    collections.OrderedDict,
    collections.Counter,
    collections.deque,
    collections.ChainMap,
    array.array,
    SimpleNamespace,
    decimal.Context,
    textwrap.TextWrapper,
    reprlib.Repr,
)

_STR_FORMATS = {"format": str.format, "format_map": str.format_map}

# Every special method does what an operator or a builtin does, but these change what already exists: they are for the
# program's own objects and for the types that it derives from.
_INITIALISERS = frozenset({"__init__", "__post_init__"})
_PLAIN_TYPES = frozenset(
    {
        *(object, bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, range, slice),
        *(collections.defaultdict, collections.OrderedDict, collections.Counter, collections.deque),
    }
)


def guarded_getattr(obj: Any, name: str, /) -> Any:
    """`_getattr_`: `obj.name` where the name is in the compiled program's spelling and no underscore starts it."""
    if name not in CHECKED_NAMES:
        return getattr(obj, name)
    if name.startswith(SPECIAL):
        return _read_special(obj, name.removeprefix(SPECIAL))
    if name.startswith(PRIVATE):
        return _read_library_private(obj, name)
    if name in ("format", "format_map"):
        return _read_format(obj, name)
    if name not in INSPECT_ATTRIBUTES:
        value = getattr(obj, name)
        if not _is_hidden(obj, name, value):
            return value
    raise AttributeError(f"{name!r} is not available to agents")


def _is_hidden(obj: Any, name: str, value: Any) -> bool:
    if name == "mro":  # a generic alias passes on its origin's
        return value is type.mro or (isinstance(value, BuiltinMethodType) and isinstance(value.__self__, type))
    holder = AttributeError if name == "obj" else ImportError
    return issubclass(obj if isinstance(obj, type) else type(obj), holder)


def _read_special(obj: Any, name: str) -> Any:
    if name in READABLE:
        return _read_readable(obj, name)
    if name == "__setattr__":
        if obj is object:
            return _set_past_frozen
    elif name not in _INITIALISERS or isinstance(obj, super) or _may_initialise(obj):
        return getattr(obj, name)
    raise AttributeError(f"{name!r} of this object is not available to agents")


def _may_initialise(obj: Any) -> bool:
    cls = obj if isinstance(obj, type) else type(obj)
    return cls in _PLAIN_TYPES or is_program_class(cls) or issubclass(cls, BaseException)


def _read_readable(obj: Any, name: str) -> Any:
    value = getattr(obj, name)
    if name == "__members__":
        readable = isinstance(obj, enum.EnumMeta)
        # A copy: comparing a mappingproxy hands the mapping itself to the other side (CPython issue 88004).
        value = dict(value) if readable else value
    elif name == "__cause__":
        readable = isinstance(obj, BaseException)
    else:
        readable = value is None or type(value) is str
    if not readable:
        raise AttributeError(f"{name!r} of this object is not available to agents")
    return author_name(value) if type(value) is str else value


def _read_library_private(obj: Any, name: str) -> Any:
    value = getattr(obj, name, _MISSING)
    if value is not _MISSING:
        return value
    cls = obj if isinstance(obj, type) else type(obj)
    written = author_name(name)
    if (issubclass(cls, tuple) and written in TUPLE_NAMES) or (issubclass(cls, enum.Enum) and written in ENUM_NAMES):
        return getattr(obj, written)
    raise _no_attribute(obj, name)


def _read_format(obj: Any, name: str) -> Any:
    """`str.format` walks attributes and items by itself: hand out one that asks the guards, however it was reached."""
    method = getattr(obj, name)
    safe = _formatter.format_text if name == "format" else _formatter.format_text_map
    if method is _STR_FORMATS[name]:
        return safe
    if isinstance(method, BuiltinMethodType) and isinstance(method.__self__, str):
        return partial(safe, method.__self__)
    return method


def _no_attribute(obj: Any, name: str) -> AttributeError:
    kind = f"type object {obj.__name__!r}" if isinstance(obj, type) else f"{type(obj).__name__!r} object"
    return AttributeError(f"{author_name(kind)} has no attribute {author_name(name)!r}")


def checked_name(name: Any) -> str:
    """The compiled spelling of an attribute name that came as a value.

    Raises:
        TypeError: not exactly a `str`; a subclass could answer differently the second time.
        AttributeError: reserved, or of an interpreter's internals.
    """
    if type(name) is not str:
        raise TypeError("attribute name must be a plain string")
    if name.startswith(PRIVATE + "_"):
        return name  # as `dataclasses.fields` lists a private field
    if name.startswith(PREFIX) or name in INSPECT_ATTRIBUTES:
        raise AttributeError(f"{name!r} is not available to agents")
    if is_special(name):
        if name in SPECIAL_METHODS or name in READABLE:
            return special_name(name)
        raise AttributeError(f"{name!r} is not available to agents")
    return private_name(name) if name.startswith("_") and name != "_" else name


def read_attribute(obj: Any, name: Any, /, *default: Any) -> Any:
    """`getattr` of agent code."""
    if len(default) > 1:
        raise TypeError(f"getattr expected at most 3 arguments, got {2 + len(default)}")
    try:
        return guarded_getattr(obj, checked_name(name))
    except AttributeError:
        if default:
            return default[0]
        raise


_formatter = GuardedFormatter(read_attribute)


def has_attribute(obj: Any, name: Any, /) -> bool:
    """`hasattr` of agent code; tells of special methods without handing them out."""
    if type(name) is str and name in SPECIAL_METHODS:
        return hasattr(obj, name)
    try:
        read_attribute(obj, name)
    except AttributeError:
        return False
    return True


def is_program_class(cls: type) -> bool:
    """Whether a program defined the class, or one that it is derived from."""
    return getattr(cls, CLASS_MARK, None) is _MARK


def mark_shared_class(cls: type) -> None:
    """Let programs change the objects of a class of ours, not the class."""
    mark_program_class(cls)
    _SHARED_CLASSES.add(cls)


def mark_program_class(cls: type) -> None:
    """Remember that a program defined the class."""
    setattr(cls, CLASS_MARK, _MARK)


def mark_class_body(namespace: dict[str, Any]) -> None:
    """Remember it of the class that is made from these names; an enumeration does not take the mark for a member."""
    dict.__setitem__(namespace, CLASS_MARK, _MARK)


def _set_past_frozen(obj: Any, name: Any, value: Any, /) -> None:
    """`object.__setattr__`, which a frozen dataclass uses to fill itself in."""
    if not is_program_class(type(obj)):
        raise TypeError(f"cannot change attributes of {type(obj).__name__!r} objects")
    object.__setattr__(obj, _assignable(name), value)


def _assignable(name: Any) -> str:
    spelled = checked_name(name)
    if spelled.startswith(SPECIAL):
        raise AttributeError(f"{name!r} cannot be assigned")
    return spelled


def make_write_guard(program_globals: dict[str, object]) -> Callable[[Any], Any]:
    """`_write_` of one run: gives the object back when the program may change it.

    These are containers, instances of classes that the program defined, those classes, and its functions.
    """
    writable: set[type] = set(_WRITABLE)

    def write(obj: Any, /) -> Any:
        cls = type(obj)
        if cls in writable:
            return obj
        if is_program_class(cls):
            writable.add(cls)
            return obj
        if isinstance(obj, type) and is_program_class(obj) and obj not in _SHARED_CLASSES:
            return obj
        if cls is FunctionType and obj.__globals__ is program_globals:
            return obj
        what = f"class {obj.__name__!r}" if isinstance(obj, type) else f"{cls.__name__!r} object"
        raise TypeError(f"{author_name(what)} does not support assignment of attributes or items here")

    return write


def make_attribute_writers(write: Callable[[Any], Any]) -> dict[str, Callable[..., None]]:
    """`setattr` and `delattr` of agent code."""

    def set_attribute(obj: Any, name: Any, value: Any, /) -> None:
        setattr(write(obj), _assignable(name), value)

    def delete_attribute(obj: Any, name: Any, /) -> None:
        delattr(write(obj), _assignable(name))

    return {"setattr": set_attribute, "delattr": delete_attribute}
