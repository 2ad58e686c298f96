"""Annotated, augmented and multiple assignment mean what they mean in Python."""

from typing import Any

import pytest

PROGRAMS = {
    "annotated name": "def run():\n    x: int = 1\n    y: str\n    return x",
    "annotated attribute": """
class Box:
    def __init__(self):
        self.items: dict[str, int] = {}
        self.note: str
def run():
    return Box().items
""",
    "annotated item": "def run():\n    d = {}\n    d['a']: int = 2\n    return d",
    "augmented attribute": """
class Counter:
    total = 10
def run():
    counter = Counter()
    counter.total += 5
    counter.total *= 2
    return counter.total, Counter.total
""",
    "augmented item": """
def run():
    counts = {"a": 1}
    for key in "aab":
        counts[key] = counts.get(key, 0)
        counts[key] += 1
    rows = [[1], [2]]
    rows[-1] += [3]
    rows[0:1] += [[9]]
    return counts, rows
""",
    "every operator on names, attributes and items": """
class Box:
    pass
def run():
    seen = []
    for start in (13, 2):
        name = start; box = Box(); box.value = start; items = [start]
        name += 3; box.value += 3; items[0] += 3
        name -= 1; box.value -= 1; items[0] -= 1
        name *= 4; box.value *= 4; items[0] *= 4
        name //= 3; box.value //= 3; items[0] //= 3
        name **= 2; box.value **= 2; items[0] **= 2
        name %= 101; box.value %= 101; items[0] %= 101
        name <<= 3; box.value <<= 3; items[0] <<= 3
        name >>= 1; box.value >>= 1; items[0] >>= 1
        name |= 8; box.value |= 8; items[0] |= 8
        name ^= 5; box.value ^= 5; items[0] ^= 5
        name &= 255; box.value &= 255; items[0] &= 255
        name /= 4; box.value /= 4; items[0] /= 4
        seen.append((name, box.value, items[0]))
    return seen
""",
    "in-place methods": """
class Bag:
    def __init__(self):
        self.items = []
    def __iadd__(self, item):
        self.items.append(item)
        return self
    def __imatmul__(self, item):
        return ("matmul", item)
def run():
    bag = Bag()
    same = bag
    bag += 1
    bag += 2
    kept = bag
    bag @= 3
    return same is kept, same.items, bag
""",
    "augmented target is evaluated once and in order": """
def run():
    trace = []
    def note(value, result):
        trace.append(value)
        return result
    target = {"k": 1}
    note("subject", target)[note("key", "k")] += note("value", 5)
    return trace, target
""",
    "augmented assignment in a class body and at module level": """
TABLE = {"n": 1}
TABLE["n"] += 1
class Box:
    values = [1]
    values[0] += 1
    size = 1
    size += 1
def run():
    return TABLE, Box.values, Box.size, [n for n in ("gbx_t1", "gbx_t2") if hasattr(Box, n)]
""",
    "augmented global and nonlocal": """
total = 0
def run():
    global total
    count = 0
    def add():
        nonlocal count
        count += 2
        return count
    total += 1
    add()
    return add(), total
""",
    "swap and parallel assignment": """
def run():
    a, b = 1, 2
    a, b = b, a + b
    (c, d), e = (a, b), [1]
    first, *rest = [1, 2, 3]
    *start, last = "abc"
    head, (inner, *more), tail = 1, (2, 3, 4), 5
    return a, b, c, d, e, first, rest, start, last, head, inner, more, tail
""",
    "list targets": """
def run():
    [a, [b, *c]] = [1, (2, 3, 4)]
    for [x, y] in [(1, 2)]:
        pass
    return a, b, c, x, y, [p + q for [p, q] in [(1, 2)]]
""",
    "several targets, of which some unpack, evaluate the value once": """
def run():
    calls = []
    def pair():
        calls.append(1)
        return [1, 2]
    whole = a, b = first, *rest = pair()
    x = y = pair()
    return whole, a, b, first, rest, x is y, len(calls)
""",
    "assignment order of several targets": """
def run():
    i = 0
    items = [9, 9, 9]
    i, items[i] = 1, 5
    i = items[i] = 2
    return i, items
""",
    "slices": """
def run():
    items = list(range(10))
    items[2:4] = ["a"]
    items[::3] = [0] * len(items[::3])
    del items[-2:]
    copy = items[:]
    return items, items[1:5:2], items[-1], copy[slice(0, 2)]
""",
    "deletion": """
class Box:
    pass
def run():
    box = Box(); box.a = 1; box.b = 2
    d = {"x": 1, "y": 2}
    items = [1, 2, 3]
    name = 1
    del box.a, d["x"], items[0], name
    return hasattr(box, "a"), box.b, d, items
""",
    "walrus": """
def run():
    if (n := len("abc")) > 2:
        doubled = [last := x * 2 for x in range(n)]
    return n, doubled, last
""",
}


@pytest.mark.parametrize("source", PROGRAMS.values(), ids=PROGRAMS)
def test_assignments_give_what_python_gives(run_both: Any, source: str) -> None:
    assert run_both(source) is not None


@pytest.mark.parametrize(
    "body", ["a, b = 1, 2, 3", "a, b = 5", "(a, b), c = 1, 2", "for a, b in [1]: pass", "a, *b = ()"]
)
def test_wrong_unpacking_raises_what_python_raises(run_program: Any, body: str) -> None:
    with pytest.raises((ValueError, TypeError)) as plain:
        exec(body, {})
    with pytest.raises(plain.type):
        run_program.body(body)


def test_unbound_local_stays_unbound(run_program: Any) -> None:
    with pytest.raises(UnboundLocalError):
        run_program.body("x += 1")
