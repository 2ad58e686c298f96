"""Page through a result list with cursors, like the listing of an API."""

import base64
import json
from dataclasses import dataclass
from typing import Any, Generic, Iterator, Optional, Sequence, TypeVar

T = TypeVar("T")


class BadCursor(ValueError):
    """The cursor was not issued by us."""


@dataclass(frozen=True)
class Page(Generic[T]):
    items: Sequence[T]
    next_cursor: Optional[str] = None

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __bool__(self) -> bool:
        return bool(self.items)


def encode_cursor(**position: Any) -> str:
    raw = json.dumps(position, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(raw.encode()).decode()


def decode_cursor(cursor: str) -> dict[str, Any]:
    try:
        return json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except ValueError as exc:
        raise BadCursor(cursor) from exc


class Listing:
    def __init__(self, rows: list[dict[str, Any]], *, order_by: str = "id") -> None:
        self._rows = sorted(rows, key=lambda r: (r[order_by], r["id"]))
        self._order_by = order_by
        self.queries = 0

    def page(self, limit: int = 2, cursor: Optional[str] = None) -> Page[dict[str, Any]]:
        self.queries += 1
        rows = self._rows
        if cursor:
            at = decode_cursor(cursor)
            rows = [r for r in rows if (r[self._order_by], r["id"]) > (at["value"], at["id"])]
        head, tail = rows[:limit], rows[limit:]
        following = encode_cursor(value=head[-1][self._order_by], id=head[-1]["id"]) if tail else None
        return Page(head, following)

    def all(self, limit: int) -> Iterator[dict[str, Any]]:
        cursor = None
        while page := self.page(limit, cursor):
            yield from page
            if (cursor := page.next_cursor) is None:
                break


def run(inputs):
    listing = Listing(inputs["rows"], order_by="price")
    first = listing.page(limit=inputs["limit"])
    everything = [r["name"] for r in listing.all(inputs["limit"])]
    try:
        listing.page(cursor="!!not-base64")
    except BadCursor as exc:
        error = f"{type(exc).__name__}: {exc}"
    return {"first": [r["name"] for r in first], "cursor": first.next_cursor, "decoded": decode_cursor(first.next_cursor),
            "all": everything, "queries": listing.queries, "error": error, "empty": bool(Page([]))}

# inputs: {"limit": 2, "rows": [{"id": 1, "name": "cup", "price": 5}, {"id": 2, "name": "jug", "price": 9}, {"id": 3, "name": "pan", "price": 5}, {"id": 4, "name": "pot", "price": 7}, {"id": 5, "name": "lid", "price": 5}]}
# expect: {"first": ["cup", "pan"], "cursor": "eyJpZCI6MywidmFsdWUiOjV9", "decoded": {"id": 3, "value": 5}, "all": ["cup", "pan", "lid", "pot", "jug"], "queries": 5, "error": "BadCursor: !!not-base64", "empty": false}
