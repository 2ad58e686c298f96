"""CPU time and memory of processes, as the kernel counts them.

Sources: proc_pid_stat(5), proc_pid_smaps(5) (`smaps_rollup`), proc_stat(5).
"""

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_SHIM = "containerd-shim"  # the kernel keeps 15 characters of a name
_ENGINE = ("dockerd", "containerd")


@dataclass(frozen=True, slots=True)
class Process:
    """One process: CPU time in ticks, its own and that of its children that have ended."""

    pid: int
    parent: int
    name: str
    own: int
    ended_children: int


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """CPU time in s since their starts: of the server process, and of what works for it; and of all there is.

    `stolen` is what the host of a virtual machine gave to others while this one had work.
    """

    server: float
    sandboxes: float
    containers: float
    engine: float
    database: float
    machine: float
    stolen: float

    def since(self, earlier: "CpuTimes") -> Mapping[str, float]:
        """What each used between two readings, in s. A container that ended in between does not count."""
        return {name: max(0.0, getattr(self, name) - getattr(earlier, name)) for name in self.__slots__}


def read_processes() -> Mapping[int, Process]:
    """All processes that there are now."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):  # it has ended meanwhile
                process = _parse_stat((entry / "stat").read_text(errors="replace"))
                found[process.pid] = process
    return found


def read_cpu_times(server_pid: int, database_pid: int) -> CpuTimes:
    """The CPU time so far of a server, its children, its database and, of the whole machine, all containers."""
    processes = read_processes()
    database = tree_of(processes, [database_pid])
    sandboxes = tree_of(processes, [server_pid]) - database - {server_pid}
    containers = tree_of(processes, _named(processes, lambda name: name == _SHIM))
    engine = tree_of(processes, _named(processes, lambda name: name in _ENGINE)) - containers
    server = processes[server_pid]
    machine, stolen = _machine_s()
    return CpuTimes(
        server=server.own / _TICKS_PER_S,
        sandboxes=_total_s(processes, sandboxes) + server.ended_children / _TICKS_PER_S,
        containers=_total_s(processes, containers),
        engine=_total_s(processes, engine),
        database=_total_s(processes, database),
        machine=machine,
        stolen=stolen,
    )


def tree_of(processes: Mapping[int, Process], roots: Iterable[int]) -> set[int]:
    """The roots and all that descend from them."""
    tree: set[int] = set()
    grown = {pid for pid in roots if pid in processes}
    while grown:
        tree |= grown
        grown = {process.pid for process in processes.values() if process.parent in grown} - tree
    return tree


def unique_bytes(pid: int) -> int:
    """Memory that this process alone has written to: what nobody shares now or could share. Raises OSError.

    Clean pages of files are left out: they are the page cache's, for the next process that maps the same file.
    """
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty:"))


def _parse_stat(text: str) -> Process:
    name_start, name_end = text.index("("), text.rindex(")")
    fields = text[name_end + 2 :].split()
    user, system, ended_user, ended_system = map(int, fields[11:15])
    name = text[name_start + 1 : name_end]
    return Process(int(text[:name_start]), int(fields[1]), name, user + system, ended_user + ended_system)


def _named(processes: Mapping[int, Process], wanted: Callable[[str], bool]) -> list[int]:
    return [process.pid for process in processes.values() if wanted(process.name)]


def _total_s(processes: Mapping[int, Process], pids: Iterable[int]) -> float:
    return sum(processes[pid].own + processes[pid].ended_children for pid in pids) / _TICKS_PER_S


def _machine_s() -> tuple[float, float]:
    """All that was neither idle nor waiting for a disk; and what was stolen."""
    with Path("/proc/stat").open() as stat:
        user, nice, system, _idle, _io_wait, irq, soft_irq, stolen = map(int, stat.readline().split()[1:9])
    return (user + nice + system + irq + soft_irq) / _TICKS_PER_S, stolen / _TICKS_PER_S
