"""`string.Formatter` whose fields reach attributes through the guard of all attribute reads."""

# What `string.Formatter` itself is made of.
from _string import formatter_field_name_split, formatter_parser  # type: ignore[import-not-found]  # no stubs
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sandbox.policy.guards import read_attribute

__all__ = ["Formatter"]

_NESTING_MAX = 2  # a field, and fields in its format specification
_CONVERSIONS: Mapping[str, Callable[[object], str]] = {"s": str, "r": repr, "a": ascii}
_Piece = tuple[str, str | None, str | None, str | None]


class Formatter:
    """Not derived from the library's: through `super` its unguarded methods could be called. Source: CVE-2026-76825.

    See https://docs.python.org/3.11/library/string.html#custom-string-formatting for what the methods do.
    """

    def format(self, format_string: str, /, *args: Any, **kwargs: Any) -> str:
        """Fill in the template."""
        return self.vformat(format_string, args, kwargs)

    def vformat(self, format_string: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        """Fill in the template from a sequence and a mapping."""
        filling = _Filling(self, args, kwargs)
        text = filling.fill(format_string, _NESTING_MAX)
        self.check_unused_args(filling.used, args, kwargs)
        return text

    def parse(self, format_string: str) -> Iterable[_Piece]:
        """The template's pieces: literal text, field name, format specification, conversion."""
        pieces: Iterable[_Piece] = formatter_parser(format_string)
        return pieces

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, int | str]:
        """The object that a field names, and the argument that it starts from."""
        first, rest = formatter_field_name_split(field_name)
        value = self.get_value(first, args, kwargs)
        for is_attribute, name in rest:
            value = read_attribute(value, name) if is_attribute else value[name]
        return value, first

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """The argument of that number or name."""
        return args[key] if isinstance(key, int) else kwargs[key]

    def check_unused_args(self, used_args: set[int | str], args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """For subclasses; called once per template."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """One value by its format specification."""
        return format(value, format_spec)

    def convert_field(self, value: Any, conversion: str | None) -> Any:
        """Apply `!s`, `!r` or `!a`. Raises ValueError for another one."""
        if conversion is None:
            return value
        if conversion not in _CONVERSIONS:
            raise ValueError(f"Unknown conversion specifier {conversion}")
        return _CONVERSIONS[conversion](value)


class _Filling:
    """One template being filled in. `used` collects the arguments; `_next` is None after a field numbered by hand."""

    def __init__(self, formatter: Formatter, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        self._formatter, self._args, self._kwargs = formatter, args, kwargs
        self._next: int | None = 0
        self.used: set[int | str] = set()

    def fill(self, template: str, nesting: int) -> str:
        if nesting == 0:
            raise ValueError("Max string recursion exceeded")
        formatter = self._formatter
        filled: list[str] = []
        for literal, field, specification, conversion in formatter.parse(template):
            filled.append(literal)
            if field is not None:
                value, first = formatter.get_field(self._number(field), self._args, self._kwargs)
                self.used.add(first)
                value = formatter.convert_field(value, conversion)
                filled.append(formatter.format_field(value, self._fill_specification(specification, nesting)))
        return "".join(filled)

    def _fill_specification(self, specification: str | None, nesting: int) -> str:
        return self.fill(specification, nesting - 1) if specification else ""

    def _number(self, field: str) -> str:
        """Give a nameless field its number. As in the library only a wholly empty one is nameless."""
        if field == "":
            if self._next is None:
                raise ValueError("cannot switch from manual field specification to automatic field numbering")
            self._next += 1
            return str(self._next - 1)
        if field.isdigit():
            if self._next:
                raise ValueError("cannot switch from manual field specification to automatic field numbering")
            self._next = None
        return field
