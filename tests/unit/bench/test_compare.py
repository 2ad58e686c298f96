"""Two runs are compared as multiples of their own machines' bare starts."""

from dataclasses import replace

from bench.compare import compare
from bench.report import Report
from bench.samples import Row

START = Row(key="bare-start", name="bare start", count=10, p50_ms=10.0, p95_ms=10.0, p99_ms=10.0, bare_start_ms=10.0)
WARM = Row(key="warm/monty", name="monty, warm", count=10, p50_ms=2.0, p95_ms=3.0, p99_ms=4.0, bare_start_ms=10.0)
BUSY = Row(key="sustained16/monty", name="monty, 16", count=10, p50_ms=16.0, p95_ms=20.0, p99_ms=30.0, rate_per_s=900.0)


def report(*rows: Row, **machine: str) -> Report:
    return Report(taken_at="2026-01-01T00:00:00+00:00", command="bench", machine=machine, commit="abc", rows=rows)


def test_a_machine_that_is_twice_as_slow_is_not_taken_for_a_slower_glovebox() -> None:
    then = report(START, WARM, BUSY)
    slow = replace(START, p50_ms=20.0, bare_start_ms=20.0)
    now = report(slow, replace(WARM, p50_ms=4.0, bare_start_ms=20.0), replace(BUSY, p50_ms=32.0, rate_per_s=450.0))

    text, worse = compare(now, then, 1.2)

    assert not worse
    assert text.count("1.00") == 3  # both medians, and the rate


def test_a_median_beyond_the_factor_is_worse_and_just_within_is_not() -> None:
    then = report(START, WARM)

    assert compare(report(START, replace(WARM, p50_ms=2.5)), then, 1.2)[1]
    assert not compare(report(START, replace(WARM, p50_ms=2.4)), then, 1.21)[1]


def test_what_only_one_of_them_has_is_left_out() -> None:
    text, worse = compare(report(START, BUSY), report(START, WARM), 1.2)

    assert "monty" not in text
    assert not worse


def test_another_machine_is_told() -> None:
    text, _ = compare(report(START, cores="4"), report(START, cores="2"), 1.2)

    assert "another cores: 2 then, 4 now" in text
