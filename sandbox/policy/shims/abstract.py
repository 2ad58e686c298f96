"""`abc.ABCMeta` for class headers and `isinstance`; the original, called, makes classes with any special method."""

import abc
from typing import Any, NoReturn

__all__ = ["ABCMeta"]


class _Named(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, abc.ABCMeta)

    def __call__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("write `class Name(ABC):` instead of calling ABCMeta")


class ABCMeta(metaclass=_Named):
    """The compiler turns `metaclass=ABCMeta` into the base class `ABC`."""
