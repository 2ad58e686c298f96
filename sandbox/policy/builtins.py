"""The names that a program finds without importing anything, fresh for every run."""

import builtins
from abc import ABC
from collections.abc import Callable
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FrameType,
    FunctionType,
    GenericAlias,
    MethodType,
    ModuleType,
    TracebackType,
)
from typing import Any

from RestrictedPython.Guards import safe_builtins

from sandbox.policy import guards
from sandbox.policy.facades import Facade, direct_output, import_facade
from sandbox.policy.guards_classes import ClassBuilder
from sandbox.policy.guards_match import match_class, match_mapping, match_sequence
from sandbox.policy.rewrite_names import HOOK, author_name

# RestrictedPython leaves these out of `safe_builtins`: they iterate past `_getiter_`, which would be `iter` here, or
# make classes and attributes, which `guards_classes` decides. None reaches beyond its arguments.
_MORE_BUILTINS = (
    *("all", "any", "ascii", "bin", "bytearray", "bytes", "classmethod", "dict", "enumerate", "filter", "format"),
    *("frozenset", "iter", "list", "map", "max", "min", "next", "NotImplemented", "object", "property", "reversed"),
    *("set", "sorted", "staticmethod", "sum", "super", "tuple", "zip"),
)

# `type(x)` never hands these out: they build functions, code and modules, or are ours.
_CLOSED_TYPES = (
    FunctionType,
    BuiltinFunctionType,
    MethodType,
    ModuleType,
    CodeType,
    FrameType,
    TracebackType,
    CellType,
    Facade,
)


class _Named(type):
    """A class for comparisons and `isinstance`, not for making objects."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"cannot create {cls.__name__!r} objects")

    def __instancecheck__(cls, instance: Any) -> bool:
        return type_of(instance) is cls


class _TypeOfTypes(_Named):
    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if len(args) != 1 or kwargs:
            raise TypeError("type() takes one argument here: write a class statement to make a class")
        return type_of(args[0])


# The real `type` makes classes with any special method, also through `type(type(x))` and `type[X]`.
_TYPE: type = type.__call__(
    _TypeOfTypes, "type", (), {"__module__": "builtins", "__class_getitem__": classmethod(GenericAlias)}
)
_stand_ins: dict[type, type] = {}


def type_of(obj: Any, /) -> type:
    """The class of an object; for kinds that could build code, a stand-in with the same name."""
    cls = type(obj)
    if issubclass(cls, type):
        return _TYPE
    if issubclass(cls, _CLOSED_TYPES):
        if cls not in _stand_ins:
            name = "module" if issubclass(cls, Facade) else cls.__name__
            _stand_ins[cls] = type.__call__(_Named, name, (), {"__module__": "builtins"})
        return _stand_ins[cls]
    return cls


def guest_globals(write_log: Callable[[str], None]) -> dict[str, object]:
    """The fresh global names of one run.

    Args:
        write_log: gets the text of every `print` call as one line, without its `end`.
    """
    names: dict[str, object] = {"__name__": "__main__", "__metaclass__": ClassBuilder()}
    direct_output(write_log)
    write = guards.make_write_guard(names)
    names["__builtins__"] = {**_BUILTINS, **guards.make_attribute_writers(write)}
    names.update(_HOOKS)
    names["_write_"] = write
    names[HOOK + "print"] = _make_print(write_log)
    return names


def _make_print(write_log: Callable[[str], None]) -> Callable[..., None]:
    """`print` of agent code: every call is one log line."""

    def print_line(
        *values: object, sep: str | None = " ", end: str | None = "\n", file: None = None, flush: bool = False
    ) -> None:
        if file is not None:
            raise TypeError("print(file=...) is not available: print() writes to the run's log")
        text = (" " if sep is None else sep).join([str(value) for value in values])
        write_log(author_name(text + ("" if end is None else end).rstrip("\n")))

    return print_line


def _vetted_builtins() -> dict[str, object]:
    names = {name: value for name, value in safe_builtins.items() if not name.startswith("_getattr")}
    names.update({name: getattr(builtins, name) for name in _MORE_BUILTINS})
    names.update(
        {
            name: value
            for name, value in vars(builtins).items()
            if isinstance(value, type)
            and issubclass(value, BaseException)
            and not issubclass(value, BaseExceptionGroup)
        }
    )
    names.update({"type": _TYPE, "getattr": guards.read_attribute, "hasattr": guards.has_attribute})
    names["__import__"] = import_facade
    return names


_BUILTINS = _vetted_builtins()
_HOOKS: dict[str, object] = {
    "_getattr_": guards.guarded_getattr,
    HOOK + "type": type_of,
    HOOK + "abc": ABC,
    HOOK + "match_sequence": match_sequence,
    HOOK + "match_mapping": match_mapping,
    HOOK + "match_class": match_class,
}
