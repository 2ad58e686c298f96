"""Programs that abuse a container, as data, and what is to be true of it afterwards."""

import re
from dataclasses import dataclass
from pathlib import Path

from sandbox.types import Outcome

PROGRAMS = Path(__file__).parent.parent / "programs" / "docker"
_EXPECT = re.compile(r"^expect: (.+)$", re.MULTILINE)

# What a run finds that comes after another one of the same owner, in the same container.
IS_FRESH = """
import json, os, socket, sys, threading

PLACES = ("/tmp", "/dev/shm", "/dev/mqueue")

def run(inputs):
    found = {
        "files": sorted(name for place in PLACES if os.path.isdir(place) for name in os.listdir(place)),
        "processes": sorted(int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()),
        "threads": threading.active_count(),
        "directory": os.getcwd(),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "json": json.dumps({"a": [1, None]}),
        "guest_nice": os.getpriority(os.PRIO_PROCESS, 1),
        "own_nice": os.getpriority(os.PRIO_PROCESS, 0),
        "cpus": len(os.sched_getaffinity(1)) == len(os.sched_getaffinity(0)),
        "marks": sorted(name for name in os.environ if name.startswith("MARK")),
        "room": os.statvfs("/tmp").f_bavail == os.statvfs("/tmp").f_blocks,
    }
    squat = socket.socket(socket.AF_UNIX)
    squat.bind("\\0glovebox-squat")
    return found
"""
FRESH = {
    "files": [],
    "processes": [1],
    "threads": 1,
    "directory": "/tmp",  # noqa: S108 - the container's own
    "descriptors": 5,
    "json": '{"a": [1, null]}',
    "guest_nice": 0,
    "own_nice": 0,
    "cpus": True,
    "marks": [],
    "room": True,
}


@dataclass(frozen=True)
class Abuse:
    """One program and the outcomes that it may have."""

    name: str
    source: str
    outcomes: frozenset[Outcome]


def read_abuses() -> list[Abuse]:
    """In order of number."""
    return [_read(path) for path in sorted(PROGRAMS.glob("*.py"))]


def _read(path: Path) -> Abuse:
    source = path.read_text(encoding="utf-8")
    expected = _EXPECT.search(source)
    assert expected is not None, path
    return Abuse(path.stem, source, frozenset(Outcome(word.strip()) for word in expected[1].split(",")))
