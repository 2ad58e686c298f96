"""What a program may write to, and how nothing of it is left for the next one."""

import errno
import os
import secrets

# Every place of the container that can be written to.
SCRATCH = ("/tmp", "/dev/shm", "/dev/mqueue")  # noqa: S108 - these are the container's own

_FULL_BYTES = 64 * 1024


def is_full() -> bool:
    """Whether a scratch place has no room left, for bytes or for files."""
    for place in SCRATCH[:2]:
        state = os.statvfs(place)
        if state.f_bavail * state.f_bsize < _FULL_BYTES or (state.f_files and state.f_favail == 0):
            return True
    return False


def wipe() -> None:
    """Remove everything from every scratch place. Nothing else may run meanwhile.

    Raises OSError when something cannot be removed.
    """
    for place in SCRATCH:
        try:
            top = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue
        try:
            _empty(top)
        finally:
            os.close(top)


def _empty(top: int) -> None:
    # Directories are lifted to the top before they are emptied: no depth that a program makes can exhaust anything.
    while names := os.listdir(top):
        for name in names:
            _remove(name, top)


def _remove(name: str, top: int) -> None:
    if _unlinked(name, top):
        return
    os.chmod(name, 0o700, dir_fd=top)
    directory = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
    try:
        for inner in os.listdir(directory):
            if not _unlinked(inner, directory):
                os.chmod(inner, 0o700, dir_fd=directory)  # a directory that moves is written to
                os.rename(inner, secrets.token_hex(16), src_dir_fd=directory, dst_dir_fd=top)
    finally:
        os.close(directory)
    os.rmdir(name, dir_fd=top)


def _unlinked(name: str, directory: int) -> bool:
    try:
        os.unlink(name, dir_fd=directory)
    except IsADirectoryError:
        return False
    except OSError as error:
        if error.errno == errno.EPERM:  # what unlink(2) of a directory is by POSIX, and on some kernels
            return False
        raise
    return True
