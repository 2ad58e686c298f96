"""Cursors of lists."""

from collections.abc import Iterator
from contextlib import contextmanager

from server.errors import InvalidCursorError


@contextmanager
def cursor_of(cursor: str | None) -> Iterator[None]:
    """Around a store's list: what it says of a cursor that it did not make becomes InvalidCursorError."""
    try:
        yield
    except ValueError as exc:
        if cursor is None:
            raise
        raise InvalidCursorError from exc
