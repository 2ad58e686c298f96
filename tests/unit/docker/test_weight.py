"""Lowering a container, in files that look like the kernel's."""

from pathlib import Path

import pytest

from sandbox.docker.weight import Weight, may_lower

V1 = {"cpu.idle": "0", "cpu.shares": "512\n"}
V2 = {"cpu.idle": "0", "cpu.weight": "20\n"}


def written(place: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (place / name).write_text(text)
    return place


@pytest.mark.parametrize("files", [V1, V2], ids=["v1", "v2"])
def test_lowered_container_is_idle_until_it_is_restored_to_its_own_weight(
    tmp_path: Path, files: dict[str, str]
) -> None:
    weight, share = Weight(written(tmp_path, files)), tmp_path / list(files)[1]

    weight.lower()
    assert (tmp_path / "cpu.idle").read_text() == "1"
    share.write_text("the kernel's own")
    weight.lower()
    weight.restore()

    assert (tmp_path / "cpu.idle").read_text() == "0"
    assert share.read_text() == files[share.name]


@pytest.mark.parametrize(("name", "usual", "lowest"), [("cpu.shares", "512\n", "2"), ("cpu.weight", "20\n", "1")])
def test_kernel_without_idle_groups_gives_the_smallest_weight(
    tmp_path: Path, name: str, usual: str, lowest: str
) -> None:
    weight = Weight(written(tmp_path, {name: usual}))

    weight.lower()
    assert (tmp_path / name).read_text() == lowest
    weight.restore()

    assert (tmp_path / name).read_text() == usual


def test_container_that_is_gone_is_left_alone(tmp_path: Path) -> None:
    weight = Weight(tmp_path / "gone")

    weight.lower()
    weight.restore()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder", ["cpu", "."], ids=["v1", "v2"])
def test_machine_without_groups_that_can_be_written_is_known(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir(exist_ok=True)
    assert not may_lower(tmp_path)

    (tmp_path / folder / "cgroup.procs").write_text("")
    assert may_lower(tmp_path)
