"""`str.format` that reaches attributes and items only through the guards.

Source: https://lucumr.pocoo.org/2016/12/29/careful-with-str-format/
"""

import string
from _string import (  # type: ignore[import-not-found]
    formatter_field_name_split,
    formatter_parser,
)  # what `string.Formatter` itself is made of
from collections.abc import Callable, Mapping, Sequence
from operator import getitem
from typing import Any


class GuardedFormatter(string.Formatter):
    """Formats text; fields reach attributes through `read_attribute(obj, name)` only.

    Texts whose fields name no attribute or item go to Python's own `str.format`, which is the same and faster.
    """

    def __init__(self, read_attribute: Callable[[Any, Any], Any]) -> None:
        self._read_attribute = read_attribute

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, int | str]:
        """The value that a field names."""
        first, rest = formatter_field_name_split(field_name)
        value = self.get_value(first, args, kwargs)
        for is_attribute, key in rest:
            value = self._read_attribute(value, key) if is_attribute else getitem(value, key)
        return value, first

    def format_text(self, text: str, /, *args: Any, **kwargs: Any) -> str:
        """`str.format`."""
        text = _plain(text)
        return self.vformat(text, args, kwargs) if _looks_inside(text) else str.format(text, *args, **kwargs)

    def format_text_map(self, text: str, mapping: Any, /) -> str:
        """`str.format_map`."""
        text = _plain(text)
        return self.vformat(text, (), mapping) if _looks_inside(text) else str.format_map(text, mapping)


def _plain(text: str) -> str:
    """The text itself; a subclass may say something else of itself each time."""
    return str.__getitem__(text, slice(None))


def _looks_inside(text: str) -> bool:
    """Whether any field, also one inside a format specification, goes on after its first name."""
    for _, field, specification, _ in formatter_parser(text):
        if field is not None and ("." in field or "[" in field or _looks_inside(specification)):
            return True
    return False
