"""The monty tier keeps what every tier promises, as far as its interpreter has it."""

import time
from dataclasses import replace

import pytest

from sandbox.types import Outcome
from tests.integration.monty.conftest import LIMITS, Run
from tests.integration.sandbox.test_contract import (  # noqa: F401 - collected from here, with this folder's fixtures
    test_all_of_a_run_is_freed_when_it_is_over,
    test_call_with_too_many_values_is_the_programs_own_mistake,
    test_dry_run_is_told_to_the_program,
    test_error_at_import_time_is_the_programs_failure,
    test_log_field_nested_too_deep_is_logged_as_text,
    test_log_line_with_too_many_values_is_left_out_and_says_so,
    test_logs_keep_order_text_and_fields,
    test_program_gets_its_inputs_and_gives_json,
    test_random_follows_the_seed_and_hashes_are_fixed,
    test_result_over_the_limit_is_bad_result,
    test_result_that_contains_itself_is_bad_result,
    test_result_with_too_many_values_is_bad_result,
    test_source_that_cannot_be_compiled_is_refused_not_crashed,
    test_uncaught_exception_names_the_authors_line,
    test_usage_is_measured,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(
    ("expression", "path"),
    [
        ("float('nan')", "result:"),
        ("{'a': [0, float('inf')]}", "result['a'][1]"),
        ("{1: 'x'}", "key 1"),
        ("{1: 'x', '1': 'y'}", "key 1"),
        ("{'s': {1, 2}}", "result['s']"),
        ("'a' + chr(0)", "NUL"),
        ("{chr(0): 1}", "NUL"),
        ("b'bytes'", "bytes is not JSON"),
        ("[lambda: 0]", "result[0]: function is not JSON"),
        ("range(3)", "range is not JSON"),
    ],
)
async def test_what_is_not_json_is_bad_result_naming_the_path(run: Run, expression: str, path: str) -> None:
    result = await run(f"def run():\n    return {expression}")

    assert result.outcome == Outcome.BAD_RESULT
    assert result.value is None
    assert result.error is not None
    assert path in result.error.message


@pytest.mark.parametrize(
    ("source", "outcome", "limit"),
    [
        ("def run():\n    while True:\n        pass", Outcome.TIMED_OUT, "wall_ms_max"),
        ("import time\ndef run():\n    time.sleep(60)", Outcome.TIMED_OUT, "wall_ms_max"),
        (
            "import asyncio\nasync def wait():\n    await asyncio.sleep(60)\ndef run():\n    asyncio.run(wait())",
            Outcome.TIMED_OUT,
            "wall_ms_max",
        ),
        (
            "def run():\n    while True:\n        try:\n            while True:\n                pass\n"
            "        except Exception:\n            pass",
            Outcome.TIMED_OUT,
            "wall_ms_max",
        ),
        (
            "def run():\n    x = []\n    while True:\n        x.append('x' * 1000000)",
            Outcome.OUT_OF_MEMORY,
            "memory_bytes_max",
        ),
        (
            "def run():\n    while True:\n        try:\n            'x' * 10 ** 9\n        except MemoryError:\n"
            "            pass",
            Outcome.OUT_OF_MEMORY,
            "memory_bytes_max",
        ),
        ("def run():\n    return len('x' * 10 ** 12)", Outcome.OUT_OF_MEMORY, "memory_bytes_max"),
        ("def run():\n    return len(str(7 ** 10 ** 9)[0])", Outcome.OUT_OF_MEMORY, "memory_bytes_max"),
        ("def run():\n    while True:\n        print('x' * 100)", Outcome.TOO_MUCH_OUTPUT, "output_bytes_max"),
        ("def run():\n    while True:\n        print()", Outcome.TOO_MUCH_OUTPUT, "output_bytes_max"),
        ("def run():\n    while True:\n        print('x', end='')", Outcome.TOO_MUCH_OUTPUT, "output_bytes_max"),
        ("def run():\n    print('x' * 1000000)", Outcome.TOO_MUCH_OUTPUT, "output_bytes_max"),
        (
            "def run(inputs, ctx):\n    while True:\n        ctx.log('x', n=1)",
            Outcome.TOO_MUCH_OUTPUT,
            "output_bytes_max",
        ),
    ],
)
async def test_each_limit_ends_the_run_from_outside(run: Run, source: str, outcome: Outcome, limit: str) -> None:
    limits = replace(LIMITS, wall_ms_max=500 if limit == "wall_ms_max" else 20_000)
    started = time.monotonic()

    result = await run(source, limits=limits)

    assert result.outcome == outcome, result.error
    assert time.monotonic() - started < limits.wall_ms_max / 1000 + 2
    assert result.error is not None
    assert limit in result.error.message
    assert (await run("def run():\n    return 'unharmed'")).value == "unharmed"


@pytest.mark.parametrize("name", ["SystemExit", "KeyboardInterrupt", "BaseException"])
async def test_no_exception_escapes_as_success(run: Run, name: str) -> None:
    result = await run(f"def run():\n    raise {name}")

    assert result.outcome in (Outcome.FAILED, Outcome.TIER_UNSUITED)


async def test_runs_share_no_state(run: Run) -> None:
    first = "import math\nkept = [1]\ndef run():\n    global len\n    len = kept\n    math.pi\n    return 1"
    await run(first)

    second = await run("def run():\n    try:\n        return kept\n    except NameError:\n        return len('fresh')")

    assert second.value == 5
