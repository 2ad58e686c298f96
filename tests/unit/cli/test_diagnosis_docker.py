"""What `glovebox doctor` says of weak hosts."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from sandbox.docker.engine_facts import EngineFacts
from sandbox.docker.images import ImagePin
from sandbox.types import Tier
from server.cli.diagnosis import check_swap
from server.cli.diagnosis_docker import check_docker_tier, judge_engine
from server.cli.findings import Finding, Level
from server.settings import Settings

GOOD = EngineFacts(
    version="28.5.1",
    runc="1.3.3",
    cgroup_version=2,
    runtimes=frozenset({"runc", "runsc"}),
    missing_pieces=(),
    image=ImagePin("sha256:" + "0" * 64, "guest", "0.1.0", {"numpy": "2.4.6"}),
)


def judged(runtime: str | None = None, **weakness: Any) -> list[Finding]:
    return list(judge_engine(dataclasses.replace(GOOD, **weakness), runtime))


def test_a_good_engine_has_nothing_to_mend() -> None:
    findings = judged()

    assert {finding.level for finding in findings} == {Level.OK}
    assert [finding.check for finding in findings] == ["tier docker", "runc", "docker engine"]


@pytest.mark.parametrize(
    ("weakness", "level", "named", "fix"),
    [
        ({"runc": "1.1.5"}, Level.WARN, "CVE-2024-21626", "upgrade runc to 1.1.12 or newer"),
        ({"runc": "1.1.5+ds1"}, Level.WARN, "CVE-2024-21626", "unless your distribution has mended its build"),
        ({"version": "20.10.5"}, Level.WARN, "CVE-2021-41091", "upgrade docker engine to 20.10.9 or newer"),
        ({"cgroup_version": 1}, Level.WARN, "cgroup v1", "systemd.unified_cgroup_hierarchy=1"),
        ({"missing_pieces": ("cannot limit swap",)}, Level.FAIL, "unavailable: cannot limit swap", "swapaccount=1"),
        ({"image": None, "image_fault": "no image"}, Level.WARN, "no image", "glovebox image build"),
    ],
)
def test_a_weak_engine_is_named_with_what_to_do(weakness: dict[str, Any], level: Level, named: str, fix: str) -> None:
    weak = [finding for finding in judged(**weakness) if finding.level is not Level.OK]

    assert any(finding.level is level and named in finding.detail and fix in str(finding.fix) for finding in weak)


def test_a_runtime_that_the_engine_does_not_list_cannot_work() -> None:
    (failed,) = [finding for finding in judged("kata") if finding.level is Level.FAIL]

    assert "'kata'" in failed.detail
    assert "runsc" in failed.detail


def test_holes_of_runc_do_not_matter_where_another_runtime_is_used() -> None:
    assert [finding.check for finding in judged("runsc", runc="1.0.0")] == ["tier docker", "docker engine"]


async def test_no_engine_is_told_with_its_address(tmp_path: Path) -> None:
    absent = Settings(_env_file=None, docker_host=f"unix://{tmp_path}/none.sock")

    (finding,) = await check_docker_tier(absent)

    assert finding.level is Level.WARN
    assert str(tmp_path) in finding.detail
    assert "DOCKER_HOST" in str(finding.fix)


async def test_an_engine_that_nobody_wants_is_not_asked_for(tmp_path: Path) -> None:
    absent = Settings(_env_file=None, docker_host=f"unix://{tmp_path}/none.sock", tiers=(Tier.RESTRICTED,))

    assert await check_docker_tier(absent) == []


def test_swap_is_warned_of_where_it_is_on(tmp_path: Path) -> None:
    heading = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
    on, off = tmp_path / "on", tmp_path / "off"
    on.write_text(heading + "/swapfile file 2097148 0 -2\n")
    off.write_text(heading)

    assert [finding.level for finding in check_swap(on)] == [Level.WARN]
    assert [finding.level for finding in check_swap(off)] == [Level.OK]
    assert list(check_swap(tmp_path / "none")) == []
