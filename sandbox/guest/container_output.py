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

# A line without an end is sent in pieces of this size.
LINE_BYTES_MAX = 256 * 1024
READ_S_MAX = 0.05

_UNREAD = array.array("i", [0])


class LogLines(io.RawIOBase):
    """A file that turns each line into a log line; behind a fork it writes to the real descriptor instead."""

    def __init__(self, send: Callable[[str], None], is_here: Callable[[], bool], descriptor: int) -> None:
        self._send = send
        self._is_here = is_here
        self._descriptor = descriptor
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
        if not self._is_here():
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
    deadline = time.monotonic() + READ_S_MAX
    try:
        while fcntl.ioctl(descriptor, termios.FIONREAD, _UNREAD) == 0 and _UNREAD[0] and time.monotonic() < deadline:
            time.sleep(READ_S_MAX / 250)
    except OSError:  # the program may have closed it
        return


class Streams:
    """A program's `sys.stdout` and `sys.stderr`, which send lines.

    Args:
        send: takes each line.
        is_here: whether this is the process whose lines it takes.
    """

    def __init__(self, send: Callable[[str], None], is_here: Callable[[], bool]) -> None:
        self._files = [LogLines(send, is_here, 1), LogLines(send, is_here, 2)]
        self._streams = [
            io.TextIOWrapper(file, "utf-8", "replace", newline="\n", line_buffering=True)  # type: ignore[type-var]
            for file in self._files
        ]
        self._flush_c_library = ctypes.CDLL(None).fflush

    def install(self) -> None:
        """Put them where the program finds them."""
        sys.stdout = sys.__stdout__ = self._streams[0]  # type: ignore[misc, assignment] # final in the stubs
        sys.stderr = sys.__stderr__ = self._streams[1]  # type: ignore[misc, assignment] # as above

    def flush(self) -> None:
        """Send everything that is still held back, in Python or in the C library."""
        for stream, file in zip(self._streams, self._files, strict=True):
            if not stream.closed:
                stream.flush()
            file.finish()
        self._flush_c_library(None)
