import pytest

from sandbox.docker.advisories import ENGINE_ADVISORIES, RUNC_ADVISORIES, advisories_against, is_rebuilt


def names_against_runc(version: str) -> set[str]:
    found = " ".join(advisory.names for advisory in advisories_against(version, RUNC_ADVISORIES))
    return {word.strip(",") for word in found.split() if word.startswith("CVE")}


PROC_RACES = {"CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"}


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.0.0-rc94", {"CVE-2021-30465", "CVE-2024-21626", "CVE-2024-45310", *PROC_RACES}),
        ("1.1.5+ds1", {"CVE-2024-21626", "CVE-2024-45310", *PROC_RACES}),
        ("1.1.11", {"CVE-2024-21626", "CVE-2024-45310", *PROC_RACES}),
        ("1.1.12", {"CVE-2024-45310", *PROC_RACES}),
        ("1.1.15", PROC_RACES),
        ("1.2.0-rc.2", {"CVE-2024-45310", *PROC_RACES}),
        ("1.2.7", PROC_RACES),
        ("v1.2.8", set()),
        ("1.3.0", PROC_RACES),
        ("1.3.2-0ubuntu2", PROC_RACES),
        ("1.3.3", set()),
        ("1.4.0-rc.2", PROC_RACES),
        ("1.4.0", set()),
        ("1.5.1", set()),
        ("2.0", set()),
        ("unknown", set()),
        ("", set()),
    ],
)
def test_a_version_of_runc_has_the_holes_that_it_has(version: str, expected: set[str]) -> None:
    assert names_against_runc(version) == expected


@pytest.mark.parametrize(
    ("version", "count"),
    [
        ("19.03.15", 4),
        ("20.10.8", 4),
        ("20.10.24+dfsg1", 1),
        ("24.0.8", 1),
        ("24.0.9", 0),
        ("25.0.1", 1),
        ("28.2.2", 0),
    ],
)
def test_a_version_of_the_engine_has_the_holes_that_it_has(version: str, count: int) -> None:
    assert len(advisories_against(version, ENGINE_ADVISORIES)) == count


@pytest.mark.parametrize(
    ("version", "rebuilt"),
    [("1.1.5+ds1", True), ("1.1.12-0ubuntu2~22.04.1", True), ("1.1.12", False), ("1.2.0-rc.1", False)],
)
def test_a_distributions_own_build_is_told_by_its_number(version: str, rebuilt: bool) -> None:
    assert is_rebuilt(version) is rebuilt
