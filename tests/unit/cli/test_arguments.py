"""Durations, amounts and inputs as they are typed."""

import pytest
import typer

from server.auth.issuer import TTL_S_MAX
from server.cli.agents import _parse_inputs, _parse_pair
from server.cli.credits import parse_credits
from server.cli.tokens import parse_duration


@pytest.mark.parametrize(
    ("text", "duration_s"), [("1s", 1), ("30s", 30), ("15m", 900), ("1h", 3600), ("7d", 604_800), ("366d", TTL_S_MAX)]
)
def test_duration_is_a_number_and_a_unit(text: str, duration_s: int) -> None:
    assert parse_duration(text) == duration_s


@pytest.mark.parametrize(
    "text", ["", "0s", "1", "h", "-1h", "1.5h", "1 h", "1H", "1w", "367d", "9999999999s", "\u0661h", "1h\n", "1h30m"]
)
def test_what_is_no_duration_is_wrong_usage(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "microcredits"),
    [("1", 1_000_000), ("0.000001", 1), ("2.000001", 2_000_001), ("1e3", 10**9), ("1000000000", 10**15)],
)
def test_credits_become_microcredits_exactly(text: str, microcredits: int) -> None:
    assert parse_credits(text) == microcredits


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "0.0000001", "1000000000.1", "1e99999999", "nan", "inf", "-inf", "ten", "1,5"]
)
def test_what_is_no_amount_is_wrong_usage(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_credits(text)


@pytest.mark.parametrize(
    ("pair", "parsed"), [("a=1", ("a", "1")), ("a=", ("a", "")), ("a=b=c", ("a", "b=c")), ("ä=ß", ("ä", "ß"))]
)
def test_pair_is_cut_at_its_first_equals_sign(pair: str, parsed: tuple[str, str]) -> None:
    assert _parse_pair(pair) == parsed


@pytest.mark.parametrize("pair", ["", "a", "=1", "test=1", "test="])
def test_what_is_no_pair_is_wrong_usage(pair: str) -> None:
    with pytest.raises(typer.BadParameter):
        _parse_pair(pair)


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "null", '"a"', "[" * 100_000])
def test_inputs_must_be_a_json_object(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        _parse_inputs(text)
