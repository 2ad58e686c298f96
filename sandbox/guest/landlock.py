"""Landlock: a domain without any rule, so that the process reaches no file, no TCP port, no socket of others.

A program that is yet to be started behind the wall needs a rule for each file that it is made of, and no other.

Source: Documentation/userspace-api/landlock.rst, Linux 6.18 (ABI 7).
"""

import ctypes
import os
import struct
from collections.abc import Mapping

from sandbox.guest.kernel import syscall

READ = 1 << 2
EXECUTE = 1 << 0

_CREATE_RULESET = 444  # the same numbers on every architecture
_ADD_RULE = 445
_RESTRICT_SELF = 446
_PATH_BENEATH = 1
_VERSION_FLAG = 1

_FS_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_NET_RIGHTS = {4: 0b11}  # bind and connect of TCP
_SCOPES = {6: 0b11}  # abstract unix sockets and signals beyond the domain


def abi_version() -> int:
    """The kernel's Landlock ABI, 0 when Landlock is absent or switched off."""
    try:
        no_size, flags = ctypes.c_size_t(0), ctypes.c_uint(_VERSION_FLAG)
        return syscall("landlock_create_ruleset", _CREATE_RULESET, None, no_size, flags)
    except OSError:
        return 0


def deny_all() -> None:
    """Enter a domain that permits none of what this kernel's Landlock handles.

    Raises OSError where Landlock is missing. Needs no-new-privileges.
    """
    deny_all_but({})


def deny_all_but(files: Mapping[str, int]) -> None:
    """Enter a domain that permits nothing but READ and EXECUTE of `files`, as each says.

    Raises OSError where Landlock or a file is missing. Needs no-new-privileges.
    """
    abi = abi_version()
    fields = [_newest(table, abi) for table in (_FS_RIGHTS, _NET_RIGHTS, _SCOPES)]
    # An older kernel takes a larger structure as long as the fields that it does not know are zero.
    attributes = struct.pack("QQQ", *fields)
    size = ctypes.c_size_t(len(attributes))
    ruleset = syscall("landlock_create_ruleset", _CREATE_RULESET, attributes, size, ctypes.c_uint(0))
    try:
        for path, rights in files.items():
            _permit(ruleset, path, rights)
        syscall("landlock_restrict_self", _RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint(0))
    finally:
        os.close(ruleset)


def _permit(ruleset: int, path: str, rights: int) -> None:
    file = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("=Qi", rights, file)
        arguments = (ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint(0))
        syscall("landlock_add_rule", _ADD_RULE, *arguments)
    finally:
        os.close(file)


def _newest(table: dict[int, int], abi: int) -> int:
    return max((rights for since, rights in table.items() if since <= abi), default=0)
