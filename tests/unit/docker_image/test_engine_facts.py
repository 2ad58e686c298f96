from typing import Any

import pytest

from sandbox.docker.engine_facts import missing_pieces

# What an engine that can do everything says; names as in its `GET /info`.
WHOLE: dict[str, Any] = {
    "MemoryLimit": True,
    "SwapLimit": True,
    "PidsLimit": True,
    "CpuCfsQuota": True,
    "SecurityOptions": ["name=apparmor", "name=seccomp,profile=builtin"],
}


def test_nothing_is_missing_where_the_engine_can_do_everything() -> None:
    assert missing_pieces(WHOLE) == ()


@pytest.mark.parametrize(
    ("weakness", "named"),
    [
        ({"MemoryLimit": False}, "limit memory"),
        ({"SwapLimit": False}, "limit memory without swap"),
        ({"PidsLimit": False}, "limit processes"),
        ({"CpuCfsQuota": None}, "limit processor time"),
        ({"SecurityOptions": ["name=apparmor"]}, "seccomp"),
        ({"SecurityOptions": None}, "seccomp"),
    ],
)
def test_a_limit_that_the_engine_would_silently_leave_out_is_missing(weakness: dict[str, Any], named: str) -> None:
    (missing,) = missing_pieces(WHOLE | weakness)

    assert named in missing


def test_an_engine_that_says_nothing_has_nothing() -> None:
    assert len(missing_pieces({})) == 5
