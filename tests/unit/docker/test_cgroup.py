"""Reading control groups of both versions, from files that look like the kernel's."""

from pathlib import Path

import pytest

from sandbox.docker.cgroup import Meter, NoCgroupError, find_counters

ID = "c0ffee"
V1 = {
    "cpuacct/docker/c0ffee/cpuacct.usage": "1000000\n",
    "memory/docker/c0ffee/memory.usage_in_bytes": "5000\n",
    "memory/docker/c0ffee/memory.max_usage_in_bytes": "9000\n",
    "memory/docker/c0ffee/memory.stat": "cache 1\nrss 4096\nrss_huge 7\ntotal_rss 9\n",
    "memory/docker/c0ffee/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
    "pids/docker/c0ffee/pids.events": "max 3\n",
}
V2 = {
    "cgroup.controllers": "cpu memory pids\n",
    "system.slice/docker-c0ffee.scope/cpu.stat": "usage_usec 1000\nuser_usec 1\n",
    "system.slice/docker-c0ffee.scope/memory.current": "5000\n",
    "system.slice/docker-c0ffee.scope/memory.peak": "9000\n",
    "system.slice/docker-c0ffee.scope/memory.stat": "anon 4096\nfile 1\nanon_thp 7\n",
    "system.slice/docker-c0ffee.scope/memory.events": "low 0\nmax 5\noom 4\noom_kill 2\noom_group_kill 0\n",
    "system.slice/docker-c0ffee.scope/pids.events": "max 3\n",
}
CPU = {"v1": "cpuacct/docker/c0ffee/cpuacct.usage", "v2": "system.slice/docker-c0ffee.scope/cpu.stat"}


def written(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize("files", [V1, V2], ids=["v1", "v2"])
def test_use_is_counted_from_the_beginning_of_the_run(tmp_path: Path, files: dict[str, str]) -> None:
    root = written(tmp_path, files)
    meter = Meter(find_counters(ID, root=root))

    later = {
        name: text.replace("1000", "4000").replace("4096", "8192").replace("kill 2", "kill 3").replace("max 3", "max 9")
        for name, text in files.items()
    }
    written(tmp_path, later)
    reading = meter.read()
    meter.close()

    assert reading.cpu_ns == 3_000_000
    assert (reading.memory_bytes, reading.memory_kills, reading.refused_forks) == (4096, 1, 6)
    assert meter.read() == reading


def test_container_that_is_not_to_be_seen_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoCgroupError):
        find_counters("another", root=written(tmp_path, V2))


def test_unusual_place_is_found_by_the_process(tmp_path: Path) -> None:
    """The process is this one, whose control groups have another name: it is not taken for the container's."""
    with pytest.raises(NoCgroupError):
        find_counters("another", pid=1, root=written(tmp_path, V1))
