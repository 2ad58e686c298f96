"""Advisory locks on open files: they end with the process, however it ends."""

import fcntl
import os
import time

from agents_store.errors import StoreUnavailableError

_POLL_S = 0.02


def try_exclusively(fd: int) -> bool:
    """Take, or upgrade to, the exclusive lock if nobody else has any. A failed upgrade gives up the shared one."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def lock_within(fd: int, timeout_s: float, what: str) -> None:
    """Wait for the exclusive lock, blocking the thread.

    Args:
        fd: the open file, or directory.
        timeout_s: how long to wait.
        what: what the holder does meanwhile, for the error.

    Raises:
        StoreUnavailableError: somebody held it all the time.
    """
    deadline = time.monotonic() + timeout_s
    while not try_exclusively(fd):
        if time.monotonic() > deadline:
            raise StoreUnavailableError(f"for {timeout_s:.0f} s another process has been {what}")
        time.sleep(_POLL_S)


def unlock_and_close(fd: int) -> None:
    """Give up the lock and the descriptor."""
    try:
        # Said, not left to closing: a forked child that inherited the descriptor would keep the lock.
        fcntl.flock(fd, fcntl.LOCK_UN)
    finally:
        os.close(fd)
