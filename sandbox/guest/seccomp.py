"""The system calls that a running agent may still make, as a classic BPF filter.

Everything else answers EPERM. The list is what CPython needs to compute, to sleep and to talk over a channel that is
already open: nothing opens, connects, starts, signals or inspects anything.

Sources: Documentation/userspace-api/seccomp_filter.rst; syscall tables of Linux 6.18 for x86_64 and arm64.
"""

import ctypes
import errno
import platform
import struct
from collections.abc import Iterable
from typing import TypeAlias

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
# What a program needs besides, to be started behind the filter: the loader opens and maps it, Landlock says which
# files, and its runtime sets up signal stacks and threads. Nothing here reaches another process or the network.
ALLOWED_TO_START: dict[str, tuple[int, int]] = {
    "execve": (59, 221),
    "openat": (257, 56),
    "close": (3, 57),
    "fstat": (5, 80),
    "newfstatat": (262, 79),
    "pread64": (17, 67),
    "lseek": (8, 62),
    "faccessat": (269, 48),
    "set_tid_address": (218, 96),
    "set_robust_list": (273, 99),
    "rseq": (334, 293),
    "rt_sigaction": (13, 134),
    "sigaltstack": (131, 132),
    "sched_getaffinity": (204, 123),
    "gettid": (186, 178),
    "ppoll": (271, 73),
    "writev": (20, 66),
}
# The same, by names that only one architecture has.
_ALLOWED_TO_START_ON_X86 = {"access": 21, "arch_prctl": 158, "poll": 7}
# Allowed only to make threads of the caller.
CLONE = (56, 220)
# Answers "no such call", so that the C library turns to `clone`, whose flags a filter can read.
CLONE3 = (435, 435)
# Allowed only on the caller itself, where limits can only be lowered.
ALLOWED_ON_SELF: dict[str, tuple[int, int]] = {"prlimit64": (302, 261)}
# Allowed only without PROT_EXEC: no memory becomes code after the wall stands.
ALLOWED_WITHOUT_EXEC: dict[str, tuple[int, int]] = {"mmap": (9, 222), "mprotect": (10, 226)}

_Instruction: TypeAlias = tuple[int, int, int, int]

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_COLUMN = {"x86_64": 0, "aarch64": 1}
_LOAD, _JUMP_EQUAL, _JUMP_SET, _RETURN = 0x20, 0x15, 0x45, 0x06
_OFFSET_NUMBER, _OFFSET_ARCH, _OFFSET_ARG0_LOW, _OFFSET_ARG2_LOW = 0, 4, 16, 32
_ALLOW = 0x7FFF0000
_KILL_PROCESS = 0x80000000
_REFUSE = 0x00050000 | errno.EPERM
_NO_SUCH_CALL = 0x00050000 | errno.ENOSYS
_CLONE_THREAD = 0x00010000
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
    program = _only(machine)
    for row in ALLOWED_WITHOUT_EXEC.values():
        program += [
            (_JUMP_EQUAL, 0, 4, row[column]),
            (_LOAD, 0, 0, _OFFSET_ARG2_LOW),
            (_JUMP_SET, 0, 1, _PROT_EXEC),
            (_RETURN, 0, 0, _REFUSE),
            (_RETURN, 0, 0, _ALLOW),
        ]
    program += _on_self(column)
    program += _answers(row[column] for row in ALLOWED.values())
    return _pack(program)


def build_starting_filter(machine: str | None = None) -> bytes:
    """The BPF program for a process that becomes another program and may then have threads, and no more."""
    machine = machine or platform.machine()
    column = _COLUMN[machine]
    program = _only(machine)
    program += [
        (_JUMP_EQUAL, 0, 4, CLONE[column]),
        (_LOAD, 0, 0, _OFFSET_ARG0_LOW),
        (_JUMP_SET, 1, 0, _CLONE_THREAD),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
        (_JUMP_EQUAL, 0, 1, CLONE3[column]),
        (_RETURN, 0, 0, _NO_SUCH_CALL),
    ]
    program += _on_self(column)
    rows = (ALLOWED | ALLOWED_WITHOUT_EXEC | ALLOWED_TO_START).values()
    program += _answers(row[column] for row in rows)
    if column == 0:
        program += _answers(_ALLOWED_TO_START_ON_X86.values())
    return _pack(program)


def _only(machine: str) -> list[_Instruction]:
    return [
        (_LOAD, 0, 0, _OFFSET_ARCH),
        (_JUMP_EQUAL, 1, 0, _AUDIT_ARCH[machine]),
        (_RETURN, 0, 0, _KILL_PROCESS),  # a 32-bit entry would renumber the table
        (_LOAD, 0, 0, _OFFSET_NUMBER),
    ]


def _on_self(column: int) -> list[_Instruction]:
    program: list[_Instruction] = []
    for row in ALLOWED_ON_SELF.values():
        program += [
            (_JUMP_EQUAL, 0, 4, row[column]),
            (_LOAD, 0, 0, _OFFSET_ARG0_LOW),
            (_JUMP_EQUAL, 1, 0, 0),
            (_RETURN, 0, 0, _REFUSE),
            (_RETURN, 0, 0, _ALLOW),
        ]
    return program


def _answers(numbers: Iterable[int]) -> list[_Instruction]:
    program: list[_Instruction] = []
    for number in numbers:
        program += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    return program


def _pack(program: list[_Instruction]) -> bytes:
    refuse: _Instruction = (_RETURN, 0, 0, _REFUSE)
    return b"".join(struct.pack("HBBI", *instruction) for instruction in (*program, refuse))


def install(program: bytes) -> None:
    """Put the filter in force for this process, for good. Needs no-new-privileges."""
    instructions = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(instructions))
    holder = ctypes.create_string_buffer(head, len(head))
    prctl("PR_SET_SECCOMP", _PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(holder))
