"""Percentiles, rates and multiples are what they say."""

import pytest

from bench.samples import percentile, summarise


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_percentiles_are_the_nearest_rank(share: float, expected: int) -> None:
    assert percentile(list(range(1, 101)), share) == expected


def test_of_one_value_every_percentile_is_that_value() -> None:
    row = summarise("k", "n", [0.25])

    assert (row.p50_ms, row.p95_ms, row.p99_ms) == (250, 250, 250)


def test_a_row_is_a_multiple_of_the_bare_starts_between_its_own_calls() -> None:
    row = summarise("k", "n", [0.004, 0.002, 0.003], starts_s=[0.02, 0.01, 0.012])

    assert row.p50_starts == pytest.approx(0.25)
    assert summarise("k", "n", [0.003]).p50_starts is None


def test_failed_calls_do_not_raise_the_rate() -> None:
    row = summarise("k", "n", [0.1] * 10, failed=4, elapsed_s=2.0, cpu_s={"server": 0.05})

    assert row.rate_per_s == pytest.approx(3.0)
    assert row.cpu_ms_per_call == {"server": pytest.approx(5.0)}


def test_growth_is_the_median_against_the_other_rows_median() -> None:
    little = summarise("few", "n", [0.010])

    assert summarise("many", "n", [0.012], ratio_to=little).ratio == pytest.approx(1.2)


def test_refused_calls_do_not_raise_the_rate_either() -> None:
    row = summarise("k", "n", [0.1] * 10, failed=1, refused=3, elapsed_s=2.0)

    assert row.rate_per_s == pytest.approx(3.0)
    assert (row.failed, row.refused) == (1, 3)


def test_beside_a_flood_the_p99_is_compared() -> None:
    quiet = summarise("quiet", "n", [0.001] * 97 + [0.010] * 3)

    row = summarise("beside", "n", [0.005] * 97 + [0.011] * 3, ratio_p99_to=quiet)

    assert row.ratio_p99 == pytest.approx(1.1)
    assert row.ratio is None
