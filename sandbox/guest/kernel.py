"""The system calls that build a wall and that Python's standard library does not offer.

Sources: unshare(2), setns(2), pivot_root(2), prctl(2), capset(2), Linux 6.18 `uapi/linux/capability.h`.
"""

import ctypes
import os
import platform
import struct

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAP_VERSION_3 = 0x20080522
_CAP_LAST_MAX = 63
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_RDONLY = 2, 4, 8, 1
_MS_REC, _MS_PRIVATE = 0x4000, 1 << 18
_MNT_DETACH = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

_libc = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> int:
    """Return `result`, or raise OSError with the call's errno and its name."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(what: str, number: int, *args: object) -> int:
    """Make a raw system call. Raises OSError naming `what`."""
    return check(_libc.syscall(ctypes.c_long(number), *args), what)


def prctl(what: str, *args: int) -> None:
    """Set a property of this process (see its manual page). Raises OSError naming `what`."""
    padded = [ctypes.c_ulong(arg) for arg in (*args, 0, 0, 0, 0)[:5]]
    check(_libc.prctl(*padded), what)


def unshare(flags: int) -> None:
    """Leave the namespaces named by `flags`."""
    check(_libc.unshare(ctypes.c_int(flags)), "unshare")


def setns(fd: int, flags: int) -> None:
    """Enter the namespaces, named by `flags`, of the process behind the pidfd `fd`."""
    check(_libc.setns(ctypes.c_int(fd), ctypes.c_int(flags)), "setns")


def die_with_parent() -> None:
    """Have the kernel send SIGKILL when the parent ends. Changing the uid clears this: call it after."""
    prctl("PR_SET_PDEATHSIG", _PR_SET_PDEATHSIG, 9)


def set_dumpable(dumpable: bool) -> None:
    """Undumpable: no ptrace, no core, and `/proc/self` belongs to root."""
    prctl("PR_SET_DUMPABLE", _PR_SET_DUMPABLE, int(dumpable))


def set_no_new_privileges() -> None:
    """Nothing that this process starts or becomes gains privileges; Landlock and seccomp ask for it."""
    prctl("PR_SET_NO_NEW_PRIVS", _PR_SET_NO_NEW_PRIVS, 1)


def drop_bounding_set() -> None:
    """Empty the capability bounding set, so that no capability can come back. Needs CAP_SETPCAP."""
    for capability in range(_CAP_LAST_MAX + 1):
        try:
            prctl("PR_CAPBSET_DROP", _PR_CAPBSET_DROP, capability)
        except OSError as error:
            if error.errno == 22:  # EINVAL: beyond the last capability of this kernel
                return
            raise


def drop_capabilities() -> None:
    """Give up every capability, for good."""
    prctl("PR_CAP_AMBIENT_CLEAR_ALL", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    header = struct.pack("Ii", _CAP_VERSION_3, 0)
    check(_libc.capset(header, bytes(24)), "capset")


def enter_empty_root() -> None:
    """Make an empty, read-only tmpfs the root of this mount namespace; every other mount is detached."""
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)
    place = "/proc"  # any directory will do as the mount point: it goes away with the old root
    _mount("none", place, "tmpfs", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, "size=4k,nr_inodes=2,mode=555")
    os.chdir(place)
    syscall("pivot_root", _PIVOT_ROOT[platform.machine()], b".", b".")
    check(_libc.umount2(b".", _MNT_DETACH), "umount2")
    os.chdir("/")
    _mount(None, "/", None, 32 | _MS_RDONLY | _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)  # 32: MS_REMOUNT


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    encoded = [text.encode() if text is not None else None for text in (source, target, kind, options)]
    check(_libc.mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3]), f"mount on {target}")
