"""The system calls that a running agent may still make, as a classic BPF filter.

Everything else answers EPERM. The list is what CPython needs to compute, to sleep and to talk over a channel that is
already open: nothing opens, connects, starts, signals or inspects anything.

Sources: Documentation/userspace-api/seccomp_filter.rst; syscall tables of Linux 6.18 for x86_64 and arm64.
"""

import ctypes
import errno
import platform
import struct

from sandbox.guest.kernel import prctl

# name -> (x86_64, arm64)
ALLOWED: dict[str, tuple[int, int]] = {
    "read": (0, 63),
    "write": (1, 64),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "nanosleep": (35, 101),
    "exit": (60, 93),
    "gettimeofday": (96, 169),
    "futex": (202, 98),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "exit_group": (231, 94),
    "getrandom": (318, 278),
}
# Allowed only on the caller itself, where limits can only be lowered.
ALLOWED_ON_SELF: dict[str, tuple[int, int]] = {"prlimit64": (302, 261)}
# Allowed only without PROT_EXEC: no memory becomes code after the wall stands.
ALLOWED_WITHOUT_EXEC: dict[str, tuple[int, int]] = {"mmap": (9, 222), "mprotect": (10, 226)}

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_COLUMN = {"x86_64": 0, "aarch64": 1}
_LOAD, _JUMP_EQUAL, _JUMP_SET, _RETURN = 0x20, 0x15, 0x45, 0x06
_OFFSET_NUMBER, _OFFSET_ARCH, _OFFSET_ARG0_LOW, _OFFSET_ARG2_LOW = 0, 4, 16, 32
_ALLOW = 0x7FFF0000
_KILL_PROCESS = 0x80000000
_REFUSE = 0x00050000 | errno.EPERM
_PROT_EXEC = 4
_PR_SET_SECCOMP = 22
_MODE_FILTER = 2


def numbers(machine: str | None = None) -> frozenset[int]:
    """The allowed system call numbers on this architecture."""
    column = _COLUMN[machine or platform.machine()]
    return frozenset(row[column] for row in (ALLOWED | ALLOWED_ON_SELF | ALLOWED_WITHOUT_EXEC).values())


def build_filter(machine: str | None = None) -> bytes:
    """The BPF program: wrong architecture kills, an allowed call passes, all else answers EPERM."""
    machine = machine or platform.machine()
    column = _COLUMN[machine]
    program = [
        (_LOAD, 0, 0, _OFFSET_ARCH),
        (_JUMP_EQUAL, 1, 0, _AUDIT_ARCH[machine]),
        (_RETURN, 0, 0, _KILL_PROCESS),  # a 32-bit entry would renumber the table
        (_LOAD, 0, 0, _OFFSET_NUMBER),
    ]
    for row in ALLOWED_WITHOUT_EXEC.values():
        program += [
            (_JUMP_EQUAL, 0, 4, row[column]),
            (_LOAD, 0, 0, _OFFSET_ARG2_LOW),
            (_JUMP_SET, 0, 1, _PROT_EXEC),
            (_RETURN, 0, 0, _REFUSE),
            (_RETURN, 0, 0, _ALLOW),
        ]
    for row in ALLOWED_ON_SELF.values():
        program += [
            (_JUMP_EQUAL, 0, 4, row[column]),
            (_LOAD, 0, 0, _OFFSET_ARG0_LOW),
            (_JUMP_EQUAL, 1, 0, 0),
            (_RETURN, 0, 0, _REFUSE),
            (_RETURN, 0, 0, _ALLOW),
        ]
    for row in ALLOWED.values():
        program += [(_JUMP_EQUAL, 0, 1, row[column]), (_RETURN, 0, 0, _ALLOW)]
    program.append((_RETURN, 0, 0, _REFUSE))
    return b"".join(struct.pack("HBBI", *instruction) for instruction in program)


def install(program: bytes) -> None:
    """Put the filter in force for this process, for good. Needs no-new-privileges."""
    instructions = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(instructions))
    holder = ctypes.create_string_buffer(head, len(head))
    prctl("PR_SET_SECCOMP", _PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(holder))
