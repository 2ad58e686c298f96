"""`typing.get_origin`, which would hand out `type` itself."""

import typing
from typing import Any

__all__ = ["get_origin"]


def get_origin(tp: Any) -> Any:
    """`typing.get_origin`, but None for `Type[X]`: its origin, `type`, can make classes with any special method."""
    origin = typing.get_origin(tp)
    return None if isinstance(origin, type) and issubclass(origin, type) else origin
