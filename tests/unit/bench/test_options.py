"""The parts that can be asked for, one by one."""

import pytest

from bench.options import Group, read_options
from sandbox.types import Tier


def test_without_options_everything_is_measured() -> None:
    options = read_options([])

    assert options.only == set(Group)
    assert options.tiers is None
    assert options.given is None


def test_parts_and_tiers_can_be_chosen() -> None:
    options = read_options(["--tiers", "monty", "docker", "--only", "warm, sustained16", "--calls", "300"])

    assert options.tiers == [Tier.MONTY, Tier.DOCKER]
    assert options.only == {Group.WARM, Group.SUSTAINED16}
    assert options.calls == 300


@pytest.mark.parametrize("arguments", [["--only", "warm,cold"], ["--tiers", "chroot"]])
def test_what_there_is_not_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_options(arguments)

    assert "invalid" in capsys.readouterr().err
