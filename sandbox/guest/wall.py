"""The kernel wall of the restricted tier, in the order in which it is built.

The zygote leaves the host's namespaces once; each child it forks gets a process namespace of its own and then gives up
everything that it will not need. The minimum wall is everything but the namespaces; a child that cannot build one of
its pieces does not run. The wall holds with the language policy switched off.
"""

import errno
import os
import resource
from collections.abc import Callable, Mapping, Sequence

from sandbox.guest import kernel, landlock, seccomp

NAMESPACES = {
    "user namespace": kernel.CLONE_NEWUSER,
    "mount namespace": kernel.CLONE_NEWNS,
    "network namespace": kernel.CLONE_NEWNET,
    "ipc namespace": kernel.CLONE_NEWIPC,
    "uts namespace": kernel.CLONE_NEWUTS,
    "pid namespace": kernel.CLONE_NEWPID,
}
# Every child has these, in the order in which they are built.
MINIMUM = (
    "one descriptor",
    "own non-root uid",
    "no capabilities",
    "no new privileges",
    "landlock",
    "rlimits",
    "no ptrace or core",
    "seccomp",
)
CHANNEL = 0  # the only descriptor that a child keeps

# Soft and hard alike. Memory and CPU time are set by the host when the run's limits are known.
_RLIMITS = {
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_FSIZE: 0,
    resource.RLIMIT_NOFILE: 0,  # no new descriptor, of any kind
    resource.RLIMIT_NPROC: 0,
    resource.RLIMIT_MEMLOCK: 0,
    resource.RLIMIT_MSGQUEUE: 0,
    resource.RLIMIT_NICE: 0,
    resource.RLIMIT_RTPRIO: 0,
    resource.RLIMIT_SIGPENDING: 0,
}


def drop_to(uid: int) -> None:
    """As root, become `uid` with the same gid and no other group, for good."""
    kernel.drop_bounding_set()
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def leave_host_namespaces(kinds: Mapping[str, int] = NAMESPACES) -> tuple[str, ...]:
    """Enter fresh namespaces of these kinds, a user namespace first; a process namespace holds from the next fork on.

    Returns:
        The namespaces that this machine does not give, each with the reason. All of them when there is no user
        namespace: without it an ordinary process may not make the others.
    """
    uid, gid = os.getuid(), os.getgid()
    kernel.set_dumpable(True)  # changing the uid made /proc/self unwritable
    try:
        kernel.unshare(kernel.CLONE_NEWUSER)
    except OSError as error:
        return tuple(f"{name} ({os.strerror(error.errno or errno.EPERM)})" for name in kinds)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    missing = []
    for name, flag in kinds.items():
        if flag == kernel.CLONE_NEWUSER:
            continue
        try:
            kernel.unshare(flag)
            if flag == kernel.CLONE_NEWNS:
                kernel.enter_empty_root()
        except OSError as error:
            missing.append(f"{name} ({error.strerror})")
    kernel.drop_bounding_set()
    return tuple(missing)


def seal(channel: int, syscall_filter: bytes) -> None:
    """Build the rest of the wall around the calling child, keeping only `channel`, as descriptor `CHANNEL`.

    Raises:
        WallError: a piece of the minimum wall cannot be built; the child must not run anything.
    """
    builders: tuple[Callable[[], None], ...] = (
        lambda: _keep_only(channel),
        refuse_root,
        kernel.drop_capabilities,
        kernel.set_no_new_privileges,
        landlock.deny_all,
        _set_rlimits,
        lambda: kernel.set_dumpable(False),
        lambda: seccomp.install(syscall_filter),
    )
    build(MINIMUM, builders)


def build(pieces: Sequence[str], builders: Sequence[Callable[[], None]]) -> None:
    """Build one piece after the other. Raises WallError naming the first that cannot be built."""
    for piece, build_piece in zip(pieces, builders, strict=True):
        try:
            build_piece()
        except OSError as error:
            raise WallError(f"{piece} ({error.strerror})") from error


class WallError(Exception):
    """A piece of the minimum wall cannot be built on this machine. The message names it and says why."""


def refuse_root() -> None:
    """Raise OSError unless the uid and the gid are other than root's."""
    if 0 in (os.getuid(), os.geteuid(), os.getgid()):
        raise OSError(errno.EPERM, "sandboxed code would run as root")


def _keep_only(channel: int) -> None:
    os.dup2(channel, CHANNEL, inheritable=False)
    os.closerange(CHANNEL + 1, 1 << 20)


def _set_rlimits() -> None:
    for limit, value in _RLIMITS.items():
        resource.setrlimit(limit, (value, value))
