"""What the wall and the policy must not stop: programs of the kind that models write, unchanged."""

import json
from pathlib import Path

import pytest

from sandbox.types import Outcome
from tests.escape.corpus import Ordinary, read_ordinary
from tests.escape.sandboxes import Run
from tests.support.figures import Record

pytestmark = pytest.mark.asyncio(loop_scope="session")

ORDINARY = read_ordinary()
# A set of benchmark programs whose `run()` returns "ok"; not part of this repository, used where it lies beside it.
SHARED_SET = Path(__file__).parents[3] / "shared" / "data" / "programs.jsonl"
SHARED_SET_FAILED_MAX = 3


@pytest.mark.parametrize("program", ORDINARY, ids=lambda program: program.name)
async def test_program_answers_behind_the_wall_what_it_expects(run: Run, program: Ordinary) -> None:
    result = await run(program.source, program.inputs)

    assert (result.outcome, result.value) == (Outcome.SUCCEEDED, program.expect), result.error


async def test_there_are_at_least_a_hundred_programs(record_property: Record) -> None:
    record_property("own_programs", len(ORDINARY))
    assert len(ORDINARY) >= 100


@pytest.mark.skipif(not SHARED_SET.is_file(), reason="the set of programs does not lie beside the checkout")
async def test_nearly_every_program_of_the_shared_set_runs(
    run: Run, capsys: pytest.CaptureFixture[str], record_property: Record
) -> None:
    rows = [json.loads(line) for line in SHARED_SET.read_text(encoding="utf-8").splitlines()]
    failed: dict[str, str] = {}

    for row in rows:
        result = await run(row["code"])
        if result.value != "ok":
            failed[row["task_id"]] = f"{result.outcome}: {result.error}"

    record_property("public_programs", len(rows))
    record_property("of_these_failed", len(failed))
    with capsys.disabled():
        print(*(f"\n{name}: {reason}" for name, reason in failed.items()))  # noqa: T201 - the list is the point
    assert len(failed) <= SHARED_SET_FAILED_MAX
