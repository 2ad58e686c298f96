"""The rate of dry runs as one process remembers it, and how answers tell callers of their bounds."""

from uuid import UUID, uuid4

import pytest

from agents_store.errors import TooManyDryRunsError
from agents_store.types import DryRunRate
from server.errors import UserBusyError, UserBytesError, describe
from server.invocations.rates import SPENT_MAX, DryRunRates

ALICE, BOB = uuid4(), uuid4()


class Moment:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def moment() -> Moment:
    return Moment()


@pytest.fixture
def rates(moment: Moment) -> DryRunRates:
    return DryRunRates(600, moment)


def spend(rates: DryRunRates, user_id: UUID = ALICE, reset_ms: int = 5_000) -> None:
    with pytest.raises(TooManyDryRunsError), rates.call(user_id, dry=True):
        raise TooManyDryRunsError(DryRunRate(600, 0, reset_ms))


def test_spent_rate_is_refused_without_the_database_until_the_hour_ends(rates: DryRunRates, moment: Moment) -> None:
    spend(rates)
    moment.now += 2

    with pytest.raises(TooManyDryRunsError) as refused, rates.call(ALICE, dry=True):
        pytest.fail("the call went on")
    assert refused.value.rate == DryRunRate(600, 0, 3_000)

    moment.now += 3
    with rates.call(ALICE, dry=True):
        pass


def test_live_runs_and_other_users_go_on(rates: DryRunRates) -> None:
    spend(rates)

    with rates.call(ALICE, dry=False), rates.call(BOB, dry=True):
        pass


def test_remembered_users_are_bounded(rates: DryRunRates) -> None:
    for _ in range(SPENT_MAX + 5):
        spend(rates, uuid4())

    assert len(rates._spent) == SPENT_MAX


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (
            TooManyDryRunsError(DryRunRate(600, 0, 61_001)),
            {
                "Retry-After": "62",
                "RateLimit-Policy": '"dry-runs";q=600;w=3600',
                "RateLimit": '"dry-runs";r=0;t=62',
            },
        ),
        (
            TooManyDryRunsError(DryRunRate(600, 0, 0)),
            {"Retry-After": "1", "RateLimit-Policy": '"dry-runs";q=600;w=3600', "RateLimit": '"dry-runs";r=0;t=0'},
        ),
        (
            UserBusyError(20, dry=True),
            {
                "Retry-After": "1",
                "RateLimit-Policy": '"dry-runs-at-once";q=20;qu="concurrent-requests"',
                "RateLimit": '"dry-runs-at-once";r=0;t=1',
            },
        ),
        (
            UserBytesError(1_000),
            {
                "Retry-After": "1",
                "RateLimit-Policy": '"bytes-at-once";q=1000;qu="content-bytes"',
                "RateLimit": '"bytes-at-once";r=0;t=1',
            },
        ),
    ],
)
def test_every_429_says_which_bound_it_is_about(error: Exception, headers: dict[str, str]) -> None:
    status, _, sent = describe(error, uuid4())

    assert (status, sent) == (429, headers)
