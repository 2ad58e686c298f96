"""How a program's classes are made: real metaclasses of vetted bases, special methods under their real names."""

import abc
import enum
import types
import typing
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

from sandbox.policy.guards import mark_class_body
from sandbox.policy.rewrite_names import (
    ANNOTATIONS,
    PREFIX,
    PRIVATE,
    SPECIAL,
    TEMPORARY,
    author_name,
    is_special,
    private_name,
)

_METACLASSES = frozenset(
    {
        type,
        abc.ABCMeta,
        enum.EnumMeta,
        type(typing.Protocol),
        typing.NamedTupleMeta,  # type: ignore[attr-defined]  # what `NamedTuple` stands for as a base
        typing._TypedDictMeta,  # type: ignore[attr-defined]  # likewise `TypedDict`
    }
)
_FINAL_BASES = (type, super, property, staticmethod, classmethod)
_ENUM_NAMES = frozenset({"_missing_", "_generate_next_value_", "_ignore_", "_order_"})


class _Namespace(dict[str, Any]):
    """A class body's names: stores the author's into the real namespace, keeps the rewriter's temporaries to itself."""

    def __init__(self, real: dict[str, Any]) -> None:
        super().__init__()
        self.real = real
        self._is_enum = isinstance(real, enum._EnumDict)

    def __setitem__(self, name: str, value: Any) -> None:
        if name.startswith(TEMPORARY):
            super().__setitem__(name, value)
        else:
            self.real[self._real_name(name)] = value

    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(name) if name.startswith(TEMPORARY) else self.real[self._real_name(name)]

    def __delitem__(self, name: str) -> None:
        del self.real[self._real_name(name)]

    def _real_name(self, name: str) -> str:
        if name.startswith(SPECIAL):
            return name.removeprefix(SPECIAL)
        if name == ANNOTATIONS:
            return "__annotations__"
        if self._is_enum and name.startswith(PRIVATE) and author_name(name) in _ENUM_NAMES:
            return author_name(name)
        return name


class ClassBuilder:
    """`__metaclass__` of compiled code: stands in for the metaclass of every class statement."""

    def __prepare__(self, name: str, bases: tuple[Any, ...]) -> _Namespace:
        """The namespace in which the class body runs.

        Raises:
            TypeError: a base cannot be derived from.
        """
        return _Namespace(self._choose_metaclass(bases).__prepare__(author_name(name), bases))  # type: ignore[arg-type]

    def __call__(self, name: str, bases: tuple[Any, ...], namespace: _Namespace) -> type:
        """Make the class."""
        real = namespace.real
        real["__qualname__"] = author_name(real["__qualname__"])
        for value in real.values():
            if isinstance(value, FunctionType):
                _name_function(value)
        if "__exit__" in real:
            real["__exit__"] = _without_traceback(real["__exit__"])
        if "__slots__" in real:
            real["__slots__"] = _spell_slots(real["__slots__"], name)
        mark_class_body(real)
        cls: type = self._choose_metaclass(bases)(author_name(name), bases, real)
        return cls

    @staticmethod
    def _choose_metaclass(bases: tuple[Any, ...]) -> type:
        for base in bases:
            if not isinstance(base, type) or issubclass(base, _FINAL_BASES):
                raise TypeError(f"{getattr(base, '__name__', base)!r} is not an acceptable base class")
        metaclass = types.prepare_class("", bases)[0]
        if metaclass not in _METACLASSES:
            raise TypeError(f"classes of the kind {metaclass.__name__!r} cannot be derived from")
        return metaclass


def _name_function(function: FunctionType) -> None:
    if PREFIX in function.__name__:
        function.__name__ = author_name(function.__name__)
    if PREFIX in function.__qualname__:
        function.__qualname__ = author_name(function.__qualname__)


def _without_traceback(exit_method: object) -> Callable[..., Any]:
    """`__exit__` is told of the exception, not of the frames it came through."""
    if not isinstance(exit_method, FunctionType):
        raise TypeError("__exit__ must be a method written with def")

    def __exit__(self: Any, kind: Any = None, error: Any = None, traceback: Any = None) -> Any:  # noqa: N807
        return exit_method(self, kind, error, None)

    __exit__.__qualname__ = exit_method.__qualname__
    return __exit__


def _spell_slots(slots: str | Iterable[str], class_name: str) -> tuple[str, ...]:
    names = (slots,) if isinstance(slots, str) else tuple(slots)
    return tuple(_spell_slot(name, author_name(class_name)) for name in names)


def _spell_slot(name: object, class_name: str) -> str:
    if type(name) is not str or name.startswith(PREFIX):
        raise TypeError(f"__slots__ cannot hold {name!r}")
    if is_special(name):
        if name not in ("__dict__", "__weakref__"):
            raise TypeError(f"__slots__ cannot hold {name!r}")
        return name
    return private_name(name, class_name) if name.startswith("_") else name
