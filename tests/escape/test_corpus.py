"""Every program of the corpus, behind policy and wall: none gets what it wants."""

import asyncio

import pytest

from sandbox.restricted import RestrictedSandbox
from sandbox.types import Outcome, Program
from tests.escape.corpus import Hostile, read_hostile
from tests.escape.sandboxes import POLICY, SHARED_UID, Run
from tests.support.figures import Record
from tests.support.processes import zygote_pid

pytestmark = pytest.mark.asyncio(loop_scope="session")

CORPUS = read_hostile()
OUTCOMES = {"rejected": Outcome.REJECTED, "failed": Outcome.FAILED, "contained": Outcome.SUCCEEDED}


@pytest.mark.parametrize("program", CORPUS, ids=lambda program: program.name)
async def test_program_stays_contained_as_it_says(run: Run, program: Hostile) -> None:
    result = await run(program.source)

    assert result.outcome == OUTCOMES[program.expect], result
    assert result.value in (None, {"escaped": None})
    if result.error is not None:
        assert "/" not in result.error.traceback


async def test_zygote_outlives_the_whole_corpus_and_the_next_run_is_fine(run: Run, record_property: Record) -> None:
    zygote = zygote_pid(POLICY, SHARED_UID)
    record_property("programs", len(CORPUS))

    results = await asyncio.gather(*(run(program.source) for program in CORPUS))

    assert {result.outcome for result in results} == set(OUTCOMES.values())
    assert zygote_pid(POLICY, SHARED_UID) == zygote
    assert (await run("def run():\n    return 'unharmed'")).value == "unharmed"


async def test_check_agrees_with_the_run(sandbox: RestrictedSandbox, run: Run) -> None:
    for program in CORPUS:
        refusals = await sandbox.check(Program(program.source))
        assert bool(refusals) == (program.expect == "rejected"), program.name
