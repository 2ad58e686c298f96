"""The soak's short form, on a real server with real faults; and that its verdict can fail."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.soak.notes import AFTER_S, Fault, Notes, UnexpectedError
from tests.soak.page import render
from tests.soak.plan import Plan
from tests.soak.run import soak
from tests.soak.samples import Sample
from tests.soak.verdict import BARE_START, Figures, held, judge

ROOT = Path(__file__).resolve().parents[2]
SHORT = Plan(
    seconds=6, measured_s=2, clients=12, members=2, sample_s=1.5, pause_s=1, docker=False, long=False
)  # the docker tier has its own leak hunts, and is in the long form
LONG = Plan(seconds=240, sample_s=16, pause_s=15)

SAMPLE = Sample(0, 100, 80, 40, 10, 9, 50, 0, 3, 8, 0)
SAMPLES = [replace(SAMPLE, at_s=number) for number in range(9)]
CALM = [[5.0] * 1_000] * 3
SLOWER = [*CALM[:2], [5.0] * 900 + [6.1] * 100]
CALM_BOTH = {BARE_START: CALM, "monty": CALM}
GOOD = Figures(SAMPLES, (SAMPLE, SAMPLE), CALM_BOTH, 0, 10, 10, [2.0], {"held": 0}, {"processes": 0})
WORSE = {
    "an unexpected answer": replace(GOOD, unexpected=1),
    "a call that was not seen to its end": replace(GOOD, calls=9),
    "a fault that lasts": replace(GOOD, recoveries_s=[2.0, 31.0]),
    "a sum that does not agree": replace(GOOD, sums={"held": 1}),
    "a process left behind": replace(GOOD, left={"processes": 1}),
    "descriptors that grow": replace(GOOD, rest=(SAMPLE, replace(SAMPLE, descriptors=53))),
    "a file that stays": replace(GOOD, rest=(SAMPLE, replace(SAMPLE, files=1))),
    "memory that grows": replace(GOOD, samples=[*SAMPLES[:6], *(replace(one, rss=106) for one in SAMPLES[6:])]),
    "a tail that grows": replace(GOOD, thirds={BARE_START: CALM, "monty": SLOWER}),
}


def test_verdict_on_good_figures_is_that_everything_held() -> None:
    assert held(judge(GOOD, long=True))


def test_tail_that_the_whole_machine_has_is_not_the_servers() -> None:
    assert held(judge(replace(GOOD, thirds={BARE_START: SLOWER, "monty": SLOWER}), long=True))


@pytest.mark.parametrize("what", WORSE)
def test_verdict_notices(what: str) -> None:
    assert not held(judge(WORSE[what], long=True))


def test_refusal_is_borne_beside_a_fault_alone() -> None:
    notes = Notes(faults=[Fault("PostgreSQL restarted", 10, 12)])
    lost = UnexpectedError(None, "lost")

    notes.failed("monty", 11, 11.5, lost)
    notes.failed("monty", 12 + AFTER_S - 0.1, 20, lost)
    assert (notes.borne_count, notes.unexpected_count) == (2, 0)
    notes.failed("monty", 8, 9, lost)
    notes.failed("monty", 12 + AFTER_S + 0.1, 20, lost)
    notes.failed("monty", 11, 11.5, ConnectionResetError())
    assert (notes.borne_count, notes.unexpected_count) == (2, 3)


async def test_everything_at_once_with_faults_leaves_nothing_behind() -> None:
    done = await soak(SHORT)

    assert done.held, render(done.record)
    assert {fault for fault, told in done.record["faults"].items() if told["count"]} == {
        "sandbox process killed",
        "PostgreSQL restarted",
    }
    assert done.figures.calls >= 30


@pytest.mark.long
async def test_minutes_of_everything_at_once_leave_nothing_behind() -> None:
    done = await soak(LONG)

    assert done.held, render(done.record)


def test_page_is_what_its_figures_render() -> None:
    record = json.loads((ROOT / "docs/soak.json").read_text())

    assert (ROOT / "docs/soak.md").read_text() == render(record), "run `make soak`"
