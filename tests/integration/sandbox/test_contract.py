"""What every tier promises: inputs, results, errors with the author's line, logs, limits, outcomes, `ctx`."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from sandbox.restricted import RestrictedSandbox
from sandbox.types import Limits, Outcome, Program, Result
from tests.support.garbage import lines_that_say, nothing_collected

Run = Callable[..., Awaitable[Result]]

LIMITS = Limits(wall_ms_max=5_000, cpu_ms_max=2_000, memory_bytes_max=64 * 1024 * 1024, output_bytes_max=256 * 1024)
SHORT = replace(LIMITS, wall_ms_max=1_000, output_bytes_max=64 * 1024)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def run():\n    return 1", 1),
        ("def run(inputs):\n    return inputs", {"a": [1, 2.5, None, True, "ü"]}),
        ("def run(inputs, ctx):\n    return [inputs['a'], ctx.test]", [[1, 2.5, None, True, "ü"], False]),
        ("def run():\n    return (1, 'two')", [1, "two"]),
        ("def run():\n    return 12345678901234567890123", 12345678901234567890123),
        ("def run():\n    return None", None),
    ],
)
async def test_program_gets_its_inputs_and_gives_json(run: Run, source: str, expected: object) -> None:
    result = await run(source, {"a": [1, 2.5, None, True, "ü"]})

    assert (result.outcome, result.value, result.error) == (Outcome.SUCCEEDED, expected, None)


async def test_dry_run_is_told_to_the_program(run: Run) -> None:
    assert (await run("def run(inputs, ctx):\n    return ctx.test", test=True)).value is True


async def test_logs_keep_order_text_and_fields(run: Run) -> None:
    source = """
def run(inputs, ctx):
    print("one", 2, sep="-")
    ctx.log("three", four=5, six=float("nan"))
    print("seven")
    return 0
"""
    logs = (await run(source)).logs

    assert [(line.message, dict(line.fields)) for line in logs] == [
        ("one-2", {}),
        ("three", {"four": 5, "six": "nan"}) if logs[1].fields["four"] == 5 else ("three", {"four": "5", "six": "nan"}),
        ("seven", {}),
    ]
    assert all(0 <= line.at_ms <= 5_000 for line in logs)


async def test_log_field_nested_too_deep_is_logged_as_text(run: Run) -> None:
    source = """
def run(inputs, ctx):
    deep = []
    for _ in range(300):
        deep = [deep]
    ctx.log("deep", value=deep)
    return 1
"""
    result = await run(source)

    assert result.outcome == Outcome.SUCCEEDED
    assert str(result.logs[0].fields["value"]).startswith("[[[[")


async def test_uncaught_exception_names_the_authors_line(run: Run) -> None:
    source = "def helper(x):\n    return 1 / x\n\n\ndef run():\n    return helper(0)\n"

    result = await run(source)

    assert result.outcome == Outcome.FAILED
    assert result.error is not None
    assert (result.error.type, result.error.message, result.error.line) == ("ZeroDivisionError", "division by zero", 2)
    assert result.error.traceback == "line 6, in run\nline 2, in helper"


async def test_error_at_import_time_is_the_programs_failure(run: Run) -> None:
    result = await run("x = {}['missing']\ndef run():\n    return 1")

    assert (result.outcome, result.error and result.error.line) == (Outcome.FAILED, 1)


@pytest.mark.parametrize("raised", ["raise SystemExit(0)", "raise KeyboardInterrupt", "raise GeneratorExit"])
async def test_no_exception_escapes_as_success(run_plain: Run, raised: str) -> None:
    assert (await run_plain(f"def run():\n    {raised}")).outcome == Outcome.FAILED


@pytest.mark.parametrize(
    ("expression", "path"),
    [
        ("float('nan')", "result:"),
        ("{'a': [0, float('inf')]}", "result['a'][1]"),
        ("{1: 'x'}", "key 1"),
        ("{1: 'x', '1': 'y'}", "key 1"),
        ("{'s': {1, 2}}", "result['s']"),
        ("'a' + chr(0)", "NUL"),
        ("{'x': [chr(0xD800)]}", "result['x'][0]"),
        ("{chr(0): 1}", "NUL"),
        ("b'bytes'", "bytes is not JSON"),
        ("10 ** 5000", "digits"),
    ],
)
async def test_what_is_not_json_is_bad_result_naming_the_path(run: Run, expression: str, path: str) -> None:
    result = await run(f"def run():\n    return {expression}")

    assert result.outcome == Outcome.BAD_RESULT
    assert result.value is None
    assert result.error is not None
    assert path in result.error.message


async def test_result_that_contains_itself_is_bad_result(run: Run) -> None:
    result = await run("def run():\n    a = []\n    a.append(a)\n    return a")

    assert result.outcome == Outcome.BAD_RESULT


async def test_result_over_the_limit_is_bad_result(run: Run) -> None:
    result = await run("def run():\n    return 'x' * 300000")

    assert result.outcome == Outcome.BAD_RESULT
    assert (await run("def run():\n    return 'x' * 200000")).outcome == Outcome.SUCCEEDED


async def test_result_with_too_many_values_is_bad_result(run: Run) -> None:
    """Making them would hold up everybody's runs."""
    source = "def run(inputs):\n    return [0] * inputs['count'] + [',' * inputs['count']]"
    limits = replace(LIMITS, output_bytes_max=512 * 1024)
    crowded = await run(source, {"count": 100_000}, limits=limits)
    full = await run(source, {"count": 99_000}, limits=limits)

    assert (crowded.outcome, crowded.value) == (Outcome.BAD_RESULT, None)
    assert crowded.error is not None
    assert "more than 100,000 values" in crowded.error.message
    assert (full.outcome, full.value) == (Outcome.SUCCEEDED, [0] * 99_000 + ["," * 99_000])


CROWDED_CALL = """
def run(inputs, ctx):
    caught = []
    for count in inputs["counts"]:
        try:
            ctx.memory.put("key", [0] * count)
        except (ValueError, LookupError) as error:
            caught.append(str(error))
    return caught
"""


async def test_call_with_too_many_values_is_the_programs_own_mistake(run: Run) -> None:
    result = await run(CROWDED_CALL, {"counts": [21_000, 19_000]})

    assert (result.outcome, result.value) == (
        Outcome.SUCCEEDED,
        [
            "the arguments of a call have more than 20,000 values: send less, or text",
            "ctx.memory.put is not known here",
        ],
    )


async def test_log_line_with_too_many_values_is_left_out_and_says_so(run: Run) -> None:
    source = "def run(inputs, ctx):\n    for n in (21_000, 19_000):\n        ctx.log('said', values=[0] * n)"

    left_out, kept = (await run(source)).logs

    assert (left_out.message, left_out.fields) == (
        "(a line was left out: its fields have more than 20,000 values)",
        {},
    )
    assert (kept.message, kept.fields) == ("said", {"values": [0] * 19_000})


@pytest.mark.parametrize(
    ("source", "outcome", "limit"),
    [
        ("def run():\n    while True:\n        pass", Outcome.TIMED_OUT, "cpu_ms_max"),
        ("import time\ndef run():\n    time.sleep(60)", Outcome.TIMED_OUT, "wall_ms_max"),
        (
            "def run():\n    while True:\n        try:\n            while True:\n                pass\n"
            "        except Exception:\n            pass",
            Outcome.TIMED_OUT,
            "cpu_ms_max",
        ),
        ("import re\ndef run():\n    return bool(re.match('(a+)+$', 'a' * 64 + 'b'))", Outcome.TIMED_OUT, "cpu_ms_max"),
        ("def run():\n    return len(str(7 ** 10 ** 8)[0])", Outcome.TIMED_OUT, "cpu_ms_max"),
        (
            "def run():\n    x = []\n    while True:\n        x.append('x' * 1000000)",
            Outcome.OUT_OF_MEMORY,
            "memory_bytes_max",
        ),
        ("def run():\n    return len('x' * 10 ** 12)", Outcome.OUT_OF_MEMORY, "memory_bytes_max"),
        ("def run():\n    while True:\n        print('x' * 100)", Outcome.TOO_MUCH_OUTPUT, "output_bytes_max"),
        ("def run():\n    while True:\n        print()", Outcome.TOO_MUCH_OUTPUT, "output_bytes_max"),
        ("def run():\n    print('x' * 1000000)", Outcome.TOO_MUCH_OUTPUT, "output_bytes_max"),
    ],
)
async def test_each_limit_ends_the_run_from_outside(run: Run, source: str, outcome: Outcome, limit: str) -> None:
    # On a busy machine CPU time runs slower than the clock: only the sleeper may meet wall_ms_max first.
    limits = replace(LIMITS, wall_ms_max=1_000 if limit == "wall_ms_max" else 20_000, cpu_ms_max=500)
    started = time.monotonic()

    result = await run(source, limits=limits)

    assert result.outcome == outcome
    assert time.monotonic() - started < limits.wall_ms_max / 1000 + 1
    assert result.error is not None
    assert limit in result.error.message
    assert (await run("def run():\n    return 'unharmed'")).value == "unharmed"


async def test_process_that_dies_is_an_ordinary_outcome(run: Run) -> None:
    # Nested C iterators overflow the C stack of CPython 3.11 (bpo-14010).
    crash = "def run():\n    i = iter([1])\n    for _ in range(500000):\n        i = map(abs, i)\n    return next(i)"

    result = await run(crash)

    assert result.outcome == Outcome.FAILED
    assert result.error is not None
    assert "SIGSEGV" in result.error.message
    assert (await run("def run():\n    return 'unharmed'")).value == "unharmed"


async def test_refused_program_does_not_run(sandbox: RestrictedSandbox, run: Run) -> None:
    source = "print('ran')\ndef run():\n    return ().__class__.__bases__"

    result = await run(source)
    refusals = await sandbox.check(Program(source))

    assert (result.outcome, result.logs) == (Outcome.REJECTED, ())
    assert result.error is not None
    assert (result.error.line, refusals[0].line) == (3, 3)


@pytest.mark.parametrize(
    "source",
    [
        "def run(: pass",
        "(" * 5_000 + ")" * 5_000 + "\ndef run(): pass",
        "x = " + "-" * 50_000 + "1\ndef run(): pass",
        "def run():\n    return " + " + ".join(["1"] * 30_000),
        "\0def run(): pass",
        "x = '" + "\\N{BULLET}" * 10 + "\ndef run(): pass",
        "nothing = 1",
        "",
    ],
)
async def test_source_that_cannot_be_compiled_is_refused_not_crashed(sandbox: RestrictedSandbox, source: str) -> None:
    refusals = await sandbox.check(Program(source))

    assert refusals
    assert refusals[0].line >= 1
    assert await sandbox.check(Program("def run():\n    return 1")) == ()


async def test_usage_is_measured(run: Run) -> None:
    busy = (
        "def run():\n    x = [0] * 2000000\n    s = 0\n    for i in range(300000):\n        s += i\n    return len(x)"
    )

    usage = (await run(busy)).usage

    assert 1 <= usage.cpu_ms <= usage.wall_ms + 50
    assert 10_000_000 < usage.peak_memory_bytes < 40_000_000


async def test_random_follows_the_seed_and_hashes_are_fixed(run: Run) -> None:
    source = "import random\ndef run():\n    return [random.random(), hash('glovebox'), random.randint(1, 10 ** 9)]"

    values: list[Any] = [(await run(source, seed=seed)).value for seed in (1, 1, 2)]

    assert values[0] == values[1] != values[2]
    assert values[0][1] == values[2][1]


async def test_runs_share_no_state(run: Run) -> None:
    first = "import decimal, random\nimport json\ndef run():\n    decimal.getcontext().prec = 3\n    return 1"
    second = "import decimal\ndef run():\n    return str(decimal.Decimal(1) / decimal.Decimal(3))"
    await run(first)

    assert (await run(second)).value == "0." + "3" * 28


ENDINGS = {
    "returns": "return 1",
    "raises": "raise ValueError('x')",
    "returns no JSON": "return float('nan')",
    "is told of an error": "return ctx.memory.get('a')",
    "says too much": "[print('x' * 1_000) for _ in range(1_000)]",
    "does not end": "[n for n in range(10 ** 12)]",
}


@pytest.mark.parametrize("how", ENDINGS)
async def test_all_of_a_run_is_freed_when_it_is_over(run: Run, how: str) -> None:
    """A ring would keep its log, inputs and effects until the collector comes by, or for good."""
    mark = str(uuid4())
    source = f"def run(inputs, ctx):\n    print(inputs['mark'])\n    {ENDINGS[how]}"

    with nothing_collected():
        assert [line.message for line in (await run(source, {"mark": mark}, limits=SHORT)).logs][:1] == [mark]

        await gone(mark)


async def gone(mark: str) -> None:
    """Return once no log line in memory says it."""
    async with asyncio.timeout(10):
        while lines_that_say(mark):  # noqa: ASYNC110 - nobody tells of what is freed
            await asyncio.sleep(0.02)
