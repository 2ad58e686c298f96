"""A run leaves nothing behind: poison pairs, and shuffled pairs of ordinary programs."""

import random

import pytest

from sandbox.types import Outcome, Result
from tests.escape.corpus import Ordinary, read_ordinary
from tests.escape.poisons import PLAIN_POISONS, POISONS, Poison
from tests.escape.sandboxes import POLICY, Run, opened, runner
from tests.support.figures import Record

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAIR_SEED = 20_260_101


@pytest.mark.parametrize("name", POISONS)
async def test_policed_poison_is_gone_in_the_next_run(run: Run, name: str) -> None:
    await _prove_gone(run, POISONS[name])


@pytest.mark.parametrize("name", PLAIN_POISONS)
async def test_poison_of_plain_python_is_gone_in_the_next_run(run_plain: Run, name: str) -> None:
    await _prove_gone(run_plain, PLAIN_POISONS[name])


async def _prove_gone(run: Run, poison: Poison) -> None:
    clean = await run(poison.observing)

    poisoned = await run(poison.poisoning)
    after = await run(poison.observing)
    together = await run(poison.poisoning_and_observing)

    assert clean.outcome == Outcome.SUCCEEDED, clean.error
    assert (after.outcome, after.value) == (clean.outcome, clean.value)
    # A poison that does not even run proves nothing.
    assert poisoned.error is None or poisoned.error.type not in ("SyntaxError", "Rejected", "ModuleNotFoundError")
    # The control: within one run the poison does show.
    assert (together.outcome, together.value) != (clean.outcome, clean.value)


async def test_there_are_enough_poison_pairs(record_property: Record) -> None:
    record_property("poison_pairs", len(POISONS) + len(PLAIN_POISONS))
    assert len(POISONS) + len(PLAIN_POISONS) >= 24


@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.long)])
async def test_programs_answer_in_pairs_what_a_fresh_worker_answers(
    run: Run, count: int, record_property: Record
) -> None:
    record_property("shuffled_pairs", count)
    programs = read_ordinary()
    chance = random.Random(PAIR_SEED)  # noqa: S311 - the same pairs each time
    pairs = [chance.sample(programs, 2) for _ in range(count)]
    fresh = await _answers_of_a_fresh_worker({program.name: program for pair in pairs for program in pair})

    for first, second in pairs:
        for program in (first, second):
            answer = _told(await run(program.source, program.inputs))
            assert answer == fresh[program.name], f"{second.name} after {first.name}"


async def _answers_of_a_fresh_worker(programs: dict[str, Ordinary]) -> dict[str, object]:
    async with opened(POLICY) as worker:
        run = runner(worker)
        return {name: _told(await run(program.source, program.inputs)) for name, program in programs.items()}


def _told(result: Result) -> object:
    return result.outcome, result.value, [(line.message, line.fields) for line in result.logs]
