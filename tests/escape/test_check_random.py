"""Random and mutated sources into the compiler path: it answers each with refusals or none, in time, and never dies."""

import asyncio
import random
import time

import pytest

from sandbox.restricted import RestrictedSandbox
from sandbox.restricted.sandbox import CHECK_LIMITS
from sandbox.types import Program, Refusal
from tests.escape.corpus import read_hostile, read_ordinary
from tests.escape.sandboxes import POLICY, POOL_SIZE, SHARED_UID
from tests.support.figures import Record
from tests.support.processes import zygote_pid

pytestmark = pytest.mark.asyncio(loop_scope="session")

SEED = 20_260_101
CHECK_S_MAX = CHECK_LIMITS.wall_ms_max / 1000 + 1
DELETED_CHARACTERS_MAX, MUTATIONS_MAX = 12, 4
DEPTH_MAX = 6
LINE = "def run():\n    return 1\n"
PIECES = (
    *("(", ")", "[", "]", "{", "}", ":", ":=", "**", "*", "/", ",", ".", "..", "...", "@", "->", "=", "==", "~", ";"),
    *("lambda:0", "yield", "await", "async ", "match x:", "case _:", "except*", "finally:", "with a as b:", "global x"),
    *("nonlocal x", "import os", "from . import x", "class A(B, metaclass=C):", "del x", "f'{x!r:{y}}'", "__x__", "_"),
    *(
        "gbx_h_type",
        "\\",
        "\n",
        "\n    ",
        "\t",
        "\0",
        "\x0c",
        "\ufeff",
        "\ud800",
        "\uff5f",
        "#",
        "'''",
        '"',
        "0x",
        "1e999",
    ),
)

BOMBS = {
    "parentheses": "(" * 50_000 + ")" * 50_000,
    "open parentheses": "(" * 100_000,
    "brackets": "x = " + "[" * 50_000 + "]" * 50_000,
    "minus signs": "x = " + "-" * 100_000 + "1",
    "nots": "x = " + "not " * 50_000 + "1",
    "sum": "x = " + "1+" * 60_000 + "1",
    "powers": "x = " + "2**" * 20_000 + "2",
    "attributes": "x = run" + ".a" * 50_000,
    "calls": "x = run" + "()" * 50_000,
    "subscripts": "x = run" + "[0]" * 40_000,
    "lambdas": "x = " + "lambda:" * 20_000 + "0",
    "conditions": "x = " + "1 if 1 else " * 15_000 + "1",
    "comparisons": "x = " + "1<" * 60_000 + "1",
    "nested f-strings": "x = " + "f'{" * 60 + "1" + "}'" * 60,
    "nested blocks": "\n".join(" " * depth + "if 1:" for depth in range(99)) + "\n" + " " * 99 + "pass",
    "nested functions": "\n".join(" " * depth + f"def f{depth}():" for depth in range(99)) + "\n" + " " * 99 + "pass",
    "nested classes": "\n".join(" " * depth + f"class C{depth}:" for depth in range(99)) + "\n" + " " * 99 + "pass",
    "else-ifs": "if 1: pass\n" + "elif 1: pass\n" * 15_000,
    "cases": "match 1:\n" + " case 1: pass\n" * 15_000,
    "nested patterns": "match 1:\n case " + "[" * 5_000 + "]" * 5_000 + ": pass",
    "alternatives": "match 1:\n case " + "1|" * 50_000 + "1: pass",
    "long integer": "x = " + "9" * 200_000,
    "folded power": "x = 10 ** 10 ** 10 ** 10",
    "folded text": "x = 'x' * 10 ** 12",
    "folded shift": "x = 1 << (1 << 40)",
    "folded tuples": "x = ((((1,) * 255,) * 255,) * 255,) * 255",
    "statements": "x=1;" * 60_000,
    "names": "\n".join(f"name_{number} = {number}" for number in range(12_000)),
    "long name": "x" * 250_000 + " = 1",
    "arguments": "run(" + "1," * 60_000 + ")",
    "decorators": "@run\n" * 40_000 + "def f(): pass",
    "with items": "with " + "a," * 20_000 + "a: pass",
    "targets": "a = " * 50_000 + "1",
    "deletions": "del " + "a," * 50_000 + "a",
    "comprehension loops": "x = [0 " + "for a in b " * 15_000 + "]",
    "null byte": "x = 1\0",
    "lone surrogate": "x = '\ud800'",
    "coding cookie": "# -*- coding: utf-7 -*-\nx = '+AG8-'",
    "unknown coding": "# -*- coding: no-such-coding -*-\nx = 1",
    "mark of byte order": "\ufeffx = 1",
    "form feeds": "\x0c" * 100_000,
    "line continuations": "\\\n" * 60_000 + "x = 1",
    "tabs against blanks": "if 1:\n\tx = 1\n        y = 2",
    "deep dedents": "".join(" " * depth + "if 1:\n" for depth in range(120)),
    "warnings": "x = '\\d'\n" * 5_000 + "1 is 1\n" * 5_000,
}


@pytest.mark.parametrize("name", BOMBS)
async def test_check_answers_a_source_that_is_made_to_hurt(sandbox: RestrictedSandbox, name: str) -> None:
    zygote = zygote_pid(POLICY, SHARED_UID)

    _judge(await _check(sandbox, f"{BOMBS[name]}\n{LINE}"))

    assert zygote_pid(POLICY, SHARED_UID) == zygote


@pytest.mark.parametrize("count", [150, pytest.param(20_000, marks=pytest.mark.long)])
async def test_check_answers_every_random_source(
    sandbox: RestrictedSandbox, count: int, record_property: Record
) -> None:
    record_property("sources", count)
    zygote = zygote_pid(POLICY, SHARED_UID)
    chance = random.Random(SEED)  # noqa: S311 - the same sources each time
    originals = [program.source for program in read_hostile()] + [program.source for program in read_ordinary()]
    places = asyncio.Semaphore(POOL_SIZE)

    async def check(number: int, source: str) -> None:
        async with places:
            try:
                _judge(await _check(sandbox, source))
            except Exception as error:
                error.add_note(f"source {number} of seed {SEED}: {source[:2000]!r}")
                raise

    for start in range(0, count, 100):
        sources = [_random_source(chance, originals) for _ in range(min(100, count - start))]
        await asyncio.gather(*(check(start + number, source) for number, source in enumerate(sources)))
    assert zygote_pid(POLICY, SHARED_UID) == zygote


async def _check(sandbox: RestrictedSandbox, source: str) -> tuple[Refusal, ...]:
    started = time.monotonic()
    refusals = await sandbox.check(Program(source))
    assert time.monotonic() - started <= CHECK_S_MAX
    return refusals


def _judge(refusals: tuple[Refusal, ...]) -> None:
    for refusal in refusals:
        assert refusal.line >= 1
        assert refusal.column >= 1
        assert refusal.construct
        assert refusal.message
        assert "Traceback" not in refusal.message


def _random_source(chance: random.Random, originals: list[str]) -> str:
    if chance.random() < 0.5:
        return _mutate(chance, chance.choice(originals), originals)
    return f"def run(inputs):\n    return {_expression(chance, DEPTH_MAX)}\n"


def _mutate(chance: random.Random, source: str, originals: list[str]) -> str:
    for _ in range(chance.randint(1, MUTATIONS_MAX)):
        start = chance.randrange(len(source) + 1)
        end = min(len(source), start + chance.randint(0, DELETED_CHARACTERS_MAX))
        other = chance.choice(originals)
        cut = chance.randrange(len(other))
        piece = chance.choice([chance.choice(PIECES), other[cut : cut + chance.randint(1, 40)]])
        source = source[:start] + piece + source[end:]
    return source


def _expression(chance: random.Random, depth: int) -> str:
    """A random expression that Python can read, most of the time."""
    if depth == 0:
        return chance.choice(["1", "'a'", "b''", "None", "x", "_y", "__z__", "inputs", "...", "1.5j", "print", "type"])

    def part() -> str:
        return _expression(chance, depth - chance.randint(1, 2) if depth > 1 else 0)

    form = chance.choice(
        [
            *("({} + {})", "({} if {} else {})", "{}[{}]", "{}({})", "(lambda a={}: {})", "[{} for b in {} if {}]"),
            *("{{{}: {}}}", "{{*{}, {}}}", "({}).attribute", "({})._private", "({}).__len__", "f'{{{}!r:>{{{}}}}}'"),
            *("(c := {})", "not {}", "{} < {} in {}", "({}, *{})", "getattr({}, {})", "{}(**{}, key={})", "(yield {})"),
            *("({}).format({})", "await {}", "{}[{}:{}, ...]", "super().{}", "({}).__class__", "({}).gi_frame"),
        ]
    )
    return form.format(*(part() for _ in range(form.replace("{{", "").replace("}}", "").count("{}"))))
