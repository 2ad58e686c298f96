"""What the check of a program refuses before anything runs, and that it refuses nothing else."""

import pytest

from sandbox.monty import MontySandbox
from sandbox.monty.check import SPECIAL_METHODS
from sandbox.types import Program
from tests.integration.monty.conftest import Run

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("import statistics\ndef run():\n    return 1", 1, "module statistics is not available"),
        ("def run():\n    try:\n        import numpy\n    except ImportError:\n        pass", 3, "module numpy"),
        ("from math import sqrt, nothing\ndef run():\n    return 1", 1, "math.nothing is not available"),
        ("import math\ndef run():\n    return math.nothing", 3, "math.nothing is not available"),
        ("from . import beside\ndef run():\n    return 1", 1, "one module"),
        ("def run():\n    return bytearray(3)", 2, "bytearray is not available"),
        ("def run():\n    try:\n        pass\n    except ConnectionError:\n        pass", 4, "ConnectionError"),
        ("def run():\n    return 'a'.translate({})", 2, "the method translate is not available"),
        ("def run():\n    return [*{3, 1}]", 2, "sorted(...)"),
        ("def run():\n    kept = set()\n    for one in kept:\n        print(one)", 3, "sorted(...)"),
        ("def run():\n    return next(x for x in [1])", 2, "write a loop"),
        ("def run():\n    return hasattr('', 'upper')", 2, "isinstance()"),
        ("class Box:\n    def __len__(self):\n        return 0\ndef run():\n    return 1", 2, "__len__"),
        ("def run():\n    x = {}\n    del x['a']", 3, "del"),
        ("def run():\n    yield 1", 2, "yield"),
        ("class A(Exception):\n    pass\ndef run():\n    return 1", 1, "inheritance"),
        ("nothing = 1", 1, "no function `run`"),
        ("def run(: pass", 1, "invalid syntax"),
    ],
)
async def test_what_the_interpreter_lacks_is_refused_at_its_line(
    sandbox: MontySandbox, source: str, line: int, message: str
) -> None:
    refusals = await sandbox.check(Program(source))

    assert [refusal.line for refusal in refusals][:1] == [line], refusals
    assert message in refusals[0].message


@pytest.mark.parametrize(
    "source",
    [
        "import json, math, re\ndef run(inputs):\n    return [math.pi, re.match('a', 'a').group(), json.dumps(inputs)]",
        "from collections import Counter\ndef run():\n    return Counter('aab').most_common(1)",
        "from datetime import date\ndef run():\n    return date.fromisoformat('2026-01-02').year",
        "def run():\n    return sum(x for x in [1]) + len({1, 2}) + sum(sorted({3, 1}))",
        "def run():\n    return sorted({3, 1}), 3 in {3}, ','.join(str(x) for x in [1])",
        "class Box:\n    def __init__(self, x):\n        self.x = x\n    def translate(self):\n        return self.x\n"
        "def run():\n    return Box(1).translate()",
        "def run(inputs, ctx):\n    ctx.log('x')\n    return ctx.fetch('https://a.example').json()",
        "def run(inputs):\n    input = inputs['property']\n    return input",
        "from __future__ import annotations\ndef run(inputs: dict[str, int]) -> int:\n    return 1",
    ],
)
async def test_ordinary_program_is_taken(sandbox: MontySandbox, source: str) -> None:
    assert await sandbox.check(Program(source)) == ()


async def test_check_runs_nothing(sandbox: MontySandbox) -> None:
    assert await sandbox.check(Program("while True:\n    pass\ndef run():\n    return 1")) == ()


@pytest.mark.parametrize("source", ["x = " + "(" * 90 + "1" + ")" * 90 + "\ndef run():\n    return 1"])
async def test_deep_source_is_decided(sandbox: MontySandbox, source: str) -> None:
    await sandbox.check(Program(source))
    assert await sandbox.check(Program("def run():\n    return 1")) == ()


CALLS_OF_SPECIAL_METHODS = {
    "__init__": "C().made",
    "__post_init__": "D(1).doubled",
    "__eq__": "C() == 5",
    "__hash__": "hash(C())",
    "__iter__": "list(C())",
    "__next__": "next(C())",
    "__getitem__": "C()[3]",
    "__setitem__": "put(C())",
    "__contains__": "9 in C()",
    "__add__": "C() + 1",
    "__radd__": "1 + C()",
    "__call__": "C()(4)",
    "__str__": "str(C())",
    "__repr__": "repr(C())",
    "__enter__": "enter(C())",
    "__exit__": "enter(C())",
}
CLASSES = """
from dataclasses import dataclass
class C:
    def __init__(self):
        self.made = 'init'
    def __eq__(self, other):
        return other == 5
    def __hash__(self):
        return 7
    def __iter__(self):
        return iter([1, 2])
    def __next__(self):
        return 8
    def __getitem__(self, key):
        return key * 2
    def __setitem__(self, key, value):
        self.made = [key, value]
    def __contains__(self, item):
        return item == 9
    def __add__(self, other):
        return 'add'
    def __radd__(self, other):
        return 'radd'
    def __call__(self, n):
        return n * 3
    def __str__(self):
        return 'str'
    def __repr__(self):
        return 'repr'
    def __enter__(self):
        return 'enter'
    def __exit__(self, kind, error, traceback):
        return True
@dataclass
class D:
    x: int
    def __post_init__(self):
        self.doubled = self.x * 2
def put(c):
    c['k'] = 1
    return c.made
def enter(c):
    with c as entered:
        kept = entered
        raise ValueError
    return kept
"""


@pytest.mark.parametrize("name", sorted(SPECIAL_METHODS))
async def test_special_method_that_passes_is_called_as_python_does(run: Run, name: str) -> None:
    source = f"{CLASSES}\ndef run():\n    return {CALLS_OF_SPECIAL_METHODS[name]}"
    names: dict[str, object] = {}
    exec(source, names)
    expected = names["run"]()  # type: ignore[operator]

    result = await run(source)

    assert result.value == expected, result.error
