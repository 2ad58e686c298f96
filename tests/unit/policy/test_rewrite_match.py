"""`match` decides and binds as in Python."""

from typing import Any

import pytest

SUBJECTS = """
import array
from collections import OrderedDict, defaultdict, deque, namedtuple
from enum import Enum
class Color(Enum):
    RED = 1
    BLUE = 2
class Point:
    __match_args__ = ("x", "_y")
    def __init__(self, x, y):
        self.x = x
        self._y = y
class Sub(Point):
    def __init__(self):
        self.x = "only x"
class Names(str):
    pass
Pair = namedtuple("Pair", "left right")
SUBJECTS = [
    0, 1, 2, -3, 2.5, 1j, True, False, None, "", "a", "abc", b"a", bytearray(b"ab"), [], [1], [1, 2], [1, 2, 3], [1,
    [2, 3]],
    (), (1,), (1, 2), (5, 5), range(3), deque([1, 2]), array.array("i", [1, 2]), {1}, {}, {"k": 1}, {"k": 2, "z": 3},
    {"k": {"deep": [1, 2]}}, OrderedDict(k=1), defaultdict(int, k=5), Color.RED, Color.BLUE, Point(1, 2), Point(0, 0),
    Sub(), Pair(1, 2), Names("abc"), int, ["go", "north"], ["go", "up", "down"], {"type": "circle", "r": 2},
]
"""

CASES = {
    "literals": 'case 1 | 2.5 | -3: return "n"\n case "a" | b"a" | 1j: return "t"\n case "": return "e"',
    "singletons": "case None: return 0\n case True: return 1\n case False: return 2",
    "capture": 'case x: return ("x", repr(type(x)))',
    "wildcard": "case _: return 5",
    "guard": 'case int(n) if n > 1: return ("big", n)\n case int() as n: return ("small", n)',
    "fixed sequence": "case [a, b]: return (a, b)\n case [a]: return a\n case []: return ()",
    "star": "case [first, *rest, last]: return (first, rest, last)\n case [*all_]: return all_",
    "unnamed star": "case [1, *_]: return 1\n case (*_, 3): return 3",
    "nested sequence": "case [x, [y, *z]]: return (x, y, z)",
    "same items": "case [a, b] if a == b: return a",
    "mapping": 'case {"k": 1}: return "one"\n case {"k": {"deep": [x, *_]}}: return x\n case {"k": v}: return v',
    "mapping rest": 'case {"k": v, **rest}: return (v, rest)\n case {**everything}: return everything',
    "empty mapping": "case {}: return 'mapping'",
    "builtin classes": (
        "case bool(b): return ('b', b)\n case int(i) | float(i): return ('n', i)\n case str(s): return ('s', s)\n"
        " case bytes() | bytearray(): return 'bytes'\n case list([x, y]): return (x, y)\n case dict(d): return len(d)\n"
        " case set() | frozenset(): return 'set'\n case tuple(t): return t"
    ),
    "own classes": (
        "case Point(x=0, _y=0): return 'origin'\n case Point(x, y): return (x, y)\n case Point(x=x): return ('some', x)"
    ),
    "enumeration": "case Color.RED: return 'red'\n case Color(value=v): return v",
    "named tuple": "case Pair(left, right=2): return left\n case Pair(): return 'pair'",
    "or with captures": 'case [x] | {"k": x} | Point(x=x): return x',
    "as": "case (1 | 2) as n: return n",
    "as inside": 'case [(1 | 5) as first, _]: return first\n case {"k": int() as k}: return k',
    "commands": 'case ["go", ("north" | "up") as where, *more]: return (where, more)',
    "tagged": 'case {"type": "circle", "r": r}: return 3 * r * r\n case {"type": kind}: return kind',
    "class without arguments": "case type(): return 'type'\n case object(): return 'object'",
}


@pytest.mark.parametrize("cases", CASES.values(), ids=CASES)
def test_every_pattern_decides_as_python_does(run_both: Any, cases: str) -> None:
    indented = "".join(f"        {line.strip()}\n" for line in cases.split("\n"))
    program = f"""{SUBJECTS}
def decide(subject):
    match subject:
{indented}    return "nothing"
def run():
    return [repr(decide(subject)) for subject in SUBJECTS]
"""

    assert len(run_both(program)) > 40


@pytest.mark.parametrize(
    "source",
    [
        # The subject is evaluated once.
        """
def run():
    calls = []
    def subject():
        calls.append(1)
        return 3
    match subject():
        case 1: pass
        case 2: pass
        case 3: calls.append("three")
    return calls
""",
        # A failed pattern binds nothing; a failed guard leaves its names bound.
        """
def run():
    a = b = "old"
    match [1, 2]:
        case [a, 3]: pass
        case [b, 2] if b > 5: pass
    return a, b
""",
        """
def run():
    found = []
    for item in (1, [2, 3], {"a": 4}):
        match item:
            case int():
                continue
            case [_, x]:
                found.append(x)
            case {"a": x} if x == 4:
                found.append(x)
                break
    return found
""",
        """
LIMIT = 5
class Config:
    mode = "fast"
def run():
    out = []
    for value in (5, "fast", (1, 2)):
        match value:
            case Config.mode: out.append("mode")
            case (x, y): out.append(x + y)
            case n if n == LIMIT: out.append("limit")
    return out
""",
        """
def run():
    def outer():
        count = 0
        def step(event):
            nonlocal count
            match event:
                case ("set", count): pass
                case "up": count += 1
            return count
        return step("up"), step(("set", 7)), step("up")
    return outer()
""",
        """
class Shape:
    match (1, 2):
        case (width, height): pass
def run():
    match Shape.width, Shape.height:
        case 1, y: return y
""",
        """
from dataclasses import dataclass
@dataclass
class Circle:
    radius: float
    _unit: str = "cm"
def run():
    match Circle(2):
        case Circle(radius, unit): return radius, unit
""",
    ],
)
def test_match_statements_run_as_in_python(run_both: Any, source: str) -> None:
    assert run_both(source) is not None


@pytest.mark.parametrize("case", ["case int(1, 2): pass", "case Empty(1): pass", "case not_a_class(): pass"])
def test_class_patterns_that_python_refuses_raise_type_error(run_program: Any, case: str) -> None:
    above = "not_a_class = 5\nclass Empty:\n    pass\n"

    with pytest.raises(TypeError):
        run_program.body(f"match Empty() if 'Empty' in {case!r} else 1:\n    {case}", above=above)


def test_interpreter_attributes_cannot_be_matched(run_program: Any, refusals: Any) -> None:
    (refusal,) = refusals("def f(x):\n    match x:\n        case object(__class__=c): return c\n")
    assert (refusal.line, refusal.construct) == (3, "__class__")

    body = "match (n for n in ()):\n    case object(gi_frame=frame): return frame\nreturn 'none'"
    assert run_program.body(body) == "none"
