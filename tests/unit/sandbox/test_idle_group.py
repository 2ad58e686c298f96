"""Moving processes into an idle group, when more are to be moved than the kernel keeps up with."""

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.restricted import idle_group
from sandbox.restricted.idle_group import IdleGroup


@pytest.fixture
def pidfd() -> Iterator[int]:
    fd = os.pidfd_open(os.getpid())
    yield fd
    os.close(fd)


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_only_so_many_wait_to_be_moved_and_no_descriptor_stays(
    tmp_path: Path, pidfd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    moving, moved = threading.Event(), []

    def slow(pid: int, held: int, target: Path) -> None:
        moving.wait(10)
        os.close(held)
        moved.append(target)

    monkeypatch.setattr(idle_group, "_move", slow)
    group = IdleGroup(tmp_path / "idle", tmp_path)
    before = descriptors()

    asked = [group.take(os.getpid(), pidfd) for _ in range(1000)]
    waiting = descriptors() - before
    moving.set()
    for future in asked:
        future.result(10)
    again = group.take(os.getpid(), pidfd)
    again.result(10)
    group.give_back(os.getpid(), pidfd).result(10)
    group.remove()

    assert 0 < waiting <= idle_group._WAITING_MAX
    assert moved == [group.path] * (idle_group._WAITING_MAX + 1) + [group.origin]
    assert descriptors() == before


def test_where_descriptors_are_short_nothing_is_moved_and_nothing_breaks(
    tmp_path: Path, pidfd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watch over all live runs asks for this: what it raised would end the watch, and with it all limits."""
    moved: list[Path] = []

    def record(pid: int, held: int, target: Path) -> None:
        os.close(held)
        moved.append(target)

    monkeypatch.setattr(idle_group, "_move", record)
    group = IdleGroup(tmp_path / "idle", tmp_path)
    with monkeypatch.context() as short:
        short.setattr(os, "dup", _refused)
        for _ in range(2 * idle_group._WAITING_MAX):
            group.take(os.getpid(), pidfd).result(10)
        group.give_back(os.getpid(), pidfd).result(10)
    group.take(os.getpid(), pidfd).result(10)
    group.remove()

    assert moved == [group.path], "each place in the queue was given back"


def _refused(fd: int) -> int:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
