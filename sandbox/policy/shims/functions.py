"""`functools`: wrappers copy a fixed set of attributes, and annotations are never evaluated."""

import functools
from collections.abc import Callable
from types import FunctionType, MappingProxyType
from typing import Any, NoReturn

__all__ = ["cached_property", "singledispatch", "singledispatchmethod", "update_wrapper", "wraps"]

_COPIED = ("__module__", "__name__", "__qualname__", "__doc__")
_ABSENT: Any = object()


def update_wrapper(wrapper: Any, wrapped: Any) -> Any:
    """Make `wrapper` look like `wrapped`.

    The library's own takes the attributes' names as arguments, and so copies `__globals__` from a library function
    into the agent's; here they are fixed.
    """
    for name in _COPIED:
        value = getattr(wrapped, name, _ABSENT)
        if value is not _ABSENT:
            setattr(wrapper, name, value)
    if isinstance(wrapper, FunctionType) and isinstance(wrapped, FunctionType):
        wrapper.__dict__.update((name, value) for name, value in wrapped.__dict__.items() if not name.startswith("_"))
    return wrapper


def wraps(wrapped: Any) -> Callable[[Any], Any]:
    """The decorator form of `update_wrapper`."""
    return lambda wrapper: update_wrapper(wrapper, wrapped)


class cached_property:  # noqa: N801 - the library's name
    """A property computed once per object. Cannot be subclassed: a subclass could store under a private name."""

    __slots__ = ("_function", "_name")

    def __init__(self, func: Callable[[Any], Any]) -> None:
        self._function = func
        self._name: str | None = None

    def __init_subclass__(cls) -> NoReturn:
        raise TypeError("cached_property cannot be subclassed")

    def __set_name__(self, owner: type, name: str) -> None:
        if self._name is None:
            self._name = name
        elif name != self._name:
            raise TypeError(f"one cached_property cannot have two names ({self._name!r} and {name!r})")

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        if self._name is None:
            raise TypeError("a cached_property must be assigned to a name in a class")
        cache = instance.__dict__
        value = cache.get(self._name, _ABSENT)
        if value is _ABSENT:
            value = cache[self._name] = self._function(instance)
        return value


def singledispatch(func: Callable[..., Any]) -> Callable[..., Any]:
    """A function that calls the implementation for the type of its first argument.

    The library's `register` evaluates annotations that are text, outside of every guard; this one takes classes only.
    """
    inner = functools.singledispatch(func)

    def dispatcher(*args: Any, **kwargs: Any) -> Any:
        if not args:
            raise TypeError(f"{getattr(func, '__name__', 'function')} requires at least 1 positional argument")
        return inner.dispatch(type(args[0]))(*args, **kwargs)

    vars(dispatcher).update(
        register=_make_register(inner),
        dispatch=inner.dispatch,
        registry=MappingProxyType(inner.registry),
    )
    return update_wrapper(dispatcher, func)  # type: ignore[no-any-return]  # the function just made


def _make_register(inner: Any) -> Callable[..., Any]:
    def register(cls: Any, func: Callable[..., Any] | None = None) -> Any:
        if func is not None:
            return inner.register(cls, func)
        if isinstance(cls, type) or not callable(cls):
            return lambda implementation: inner.register(cls, implementation)
        raise TypeError("annotations are not kept at run time: write the class, as in @name.register(int)")

    return register


class singledispatchmethod:  # noqa: N801 - the library's name
    """`singledispatch` for methods, by the type of the first argument after `self`."""

    __slots__ = ("_function", "_inner", "_register")

    def __init__(self, func: Any) -> None:
        if not callable(func) and not hasattr(func, "__get__"):
            raise TypeError(f"{func!r} is not callable or a descriptor")
        self._function = func
        self._inner: Any = functools.singledispatch(func)
        self._register = _make_register(self._inner)

    def register(self, cls: Any, method: Any = None) -> Any:
        """Add an implementation for a class."""
        return self._register(cls, method)

    def __get__(self, instance: Any, owner: type | None = None) -> Callable[..., Any]:
        def dispatching(*args: Any, **kwargs: Any) -> Any:
            method = self._inner.dispatch(type(args[0]))
            return method.__get__(instance, owner)(*args, **kwargs)

        vars(dispatching)["register"] = self.register
        return update_wrapper(dispatching, self._function)  # type: ignore[no-any-return]  # the function just made
