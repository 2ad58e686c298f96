import pytest

from server.errors import InvalidRequestError
from server.invocations.inputs import asked_by_query, read_test, refuse_other_parameters


@pytest.mark.parametrize("value", ["", "1", "true", "yes", "on"])
def test_these_values_ask_for_a_dry_run(value: str) -> None:
    assert read_test([("test", value)]) is True


@pytest.mark.parametrize("value", ["0", "false", "no", "off"])
def test_these_values_ask_for_a_live_run(value: str) -> None:
    assert read_test([("test", value)]) is False


def test_an_absent_test_asks_for_a_live_run() -> None:
    assert read_test([("name", "test")]) is False


@pytest.mark.parametrize(
    "value", ["True", "TRUE", "Yes", "ON", "False", "2", "-1", "01", " ", "1 ", "dry", "null", "tru"]
)
def test_any_other_value_is_refused(value: str) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        read_test([("test", value)])

    assert refusal.value.errors[0]["path"] == "query/test"


@pytest.mark.parametrize("values", [("1", "1"), ("1", "0"), ("", "")])
def test_a_repeated_test_is_refused_whatever_it_says(values: tuple[str, str]) -> None:
    with pytest.raises(InvalidRequestError):
        read_test([("test", value) for value in values])


def test_every_query_parameter_but_test_is_an_input_and_repeats_are_kept_in_order() -> None:
    asked = asked_by_query([("b", "2"), ("test", "1"), ("a", ""), ("b", "1")])

    assert asked.texts == {"b": ["2", "1"], "a": [""]}


def test_a_post_takes_no_query_parameter_but_test() -> None:
    refuse_other_parameters([("test", "1")])

    with pytest.raises(InvalidRequestError) as refusal:
        refuse_other_parameters([("test", "1"), ("name", "World")])

    assert [error["path"] for error in refusal.value.errors] == ["query/name"]
