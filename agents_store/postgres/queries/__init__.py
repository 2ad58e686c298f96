"""The named queries of the store, read from the `.sql` files beside this module."""

import re
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"-- name: (?P<name>[a-z_]+)")


def parse_queries(text: str) -> dict[str, bytes]:
    """The queries of one file by name. Comments are left out, so that `%` may stand in them.

    Raises:
        ValueError: a statement before the first name, a name twice, or a name without a statement.
    """
    lines: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in text.splitlines():
        if match := _NAME.fullmatch(line.strip()):
            if match["name"] in lines:
                raise ValueError(f"query {match['name']} is there twice")
            current = lines[match["name"]] = []
        elif line.strip() and not line.lstrip().startswith("--"):
            if current is None:
                raise ValueError("a statement stands before the first name")
            current.append(line.strip())
    if empty := [name for name, body in lines.items() if not body]:
        raise ValueError(f"query {empty[0]} has no statement")
    return {name: " ".join(body).rstrip(";").encode() for name, body in lines.items()}


@cache
def _all_queries() -> dict[str, bytes]:
    queries: dict[str, bytes] = {}
    for path in files(__name__).iterdir():
        if path.name.endswith(".sql"):
            found = parse_queries(path.read_text("utf-8"))
            if twice := queries.keys() & found.keys():
                raise ValueError(f"query {min(twice)} is in two files")
            queries.update(found)
    return queries


def query(name: str) -> bytes:
    """The statement called `name`. Raises KeyError."""
    return _all_queries()[name]
