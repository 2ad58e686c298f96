"""Compare two configuration snapshots and describe every difference by path."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Iterator


class Kind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    RETYPED = "retyped"


_MISSING = object()


@dataclass(slots=True, frozen=True)
class Difference:
    path: str
    kind: Kind
    before: Any = None
    after: Any = None

    def __str__(self) -> str:
        match self.kind:
            case Kind.ADDED:
                return f"+ {self.path} = {self.after!r}"
            case Kind.REMOVED:
                return f"- {self.path} = {self.before!r}"
            case _:
                return f"~ {self.path}: {self.before!r} -> {self.after!r}"


def compare(old: Any, new: Any, path: str = "$") -> Iterator[Difference]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from compare(old.get(key, _MISSING), new.get(key, _MISSING), f"{path}.{key}")
    elif isinstance(old, list) and isinstance(new, list):
        for i in range(max(len(old), len(new))):
            left = old[i] if i < len(old) else _MISSING
            right = new[i] if i < len(new) else _MISSING
            yield from compare(left, right, f"{path}[{i}]")
    elif old is _MISSING:
        yield Difference(path, Kind.ADDED, after=new)
    elif new is _MISSING:
        yield Difference(path, Kind.REMOVED, before=old)
    elif type(old) is not type(new):
        yield Difference(path, Kind.RETYPED, old, new)
    elif old != new:
        yield Difference(path, Kind.CHANGED, old, new)


def run(inputs):
    found = list(compare(inputs["old"], inputs["new"]))
    totals = {kind.value: sum(d.kind is kind for d in found) for kind in Kind}
    ignored = {d.path for d in found if any(d.path.startswith(p) for p in inputs["ignore"])}
    return {
        "lines": [str(d) for d in found if d.path not in ignored],
        "totals": totals,
        "ignored": sorted(ignored),
        "first": {k: str(v) for k, v in asdict(found[0]).items()},
        "same": not any(compare(inputs["old"], inputs["old"])),
    }

# inputs: {"old": {"port": 80, "debug": true, "hosts": ["a", "b", "c"], "db": {"name": "x", "pool": 5}, "stamp": 1}, "new": {"port": "80", "hosts": ["a", "q"], "db": {"name": "x", "pool": 9, "tls": false}, "stamp": 2}, "ignore": ["$.stamp"]}
# expect: {"lines": ["~ $.db.pool: 5 -> 9", "+ $.db.tls = False", "- $.debug = True", "~ $.hosts[1]: 'b' -> 'q'", "- $.hosts[2] = 'c'", "~ $.port: 80 -> '80'"], "totals": {"added": 1, "removed": 2, "changed": 3, "retyped": 1}, "ignored": ["$.stamp"], "first": {"path": "$.db.pool", "kind": "changed", "before": "5", "after": "9"}, "same": true}
