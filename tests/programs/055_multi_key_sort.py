"""Sort records by several keys, each ascending or descending, with missing values last."""

from functools import cmp_to_key, reduce
from operator import attrgetter, itemgetter, methodcaller


class Missing:
    """Sorts after everything."""

    def __lt__(self, other):
        return False

    def __gt__(self, other):
        return not isinstance(other, Missing)


MISSING = Missing()


def by(*specs):
    """Build a sort key from specs such as "-age" or "name"."""

    def compare(left, right):
        for spec in specs:
            descending = spec.startswith("-")
            key = spec.lstrip("-")
            a, b = left.get(key, MISSING), right.get(key, MISSING)
            if a == b or (a is MISSING and b is MISSING):
                continue
            if a is MISSING or b is MISSING:
                return 1 if a is MISSING else -1
            result = (a > b) - (a < b)
            return -result if descending else result
        return 0

    return cmp_to_key(compare)


class Player:
    def __init__(self, name, points):
        self.name, self.points = name, points


def run(inputs):
    people = inputs["people"]
    orders = {}
    for specs in inputs["orders"]:
        orders[" ".join(specs)] = [p["name"] for p in sorted(people, key=by(*specs))]
    stable = sorted(sorted(people, key=itemgetter("name")), key=lambda p: p.get("age", 0), reverse=True)
    players = [Player(p["name"], len(p["name"]) * 10) for p in people]
    players.sort(key=attrgetter("points", "name"))
    names = list(map(methodcaller("upper"), map(itemgetter("name"), people)))
    longest = reduce(lambda a, b: a if len(a) >= len(b) else b, names)
    natural = sorted(inputs["files"], key=lambda f: [int(p) if p.isdigit() else p for p in f.replace(".", "-").split("-")])
    return {
        "orders": orders,
        "stable": [p["name"] for p in stable],
        "players": [f"{p.name}:{p.points}" for p in players],
        "longest": longest,
        "natural": natural,
        "ranks": {n: i for i, n in enumerate(sorted(names, key=lambda n: (-len(n), n)), 1)},
    }

# inputs: {"people": [{"name": "Eve", "age": 30, "city": "Rome"}, {"name": "Bob", "age": 25}, {"name": "Ana", "age": 30, "city": "Oslo"}, {"name": "Cleo", "city": "Rome"}], "orders": [["-age", "name"], ["city", "-age"], ["-name"]], "files": ["file-10.txt", "file-9.txt", "file-1.txt"]}
# expect: {"orders": {"-age name": ["Ana", "Eve", "Bob", "Cleo"], "city -age": ["Ana", "Eve", "Cleo", "Bob"], "-name": ["Eve", "Cleo", "Bob", "Ana"]}, "stable": ["Ana", "Eve", "Bob", "Cleo"], "players": ["Ana:30", "Bob:30", "Eve:30", "Cleo:40"], "longest": "CLEO", "natural": ["file-1.txt", "file-9.txt", "file-10.txt"], "ranks": {"CLEO": 1, "ANA": 2, "BOB": 3, "EVE": 4}}
