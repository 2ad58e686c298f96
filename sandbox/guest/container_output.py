"""What a program of the docker tier prints: lines of `print` go as log lines, in order with `ctx.log`."""

import array
import ctypes
import fcntl
import io
import os
import sys
import termios
import threading
import time
from collections.abc import Callable
from contextlib import suppress

# A line without an end is sent in pieces of this size.
LINE_BYTES_MAX = 256 * 1024
READ_S_MAX = 0.05


class LogLines(io.RawIOBase):
    """A file that turns each line into a log line; behind a fork it writes to the real descriptor instead."""

    def __init__(self, send: Callable[[str], None], descriptor: int) -> None:
        self._send = send
        self._descriptor = descriptor
        self._owner = os.getpid()
        self._rest = b""
        self._lock = threading.Lock()

    def writable(self) -> bool:
        """Always."""
        return True

    def fileno(self) -> int:
        """The real descriptor, for what writes past Python."""
        return self._descriptor

    def write(self, data: object) -> int:
        """Take bytes; send every whole line."""
        taken = bytes(data)  # type: ignore[call-overload]
        if os.getpid() != self._owner:
            return os.write(self._descriptor, taken)
        with self._lock:
            *lines, self._rest = (self._rest + taken).split(b"\n")
            for line in lines:
                self._send(line.decode("utf-8", "replace"))
            if len(self._rest) >= LINE_BYTES_MAX:
                self._send_rest()
        return len(taken)

    def finish(self) -> None:
        """Send a line that has no end yet."""
        with self._lock:
            self._send_rest()

    def _send_rest(self) -> None:
        rest, self._rest = self._rest, b""
        if rest:
            self._send(rest.decode("utf-8", "replace"))


def wait_until_read(descriptor: int = 1) -> None:
    """Wait until the guest has read what was printed past Python, so that its order with what is said is kept.

    Not longer than `READ_S_MAX`: another process of the program may print all the time.
    """
    unread = array.array("i", [0])
    deadline = time.monotonic() + READ_S_MAX
    with suppress(OSError):  # the program may have closed it
        while fcntl.ioctl(descriptor, termios.FIONREAD, unread) == 0 and unread[0] and time.monotonic() < deadline:
            time.sleep(READ_S_MAX / 250)


def replace_standard_streams(send: Callable[[str], None]) -> Callable[[], None]:
    """Make `sys.stdout` and `sys.stderr` send lines.

    Returns:
        What sends everything that is still held back, in Python or in the C library.
    """
    raw = [LogLines(send, 1), LogLines(send, 2)]
    streams = [io.TextIOWrapper(file, "utf-8", "replace", newline="\n", line_buffering=True) for file in raw]  # type: ignore[type-var]
    for name, stream in zip(("stdout", "stderr"), streams, strict=True):
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)

    flush_c_library = ctypes.CDLL(None).fflush

    def flush() -> None:
        for stream, file in zip(streams, raw, strict=True):
            if not stream.closed:
                stream.flush()
            file.finish()
        flush_c_library(None)

    return flush
