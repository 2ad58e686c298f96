"""A budget is met by what was measured, and only if every call succeeded."""

from dataclasses import replace

import pytest

from bench.budgets import BUDGETS, Measure, judge
from bench.samples import Row

WARM = Row(
    key="warm/monty", name="warm", count=2000, p50_ms=2.5, p95_ms=4.0, p99_ms=7.5, bare_start_ms=10.0
)  # exactly at its budgets
SUSTAINED = Row(key="sustained16/monty", name="sustained", count=9000, rate_per_s=900.0)
FLOODED = Row(key="flood/docker-beside", name="flooded", count=500, p99_ms=6.0, ratio_p99=1.2)


def verdicts(*rows: Row) -> dict[Measure, bool]:
    return {verdict.budget.measure: verdict.met for verdict in judge(rows)}


def test_what_is_just_within_its_budget_meets_it() -> None:
    assert verdicts(WARM, SUSTAINED, FLOODED) == {
        Measure.P50_STARTS: True,
        Measure.P99_P50: True,
        Measure.RATE: True,
        Measure.P99_QUIET: True,
    }


@pytest.mark.parametrize(
    ("row", "measure"),
    [
        (replace(WARM, p50_ms=2.51), Measure.P50_STARTS),
        (replace(WARM, p99_ms=7.6), Measure.P99_P50),
        (replace(SUSTAINED, rate_per_s=899.0), Measure.RATE),
        (replace(FLOODED, ratio_p99=1.21), Measure.P99_QUIET),
    ],
)
def test_what_is_just_beyond_it_does_not(row: Row, measure: Measure) -> None:
    assert verdicts(row)[measure] is False


def test_one_failed_call_and_no_budget_of_the_row_is_met() -> None:
    assert set(
        verdicts(replace(WARM, failed=1), replace(SUSTAINED, failed=1), replace(FLOODED, failed=1)).values()
    ) == {False}


def test_what_was_not_measured_is_not_judged() -> None:
    assert verdicts() == {}
    assert verdicts(replace(WARM, bare_start_ms=None)) == {Measure.P99_P50: True}


def test_no_budget_is_there_twice() -> None:
    assert len({(budget.key, budget.measure) for budget in BUDGETS}) == len(BUDGETS)
