"""Moving processes into an idle group, when more are to be moved than the kernel keeps up with."""

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
