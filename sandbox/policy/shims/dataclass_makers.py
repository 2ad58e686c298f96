"""`dataclasses`: only the program's own classes, and only plain names as fields.

The library builds `__init__` from text with the fields' names in it, so a name that is no identifier would be code.
"""

import dataclasses
import inspect
import keyword
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from sandbox.policy.guards import is_program_class, mark_program_class
from sandbox.policy.rewrite_names import PRIVATE, author_name

__all__ = ["asdict", "dataclass", "make_dataclass"]

# A class statement leaves the text of its annotations. These mean more than a field, also behind a module's name.
_PSEUDO_FIELD = re.compile(r"\s*(?:\w+\s*\.\s*)?(ClassVar|InitVar|KW_ONLY)\b")
_PSEUDO_FIELDS: Mapping[str, Any] = {
    "ClassVar": ClassVar,
    "InitVar": dataclasses.InitVar(object),
    "KW_ONLY": dataclasses.KW_ONLY,
}
# What `fields(...)[0].type` tells; of every other annotation nothing but its text is left, and so it is `object`.
_TYPES: Mapping[str, type] = {
    kind.__name__: kind
    for kind in (bool, bytearray, bytes, complex, dict, float, frozenset, int, list, object, set, str, tuple)
}


def dataclass(cls: Any = None, /, **options: Any) -> Any:
    """The decorator, with the library's own options.

    Raises:
        TypeError, ValueError: as the library's, and for a class that is not the program's own.
    """
    if cls is None:
        return lambda decorated: _make(decorated, options)
    return _make(cls, options)


def make_dataclass(
    cls_name: str,
    fields: Iterable[Any],
    *,
    bases: tuple[type, ...] = (),
    namespace: Mapping[str, Any] | None = None,
    **options: Any,
) -> Any:
    """The library's function.

    Raises:
        TypeError: a name in `fields` or `namespace` is not plain and public, or as the library's.
    """
    plain_fields = [_plain_field(field) for field in fields]
    members = {_plain_name(name): value for name, value in dict(namespace or {}).items()}
    made = dataclasses.make_dataclass(_plain_name(cls_name), plain_fields, bases=bases, namespace=members, **options)
    mark_program_class(made)
    return made


def asdict(obj: Any, *, dict_factory: Callable[[list[tuple[str, Any]]], Any] = dict) -> Any:
    """The fields as a dict, under the names that the author gave them."""
    return dataclasses.asdict(
        obj, dict_factory=lambda pairs: dict_factory([(author_name(name), value) for name, value in pairs])
    )


def _make(cls: Any, options: Mapping[str, Any]) -> Any:
    if not isinstance(cls, type) or not is_program_class(cls):
        raise TypeError("dataclass() decorates classes of the program")
    annotations = inspect.get_annotations(cls)
    cls.__annotations__ = {_plain_name(name): _field_kind(text) for name, text in annotations.items()}
    if not cls.__doc__:  # spares the library the signature of `__init__`, half of its work
        cls.__doc__ = f"{cls.__name__}({', '.join(map(author_name, annotations))})"
    repr_is_own = "__repr__" in cls.__dict__
    made: Any = dataclasses.dataclass(cls, **options)
    if options.get("repr", True) and not repr_is_own:
        _repair_repr(made)
    return made


def _repair_repr(cls: Any) -> None:
    """Show private fields under the names that the author gave them."""
    if any(field.name.startswith(PRIVATE) for field in dataclasses.fields(cls)):
        generated = cls.__repr__
        cls.__repr__ = lambda self: author_name(generated(self))


def _field_kind(annotation: object) -> Any:
    # Never the text itself: the library looks that up in the modules of this process.
    if type(annotation) is not str:
        return annotation
    match = _PSEUDO_FIELD.match(annotation)
    return _PSEUDO_FIELDS[match[1]] if match else _TYPES.get(annotation, object)


def _plain_field(field: Any) -> tuple[Any, ...]:
    name, *rest = (field,) if isinstance(field, str) else field
    if len(rest) > 2:
        raise TypeError(f"Invalid field: {field!r}")
    return (_plain_name(name), object, *rest[1:])


def _plain_name(name: object) -> str:
    if type(name) is not str or not name.isidentifier() or keyword.iskeyword(name):
        raise TypeError(f"Field names must be valid identifiers: {name!r}")
    if name.startswith("_") and name != "_":
        raise TypeError(f"Field names cannot start with an underscore here: {name!r}")
    return name
