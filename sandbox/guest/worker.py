"""Builds the wall around the program that it then becomes: a worker that is no Python.

Started as `python worker.py UID MEMORY_BYTES CGROUP_PROCS EXECUTABLES FILES COMMAND...`; the lists are JSON. With an
empty command it builds the wall, writes the pieces that are missing to its standard output as JSON, and ends. A
missing piece of the minimum ends it with its name on standard error: nothing is started behind half a wall.

Unlike a child of the restricted tier, what runs behind this wall is loaded there, so its files stay readable; it has
no process namespace of its own, because a process enters one only by forking.
"""

import json
import os
import resource
import sys
from collections.abc import Callable
from contextlib import suppress

from sandbox.guest import kernel, landlock, seccomp, wall

MINIMUM = (
    "no inherited descriptors",
    "own non-root uid",
    "no capabilities",
    "no new privileges",
    "landlock",
    "rlimits",
    "seccomp",
)
NAMESPACES = {
    name: flag
    for name, flag in wall.NAMESPACES.items()
    if flag in (kernel.CLONE_NEWUSER, kernel.CLONE_NEWNET, kernel.CLONE_NEWIPC, kernel.CLONE_NEWUTS)
}
LAUNCH_FAILED = 97  # how the process ends when it could not build the wall
_DESCRIPTORS_MAX = 16
# Threads' stacks, and what the program maps before it runs anything.
_ADDRESS_SLACK_BYTES = 512 * 1024 * 1024
_DATA_SLACK_BYTES = 128 * 1024 * 1024


def main() -> None:
    """Become the command behind the wall, or probe the wall."""
    uid, memory_bytes, cgroup_procs = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    executables, files = json.loads(sys.argv[4]), json.loads(sys.argv[5])
    command = sys.argv[6:]
    if cgroup_procs:
        with suppress(OSError), open(cgroup_procs, "w") as procs:  # it is a backstop, no piece of the wall
            procs.write(str(os.getpid()))
    rights = dict.fromkeys(files, landlock.READ) | dict.fromkeys(executables, landlock.READ | landlock.EXECUTE)
    if command:  # what the program complains of goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try:
        missing = _build(uid, memory_bytes, rights)
    except wall.WallError as error:
        sys.stderr.write(str(error))
        sys.stderr.flush()
        os._exit(LAUNCH_FAILED)
    if not command:
        os.write(1, json.dumps(missing).encode())
        return
    os.execve(command[0], command, {"TZ": "UTC", "LC_ALL": "C.UTF-8"})  # noqa: S606 - a program, no shell


def _build(uid: int, memory_bytes: int, rights: dict[str, int]) -> tuple[str, ...]:
    """Build all of it. Returns the namespaces that are missing. Raises WallError."""
    if os.geteuid() == 0:
        wall.drop_to(uid)
    missing = wall.leave_host_namespaces(NAMESPACES)
    builders: tuple[Callable[[], None], ...] = (
        lambda: os.closerange(3, 1 << 20),
        wall.refuse_root,
        kernel.drop_capabilities,
        kernel.set_no_new_privileges,
        lambda: landlock.deny_all_but(rights),
        lambda: _set_rlimits(memory_bytes),
        lambda: seccomp.install(seccomp.build_starting_filter()),
    )
    wall.build(MINIMUM, builders)
    return missing


def _set_rlimits(memory_bytes: int) -> None:
    caps = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: _DESCRIPTORS_MAX,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_DATA: memory_bytes + _DATA_SLACK_BYTES,
        resource.RLIMIT_AS: memory_bytes + _ADDRESS_SLACK_BYTES,
    }
    for limit, value in caps.items():
        with suppress(ValueError):  # a lower cap is in force already
            resource.setrlimit(limit, (value, value))


if __name__ == "__main__":
    main()
