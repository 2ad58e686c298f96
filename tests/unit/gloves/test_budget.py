import pytest

from sandbox.types import GloveFault, Limits
from server.gloves.budget import GLOVE_CALLS_MAX, Bound, Budget
from server.gloves.effect import EffectError


def test_a_bound_is_reached_and_nothing_more_is_counted() -> None:
    budget = Budget(Limits(fetches_max=2))
    budget.spend(Bound.FETCHES)
    budget.spend(Bound.FETCHES)

    with pytest.raises(EffectError, match=r"fetches_max \(2 here\)") as error:
        budget.spend(Bound.FETCHES)

    assert error.value.fault is GloveFault.RUNTIME
    assert budget.left(Bound.FETCHES) == 0
    assert budget.left(Bound.CALLS) == Limits().calls_max


def test_more_than_is_left_counts_nothing() -> None:
    budget = Budget(Limits(effects_bytes_max=10))

    with pytest.raises(EffectError):
        budget.spend(Bound.EFFECTS_BYTES, 11)

    assert budget.left(Bound.EFFECTS_BYTES) == 10


def test_what_a_called_run_spends_is_its_callers_too() -> None:
    root = Budget(Limits(fetches_max=3))
    called = Budget(Limits(fetches_max=10), root)
    deeper = Budget(Limits(fetches_max=1), called)

    deeper.spend(Bound.FETCHES)

    assert (root.left(Bound.FETCHES), called.left(Bound.FETCHES), deeper.left(Bound.FETCHES)) == (2, 2, 0)
    with pytest.raises(EffectError):
        deeper.spend(Bound.FETCHES)
    called.spend(Bound.FETCHES, 2)
    with pytest.raises(EffectError):
        root.spend(Bound.FETCHES)


def test_all_runs_of_a_tree_share_the_number_of_glove_calls() -> None:
    root = Budget(Limits())
    Budget(Limits(), root).spend(Bound.GLOVE_CALLS, GLOVE_CALLS_MAX)

    with pytest.raises(EffectError, match=f"{GLOVE_CALLS_MAX} times"):
        root.spend(Bound.GLOVE_CALLS)


def test_a_called_run_has_no_more_time_than_its_caller() -> None:
    root = Budget(Limits(wall_ms_max=1_000))

    assert Budget(Limits(wall_ms_max=60_000), root).seconds_left <= 1
    assert Budget(Limits(wall_ms_max=10), root).seconds_left <= 0.01
    assert Budget(Limits(wall_ms_max=-1_000)).seconds_left == 0
