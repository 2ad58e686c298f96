"""Classes, dataclasses, enumerations and the other class-like things of the library work as in Python."""

import traceback
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.types import Refusal

Refusals = Callable[[str], tuple[Refusal, ...]]

PROGRAMS = {
    "special methods": """
class Money:
    def __init__(self, cents): self._cents = cents
    def __repr__(self): return f"Money({self._cents})"
    def __str__(self): return f"{self._cents / 100:.2f}"
    def __format__(self, spec): return f"<{self._cents:{spec}}>"
    def __eq__(self, other): return isinstance(other, Money) and self._cents == other._cents
    def __hash__(self): return hash(self._cents)
    def __lt__(self, other): return self._cents < other._cents
    def __le__(self, other): return self._cents <= other._cents
    def __bool__(self): return self._cents != 0
    def __add__(self, other): return Money(self._cents + (other._cents if isinstance(other, Money) else other))
    __radd__ = __add__
    def __sub__(self, other): return Money(self._cents - other._cents)
    def __mul__(self, by): return Money(self._cents * by)
    def __rmul__(self, by): return self * by
    def __truediv__(self, by): return Money(round(self._cents / by))
    def __floordiv__(self, by): return Money(self._cents // by)
    def __mod__(self, by): return self._cents % by
    def __divmod__(self, by): return self // by, self % by
    def __pow__(self, by): return self._cents ** by
    def __neg__(self): return Money(-self._cents)
    def __abs__(self): return Money(abs(self._cents))
    def __int__(self): return self._cents
    def __float__(self): return float(self._cents)
    def __index__(self): return self._cents
    def __round__(self, digits=0): return Money(round(self._cents, digits))
    def __and__(self, other): return "and"
    def __xor__(self, other): return "xor"
    def __lshift__(self, other): return "lshift"
    def __invert__(self): return "invert"
    def __matmul__(self, other): return "matmul"
def run():
    a, b = Money(250), Money(120)
    return [
        repr(a), str(a), f"{a:>6}", a == b, len({a, Money(250)}), a < b, a >= b, bool(Money(0)), sum([a, b]), a - b,
        2 * a, a / 3, a // 3, a % 7, divmod(a, 7), b ** 2, -a, abs(-a), int(a), float(a), [0] * 3 if Money(3) else 0,
        "abc"[Money(1)], round(a, -2), a & b, a ^ b, a << b, ~a, a @ b, hex(a), max(a, b),
    ].__repr__()
""",
    "containers": """
class Grid:
    def __init__(self): self._cells = {}
    def __len__(self): return len(self._cells)
    def __getitem__(self, key): return self._cells[key]
    def __setitem__(self, key, value): self._cells[key] = value
    def __delitem__(self, key): del self._cells[key]
    def __contains__(self, key): return key in self._cells
    def __iter__(self): yield from self._cells
    def __reversed__(self): return iter(sorted(self._cells, reverse=True))
    def __call__(self, *args, **kwargs): return args, kwargs
class Countdown:
    def __init__(self, n): self.n = n
    def __iter__(self): return self
    def __next__(self):
        if self.n == 0:
            raise StopIteration
        self.n -= 1
        return self.n
class Default(dict):
    def __missing__(self, key): return key * 2
def run():
    grid = Grid()
    grid[1, 2] = "x"
    grid[0, 0] = "y"
    grid[0, 0] += "z"
    del grid[1, 2]
    return (
        len(grid), grid[0, 0], (0, 0) in grid, list(grid), list(reversed(grid)), list(Countdown(3)),
        Default()["ab"], grid(1, a=2)
    )
""",
    "context managers": """
from contextlib import contextmanager
class Step:
    def __init__(self, trace, name, swallow=False):
        self.trace, self.name, self.swallow = trace, name, swallow
    def __enter__(self):
        self.trace.append("enter " + self.name)
        return self, self.name
    def __exit__(self, kind, error, traceback):
        self.trace.append(f"exit {self.name} {kind.__name__ if kind else None} {error}")
        return self.swallow
@contextmanager
def around(trace):
    trace.append("before")
    try:
        yield 5
    finally:
        trace.append("after")
def run():
    trace = []
    with Step(trace, "a", True) as (step, name), Step(trace, "b"), around(trace) as five:
        trace.append((name, five))
        raise ValueError("inside")
    return trace
""",
    "inheritance, properties and methods of the class": """
from abc import ABC, ABCMeta, abstractmethod
import abc
class Shape(ABC):
    kinds = []
    def __init__(self, name):
        self._name = name
    @property
    def name(self):
        return self._name
    @name.setter
    def name(self, value):
        self._name = value.upper()
    @name.deleter
    def name(self):
        self._name = None
    @abstractmethod
    def area(self): ...
    @classmethod
    def make(cls, *args):
        cls.kinds.append(cls.__name__)
        return cls(*args)
    @staticmethod
    def double(x):
        return x * 2
class Square(Shape):
    def __init__(self, side):
        super().__init__("square")
        self.side = side
    def area(self):
        return self.double(self.side ** 2) // 2
class Loud:
    def area(self):
        return f"{super().area()}!"
class LoudSquare(Loud, Square):
    pass
class Old(metaclass=ABCMeta):
    @abstractmethod
    def f(self): ...
class Older(Square, metaclass=abc.ABCMeta):
    pass
def run():
    square = LoudSquare.make(3)
    square.name = "big"
    named = square.name
    del square.name
    errors = []
    for cls in (Shape, Old):
        try:
            cls()
        except TypeError as error:
            errors.append(str(error))
    return (
        square.area(), named, square.name, Shape.kinds, errors, issubclass(Square, Shape), isinstance(Older(1), Shape)
    )
""",
    "dataclasses": """
from dataclasses import dataclass, field, asdict, astuple, replace, fields, FrozenInstanceError
import dataclasses
from typing import ClassVar, Optional
@dataclass
class Item:
    \"\"\"An item.\"\"\"
    name: str
    price: float = 0.0
    tags: list[str] = field(default_factory=list)
    count: ClassVar[int] = 7
    parent: "Optional[Item]" = field(default=None, repr=False, compare=False)
    def total(self):
        return self.price * 2
    def __post_init__(self):
        self.name = self.name.strip()
@dataclass(frozen=True, order=True)
class Point:
    x: int
    y: int = 0
    length: float = field(init=False, compare=False)
    def __post_init__(self):
        object.__setattr__(self, "length", (self.x ** 2 + self.y ** 2) ** 0.5)
@dataclass(eq=False)
class Derived(Item):
    extra: int = 1
@dataclasses.dataclass(slots=True, kw_only=True)
class Slim:
    a: int
    b: int = 2
def run():
    item = Item(" pen ", tags=["a"])
    item.price += 2
    point = Point(3, 4)
    try:
        point.x = 1
        frozen = False
    except FrozenInstanceError as error:
        frozen = str(error)
    slim = Slim(a=1)
    slim.b += 1
    return [
        repr(item), item == Item("pen", 2.0, ["a"]), item.total(), asdict(item), astuple(Point(1)),
        repr(replace(point, y=0)),
        point.length, sorted([Point(2), Point(1, 5)])[0].y, hash(point) == hash(Point(3, 4)), frozen, Item.count,
        Item.__doc__,
        [f.name for f in fields(item)], [getattr(item, f.name) for f in fields(Item)], repr(Derived("x", extra=3)),
        repr(slim),
        Point(1) < Point(2), Item("a").tags is Item("b").tags,
    ]
""",
    "dataclass with private fields": """
from dataclasses import dataclass, field
@dataclass
class Cache:
    size: int
    _items: dict = field(default_factory=dict, repr=False)
    _hits: int = 0
    def get(self, key):
        self._hits += 1
        return self._items.setdefault(key, key * self.size)
def run():
    cache = Cache(2, _hits=5)
    return cache.get("a"), cache.get("a"), cache._hits, cache == Cache(2, {"a": "aa"}, 7)
""",
    "enumerations": """
from enum import Enum, IntEnum, Flag, IntFlag, StrEnum, auto, unique
@unique
class Color(Enum):
    RED = 1
    GREEN = auto()
    ALSO_X = "x"
    def describe(self):
        return f"{self.name}={self.value}"
    @classmethod
    def _missing_(cls, value):
        return cls.RED if value == "rouge" else None
    @property
    def upper(self):
        return self.name.upper()
class Level(IntEnum):
    LOW = 1
    HIGH = 2
class Mode(Flag):
    R = auto()
    W = auto()
    RW = R | W
class Name(StrEnum):
    A = auto()
class Planet(Enum):
    EARTH = (5, 6)
    def __init__(self, mass, radius):
        self.mass = mass
        self.radius = radius
def run():
    try:
        Color("nope")
        bad = None
    except ValueError as error:
        bad = str(error)
    return [
        str(Color.RED), repr(Color.GREEN), Color(1) is Color.RED, Color["RED"].describe(), [c.value for c in Color],
        Color("rouge").name,
        bad, Level.HIGH > Level.LOW, Level.HIGH + 1, Mode.RW == Mode.R | Mode.W, Mode.R in Mode.RW, str(Name.A),
        Planet.EARTH.mass,
        list(Color.__members__), isinstance(Color.RED, Color), len(Color), Color.RED == 1,
        {Color.RED: 1}[Color.RED], Color.RED.upper,
    ]
""",
    "named tuples and typed dicts": """
from collections import namedtuple
from typing import NamedTuple, TypedDict
Point = namedtuple("Point", "x y")
class Row(NamedTuple):
    key: str
    value: int = 3
    def double(self):
        return self.value * 2
class Config(TypedDict, total=False):
    name: str
def run():
    row = Row("a")
    point = Point(1, y=2)
    config: Config = Config(name="x")
    key, value = row
    return [
        row, row.double(), row._replace(value=1), row._asdict(), Row._fields, point._asdict(), Point._make([3, 4]),
        config, key, value,
        point.x + point[1], Point._fields, Row._field_defaults,
    ]
""",
    "generics, protocols and slots": """
from typing import Generic, Protocol, TypeVar, runtime_checkable
T = TypeVar("T")
class Stack(Generic[T]):
    def __init__(self) -> None:
        self._items: list[T] = []
    def push(self, item: T) -> "Stack[T]":
        self._items.append(item)
        return self
@runtime_checkable
class Sized(Protocol):
    def size(self) -> int: ...
@runtime_checkable
class Named(Protocol):
    def upper(self): ...
class Box:
    __slots__ = ("width", "_height")
    def __init__(self): self.width, self._height = 1, 2
    def size(self): return self.width * self._height
def run():
    box = Box()
    try:
        box.other = 1
        slots = False
    except AttributeError:
        slots = True
    return (
        Stack[int]().push(1)._items, isinstance(box, Sized), isinstance(5, Sized), box.size(), slots,
        isinstance('a', Named)
    )
""",
    "exceptions": """
class AppError(Exception):
    def __init__(self, message, code=1):
        super().__init__(message)
        self.code = code
class NotFound(AppError, KeyError):
    pass
def run():
    seen = []
    for number in range(4):
        try:
            try:
                if number == 0: raise NotFound("x", 404)
                if number == 1: {}["missing"]
                if number == 2: raise AppError("again") from ValueError("cause")
            except KeyError as error:
                seen.append(("key", error.args, getattr(error, "code", None)))
                raise
            else:
                seen.append("fine")
            finally:
                seen.append("finally")
        except (AppError, LookupError) as error:
            seen.append((type(error).__name__, str(error), repr(error)))
    return seen
""",
    "nested, local and decorated classes": """
def register(registry):
    def decorate(cls):
        registry[cls.__name__] = cls
        return cls
    return decorate
REGISTRY = {}
@register(REGISTRY)
class Outer:
    class _Inner:
        value = 3
        squares = [n * n for n in range(3)]
        if value > 2:
            def big(self): return True
    @staticmethod
    def make():
        class Local(Outer._Inner):
            def __init__(self): self.x = 1
        return Local()
def run():
    local = REGISTRY["Outer"].make()
    return local.value, local.x, local.big(), local.squares, type(local).__qualname__, Outer._Inner.__name__
""",
    "class and function attributes": """
class Settings:
    debug = False
def counted(function):
    def wrapper(*args):
        wrapper.calls += 1
        return function(*args)
    wrapper.calls = 0
    return wrapper
@counted
def double(x):
    return 2 * x
def run():
    Settings.debug = True
    Settings.level = 3
    setattr(Settings, "mode", "x")
    double(1); double(2)
    del Settings.debug
    return double.calls, Settings.level, Settings.mode, hasattr(Settings, "debug")
""",
    "total ordering and cached properties": """
from functools import total_ordering, cached_property, lru_cache, wraps, singledispatch
@total_ordering
class Version:
    def __init__(self, n): self.n = n
    def __eq__(self, other): return self.n == other.n
    def __lt__(self, other): return self.n < other.n
    @cached_property
    def slow(self):
        return [self.n]
def logged(function):
    @wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper
@logged
@lru_cache(maxsize=None)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
def run():
    version = Version(1)
    return version >= Version(0), version.slow is version.slow, fib(20), fib.__name__
""",
}


@pytest.mark.parametrize("source", PROGRAMS.values(), ids=PROGRAMS)
def test_classes_behave_as_in_python(run_both: Any, source: str) -> None:
    assert run_both(source) is not None


@pytest.mark.parametrize(
    ("header", "column", "construct", "hint"),
    [
        ("class A(metaclass=Meta)", 9, "metaclass", "class decorator"),
        ("class A(B, metaclass=type)", 12, "metaclass", "inheritance"),
        ("class A(B, flag=True)", 12, "flag", "class variable"),
        ("class A(**options)", 9, "**", "class variable"),
    ],
)
def test_class_keywords_are_refused(refusals: Refusals, header: str, column: int, construct: str, hint: str) -> None:
    (refusal,) = refusals(f"{header}:\n    pass\n")

    assert (refusal.line, refusal.column, refusal.construct) == (1, column, construct)
    assert hint in refusal.message


@pytest.mark.parametrize(
    "base",
    [
        "type",
        "type(int)",
        "super",
        "property",
        "bool",
        "5",
        "len",
        "json",
        "type(json)",
        "type(run)",
        "type(type(json))",
    ],
)
def test_what_is_no_ordinary_class_cannot_be_derived_from(run_program: Any, base: str) -> None:
    with pytest.raises(TypeError):
        run_program.body(f"class A({base}):\n    pass", above="import json")


@pytest.mark.parametrize("slots", ['"__class__"', '("x", "__reduce__")', '["gbx_p_x"]', "[5]", '("__getattr__",)'])
def test_slots_hold_plain_names_only(run_program: Any, slots: str) -> None:
    with pytest.raises(TypeError):
        run_program.body(f"class A:\n    __slots__ = {slots}")


def test_exit_never_sees_a_traceback(run_program: Any) -> None:
    body = """
seen = []
class Guard:
    def __exit__(self, *args):
        seen.append(args)
        return True
    def __enter__(self): pass
class Child(Guard):
    def __exit__(self, kind, error, traceback):
        return super().__exit__(kind, error, traceback)
with Guard():
    raise ValueError("x")
with Child():
    raise ValueError("y")
return [(kind.__name__, str(error), traceback) for kind, error, traceback in seen]
"""
    assert run_program.body(body) == [("ValueError", "x", None), ("ValueError", "y", None)]


def test_exit_must_be_a_method(run_program: Any) -> None:
    with pytest.raises(TypeError, match="written with def"):
        run_program.body("class A:\n    __exit__ = [].append")


def test_annotations_are_never_code(run_program: Any) -> None:
    body = """
class A:
    plain: int
    nested: dict[str, list[tuple[int, ...]]] | None
    quoted: "list[A]"
    call: print("evaluated")
    hidden: "__import__('os').system('true')"
    dunder: int.__class__
    inside: "dict[str, 'A | __import__']"
    literal: Literal["print(1)", 5]
    variable: ClassVar[list["f(1)"]]
    broken: "not a type ("
return A
"""
    made = run_program.body(body)

    assert made.__annotations__ == {
        "plain": "int",
        "nested": "dict[str, list[tuple[int, ...]]] | None",
        "quoted": "list[A]",
        "inside": "dict[str, A | object]",
        "literal": "Literal[object, object]",
        "variable": "ClassVar[list[object]]",
        **dict.fromkeys(("call", "hidden", "dunder", "broken"), "object"),
    }
    assert run_program.logs == []


def test_argument_errors_name_the_method_as_written(run_program: Any) -> None:
    with pytest.raises(TypeError, match=r"A\.__init__\(\) missing 1 required positional argument: 'x'"):
        run_program.body("class A:\n    def __init__(self, x): pass\nA()")
    with pytest.raises(TypeError, match=r"A\._f\(\) missing 1 required positional argument: 'x'"):
        run_program.body("class A:\n    def _f(self, x): pass\nA()._f()")


def test_errors_in_a_class_statement_have_its_line(run_program: Any) -> None:
    with pytest.raises(TypeError) as caught:
        run_program("x = 1\n\n\nclass A(len):\n    pass\ndef run(): pass\n")

    frames = traceback.extract_tb(caught.value.__traceback__)
    assert [frame.lineno for frame in frames if frame.filename == "agent.py"] == [4]
