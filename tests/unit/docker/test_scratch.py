"""Wiping the scratch places: whatever a program left there, and nothing outside."""

import os
from pathlib import Path

import pytest

from sandbox.guest import container_scratch


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "scratch"
    made.mkdir()
    monkeypatch.setattr(container_scratch, "SCRATCH", (str(made), str(tmp_path / "missing")))
    return made


def test_files_directories_links_and_sockets_go(place: Path) -> None:
    (place / "file").write_text("x")
    (place / "a" / "b").mkdir(parents=True)
    (place / "a" / "b" / "file").write_text("x")
    (place / "link").symlink_to("/")
    (place / "loop").symlink_to(place)
    os.mkfifo(place / "fifo")

    container_scratch.wipe()

    assert list(place.iterdir()) == []


def test_what_links_point_at_stays(place: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("x")
    (place / "directory").mkdir()
    (place / "directory" / "link").symlink_to(outside)
    (place / "link").symlink_to(outside)

    container_scratch.wipe()

    assert (outside / "file").read_text() == "x"


def test_depth_beyond_any_path_goes(place: Path) -> None:
    here = os.open(place, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("deep" * 10, dir_fd=here)
        inner = os.open("deep" * 10, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)

    container_scratch.wipe()

    assert list(place.iterdir()) == []


def test_directories_that_nobody_may_enter_go(place: Path) -> None:
    (place / "a" / "b").mkdir(parents=True)
    (place / "a" / "b" / "file").write_text("x")
    (place / "a" / "b").chmod(0)
    (place / "a").chmod(0)

    container_scratch.wipe()

    assert list(place.iterdir()) == []
