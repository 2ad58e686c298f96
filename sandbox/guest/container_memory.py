"""Huge pages for what the guest has imported: forking and ending a child then copies and frees far fewer entries.

Sources: madvise(2) MADV_COLLAPSE (Linux 6.1), proc_pid_maps(5).
"""

import ctypes
from collections.abc import Iterator

_HUGE_BYTES = 2 * 1024 * 1024
_MADV_COLLAPSE = 25


def use_huge_pages() -> None:
    """Put this process's private memory on huge pages, where the kernel can; elsewhere nothing happens."""
    madvise = ctypes.CDLL(None).madvise
    for start, end in _anonymous_areas():
        first = -(-start // _HUGE_BYTES) * _HUGE_BYTES
        for address in range(first, end - _HUGE_BYTES + 1, _HUGE_BYTES):
            madvise(ctypes.c_void_p(address), ctypes.c_size_t(_HUGE_BYTES), _MADV_COLLAPSE)


def _anonymous_areas() -> Iterator[tuple[int, int]]:
    with open("/proc/self/maps", encoding="ascii") as maps:
        areas = [line.split() for line in maps]
    for addresses, access, _, _, inode, *name in areas:
        if access == "rw-p" and inode == "0" and name in ([], ["[heap]"]):
            start, end = (int(text, 16) for text in addresses.split("-"))
            yield start, end
