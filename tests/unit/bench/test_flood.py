"""What came of a flood: it may be refused, and the other user's calls may not fail."""

from bench.flood import flood_rows
from bench.load import Load
from bench.samples import Row
from sandbox.types import Tier

QUIET = ([0.004] * 100, 0)


def rows(beside: tuple[list[float], int], **statuses: int) -> tuple[Row, Row, Row]:
    load = Load([0.1] * sum(statuses.values()), {name.strip("_"): n for name, n in statuses.items()}, 2.0, 0.1)
    quiet, other, flood = flood_rows(Tier.MONTY, QUIET, beside, load)
    return quiet, other, flood


def test_the_other_users_p99_is_told_against_its_own_before_the_flood() -> None:
    quiet, beside, flood = rows(([0.004] * 90 + [0.005] * 10, 0), _200=100)

    assert [row.key for row in (quiet, beside, flood)] == [
        "flood/monty-quiet",
        "flood/monty-beside",
        "flood/monty-flood",
    ]
    assert beside.ratio_p99 == 1.25
    assert (quiet.ratio_p99, flood.ratio_p99) == (None, None)


def test_what_is_refused_of_a_flood_is_counted_and_is_no_failure() -> None:
    _, _, flood = rows(QUIET, _200=100, _429=20, _503=5)

    assert (flood.failed, flood.refused, flood.count) == (0, 25, 125)
    assert flood.rate_per_s == 50


def test_every_other_answer_to_a_flood_is_a_failure() -> None:
    _, _, flood = rows(QUIET, _200=100, _429=20, _500=2, _0=1)

    assert (flood.failed, flood.refused) == (3, 20)


def test_a_call_that_failed_beside_a_flood_is_a_failure() -> None:
    _, beside, _ = rows(([0.004] * 100, 1), _200=100)

    assert beside.failed == 1
