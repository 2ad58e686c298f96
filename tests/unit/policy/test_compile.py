"""From source to code or refusals: the entry point, places, everyday Python, and sources that make no sense."""

import random
import time
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.policy import Compiled, compile_program, guest_globals
from sandbox.policy.compile import REFUSALS_MAX
from sandbox.types import Refusal

Refusals = Callable[[str], tuple[Refusal, ...]]

PROGRAMS = {
    "control flow": """
def run():
    out = []
    for i in range(10):
        if i == 2:
            continue
        elif i > 4:
            break
        out.append(i)
    else:
        out.append("never")
    n = 0
    while n < 3:
        n += 1
    else:
        out.append("done")
    return out, n, 1 < n <= 3 != 4, "yes" if n else "no", not n, n and "and", 0 or "or", n is not None, 3 in out
""",
    "functions": """
def defaults(a, b=2, /, c=3, *args, d, e=5, **kwargs):
    return a, b, c, args, d, e, kwargs
def closure(n):
    def add(x):
        return x + n
    return add
def recursive(n):
    return 1 if n <= 1 else n * recursive(n - 1)
def run():
    squares = [lambda x, n=n: x * n for n in range(3)]
    rest = [1, 2]
    options = {"d": 4, "z": 9}
    return (
        defaults(1, d=4), defaults(*rest, 5, 6, **options), closure(2)(3), recursive(5), [f(2) for f in squares],
        (lambda *a, **k: (a, k))(1, b=2)
    )
""",
    "generators": """
def numbers(n):
    got = yield "start"
    for i in range(n):
        got = yield (i, got)
    return "end"
def chained():
    result = yield from numbers(2)
    yield result
def cleaning(trace):
    try:
        yield 1
    finally:
        trace.append("closed")
def run():
    trace = []
    gen = chained()
    out = [next(gen), gen.send("a"), gen.send("b"), next(gen)]
    cleaner = cleaning(trace)
    next(cleaner)
    cleaner.close()
    return out, trace, list(x * 2 for x in range(3)), sum(x for x in range(4) if x % 2)
""",
    "comprehensions": """
def run():
    pairs = [(1, ("a", 2)), (3, ("b", 4))]
    matrix = [[i * j for j in range(3)] for i in range(3)]
    return (
        {k: v for k, (v, _) in pairs}, {x for x in "hello"}, [a + b for a, (_, b) in pairs],
        [x for row in matrix for x in row if x],
        {a: [b for b in range(a)] for a in (1, 2)}, [y := 5, y ** 2],
    )
""",
    "texts": """
def run():
    name, value, width = "x", 3.14159, 10
    row = {"a": 1}
    return (
        f"{name!r:>{width}}|{value:.2f}|{value:{width}.3}|{row['a']:03d}|{{}}|{name=}|{1 + 1}",
        "%s-%d" % (name, 2), "%(a)s" % {"a": 1},
        "a" "b", b"x" + b"y", r"\\d", \"\"\"multi
line\"\"\", "-".join(["a", "b"]), "abc"[::-1], "ü".upper(), f"{'nested ' + f'{name}'}",
    )
""",
    "exceptions": """
class AppError(Exception):
    pass
def attempt(n):
    try:
        if n == 0:
            raise ValueError("zero")
        if n == 1:
            [][5]
        if n == 2:
            raise AppError("app") from None
        assert n != 3, "three"
        return "returned"
    except (ValueError, IndexError) as error:
        return type(error).__name__, error.args
    except AppError:
        return "app"
    except:
        return "anything"
    else:
        return "else"
    finally:
        LOG.append(n)
LOG = []
def run():
    return [attempt(n) for n in range(5)], LOG
""",
    "library functions that import": """
import itertools, time
from datetime import datetime
ids = itertools.count(1).__next__
def run():
    ids()
    return (
        datetime.strptime("2024-01-02", "%Y-%m-%d").isoformat(), time.strptime("03:04", "%H:%M")[3], ids(),
        f"{datetime(2024, 1, 2):%d %b}"
    )
""",
    "exceptions and their causes": """
def run():
    try:
        try:
            {}["key"]
        except KeyError as error:
            raise ValueError("bad") from error
    except ValueError as error:
        return repr(error.__cause__), error.__cause__.__cause__
""",
    "rule table": """
RULES = [
    ("big", lambda order: order["total"] > 100, 0.1),
    ("member", lambda order: order.get("member", False), 0.05),
]
def run():
    orders = [{"total": 150, "member": True}, {"total": 50}]
    result = []
    for order in orders:
        applied = [(name, rate) for name, test, rate in RULES if test(order)]
        discount = sum(rate for _, rate in applied)
        result.append({"names": [n for n, _ in applied], "pay": round(order["total"] * (1 - discount), 2)})
    return result
""",
    "docstrings stay": '''
"""Module."""
def run():
    """Run it."""
    return run.__doc__
''',
}


@pytest.mark.parametrize("source", PROGRAMS.values(), ids=PROGRAMS)
def test_everyday_python_gives_what_python_gives(run_both: Any, source: str) -> None:
    assert run_both(source) is not None


@pytest.mark.parametrize(
    ("definition", "arguments"),
    [
        ("def run(): return 1", ()),
        ("def run(inputs): return inputs", (1,)),
        ("def run(inputs, ctx): return ctx", (2, 1)),
        ("def run(inputs, /, ctx=None): return inputs", (1,)),
        ("def run(*args): return 1", (1, 2)),
        ("def run(inputs, *, extra=1): return extra", (5,)),
        ("def wrap(f): return f\n@wrap\ndef run(inputs): return inputs", (1,)),
        ("def run(a, b, c): pass\ndef run(): return 1", ()),
    ],
)
def test_run_may_take_no_one_or_two_arguments(run_program: Any, definition: str, arguments: tuple[int, ...]) -> None:
    assert run_program(definition, *arguments) == 1


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("", 1),
        ("x = 1", 1),
        ("run = lambda inputs: 1", 1),
        ("class run: pass", 1),
        ("if True:\n    def run(): pass", 1),
        ("def outer():\n    def run(): pass", 1),
        ("\n\ndef run(a, b, c): pass", 3),
        ("def run(a, b, c=1): pass", 1),
        ("def run(a, /, b, c): pass", 1),
        ("def run(a, *, b): pass", 1),
        ("def run(): pass\ndef run(a, b, c): pass", 2),
    ],
)
def test_any_other_entry_point_is_refused(source: str, line: int) -> None:
    (refusal,) = compile_program(source).refusals

    assert (refusal.line, refusal.column, refusal.construct) == (line, 1, "run")
    assert "run(inputs, ctx)" in refusal.message


@pytest.mark.parametrize(
    ("source", "line", "column"),
    [
        ("def run():\n    return 1 +\n", 2, 15),
        ("def run(:\n", 1, 9),
        ("def run():\n  x = 1\n    y = 2\n", 3, 4),
        ("def run():\n    break\n", 2, 5),
        ("return 1\n", 1, 1),
        ("def run():\n    nonlocal x\n", 2, 5),
        ("def run(a, a): pass\n", 1, 12),
        ("x = 'never closed\n", 1, 5),
        ("def run():\n    x = 1\n    global x\n", 3, 5),
        ("print 'x'\n", 1, 1),
        ("type X = int\n", 1, 6),
        ("async def f():\n    yield from x\n", 2, 5),
    ],
)
def test_syntax_errors_are_one_refusal_at_their_place(source: str, line: int, column: int) -> None:
    (refusal,) = compile_program(source).refusals

    assert (refusal.line, refusal.column, refusal.construct) == (line, column, "syntax")


@pytest.mark.parametrize("source", ["def run():\n    return '\0'", "x = '\ud800'", "\0", "\udcff"])
def test_sources_that_are_no_text_are_one_refusal(source: str) -> None:
    compiled = compile_program(source)

    assert compiled.code is None
    assert len(compiled.refusals) == 1


def test_refusals_come_in_source_order_each_once_and_bounded(refusals: Refusals) -> None:
    found = refusals("\n".join(f"x{n} = open('{n}'); import os" for n in range(REFUSALS_MAX)))

    assert len(found) == REFUSALS_MAX
    assert list(found) == sorted(set(found), key=lambda refusal: (refusal.line, refusal.column))


def test_columns_count_characters(refusals: Refusals) -> None:
    (refusal,) = refusals("äöü = 'é'; öffne = open('ß')\n")

    assert (refusal.line, refusal.column) == (1, 20)


def test_refused_programs_have_no_code_and_accepted_ones_no_refusals() -> None:
    assert compile_program("def run(): return eval('1')").code is None
    accepted = compile_program("def run(): return 1")
    assert accepted == Compiled(accepted.code, ())


def test_the_file_name_is_in_the_code() -> None:
    code = compile_program("def run(): pass", "other.py").code

    assert code is not None
    assert code.co_filename == "other.py"


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("x = 1\n    boom()", 6),
        ("box.n += boom()", 5),
        ("box.items[0] += boom()", 5),
        ("box.missing += 1", 5),
        ("a, b = (\n        1,\n        boom())", 7),
        ("a, b = c = boom()", 5),
        ("match boom():\n        case _: pass", 5),
        ("match 1:\n        case 2: pass\n        case n if boom(): pass", 7),
        ("match 1:\n        case 1:\n            boom()", 7),
        ("print(\n        1,\n        boom(),\n    )", 7),
        ("return f'''\n    {boom()}'''", 6),
        ("return [\n        1 / 0\n        for _ in 'ab'\n    ]", 6),
        ("len(\n        5)", 5),
        ("'{.x}'.format(\n        5)", 5),
        ("class A:\n        x = 1\n        y = boom()", 7),
        ("box._gone", 5),
        ("box.format", 5),
        ("with box as (a, b):\n        pass", 5),
    ],
)
def test_errors_keep_the_authors_line(statement: str, line: int) -> None:
    start = "def boom():\n    raise ValueError\ndef run():\n    box = Box()\n"
    source = f"{start}    {statement}\nclass Box:\n    n = 1\n    items = [1]\n"
    compiled = compile_program(source)
    assert compiled.refusals == ()

    plain = _lines_of_failure(compile(source, "agent.py", "exec"), {"__name__": "x"})
    assert _lines_of_failure(compiled.code, guest_globals(print)) == plain
    assert line in plain


def _lines_of_failure(code: Any, names: dict[str, Any]) -> list[int | None]:
    exec(code, names)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one is the program's business
        names["run"]()
    frames = traceback.extract_tb(caught.value.__traceback__)
    return [frame.lineno for frame in frames if frame.filename == "agent.py"]


CORPUS = [*PROGRAMS.values()]
TOKENS = [
    *("def", "class", "match", "case", "async", "await", "nonlocal", "global", "import", "from", "lambda", "yield"),
    *("__class__", "__init__", "_x", "gbx_p", "self", "run", "super()", "print", "eval", "open", "except*", "type"),
    *(
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ":",
        ":=",
        "=",
        "+=",
        ",",
        "*",
        "**",
        ".",
        "@",
        "->",
        "\\",
        "'",
        '"""',
        "f'{",
        "\n",
    ),
    *("\n    ", "\t", "0", "1e999", "0x", "\0", "é", "\ud800", "#", ";", "...", "in", "not", "is", "del", "with", "as"),
]


def _mutated(source: str, chance: random.Random) -> str:
    pieces = list(source)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(pieces) + 1)
        action = chance.randrange(10)
        if action < 4:
            pieces[place:place] = chance.choice(TOKENS)
        elif action < 6:
            del pieces[place : place + chance.randint(1, 12)]
        elif action < 9:
            other = chance.choice(CORPUS)
            start = chance.randrange(len(other))
            pieces[place:place] = other[start : start + chance.randint(1, 80)]
        else:
            lines = "".join(pieces).split("\n")
            chance.shuffle(lines)
            pieces = list("\n".join(lines))
    return "".join(pieces)


def test_no_source_makes_the_compiler_raise() -> None:
    chance = random.Random(20_240_817)  # noqa: S311 - the same sources every time
    accepted = 0
    for _ in range(400):
        source = _mutated(chance.choice(CORPUS), chance)
        compiled = compile_program(source)
        accepted += compiled.code is not None
        assert (compiled.code is None) == bool(compiled.refusals)
        assert all(refusal.line >= 1 and refusal.column >= 1 and refusal.message for refusal in compiled.refusals)

    assert accepted > 10  # the mutations leave some programs whole


@pytest.mark.parametrize(
    "source",
    [
        "x = " + "(" * 500 + ")" * 500,
        "x = " + "[" * 90 + "]" * 90,
        "x = " + "-" * 5_000 + "1",
        "x = " + "1+" * 5_000 + "1",
        "x = " + "a." * 5_000 + "b",
        "x = " + "f(" * 80 + ")" * 80,
        "def run(): pass\n" + "if x:\n    pass\n" + "elif x:\n    pass\n" * 2_000,
        "\n".join("    " * n + "if x:" for n in range(90)) + "\n" + "    " * 90 + "pass",
        "x = '" + "a" * 200_000 + "'",
        "x = 9" + "9" * 5_000,
        "x = 1" + "0" * 4_000 + " ** 9",
    ],
    ids=range(11),
)
def test_deep_and_large_sources_end_soon(source: str) -> None:
    started = time.perf_counter()
    try:
        compiled = compile_program(source)
    except (RecursionError, MemoryError):
        compiled = None

    assert time.perf_counter() - started < 2
    assert compiled is None or (compiled.code is None) == bool(compiled.refusals)


def test_a_program_of_the_largest_size_compiles() -> None:
    function = (
        "def step_{0}(row, total=0):\n    total += row['amount'] * {0}\n    return total if total > 3 else None\n"
    )
    source = "".join(function.format(n) for n in range(1_000)) + "def run(): return step_7({'amount': 1})\n"

    assert compile_program(source).refusals == ()
