"""The frames of the channel between the host and a child: one kind byte, a 32-bit length, the payload.

Everything that a child sends is untrusted; the host checks kind and length before it reads a payload. The channel
carries one thing at a time: after CALL the child waits for ANSWER.
"""

import os
import struct
from enum import IntEnum

HEADER = struct.Struct("!BI")


class Kind(IntEnum):
    """What a frame carries. All but JOB and ANSWER go from the child to the host."""

    JOB = 1  # marshalled dict, see `sandbox.guest.child`
    READY = 2  # the wall stands; empty
    WALL_FAILED = 3  # a piece of the minimum wall could not be built; UTF-8 text
    CODE = 4  # the compiled program, opaque to the host; always before any agent code runs
    REFUSED = 5  # JSON list of refusals; nothing ran
    LOG = 6  # JSON: message, fields
    VALUE = 7  # the result as JSON text
    BAD_RESULT = 8  # JSON error: what was returned is not JSON
    ERROR = 9  # JSON error: uncaught exception
    NO_MEMORY = 10  # an uncaught MemoryError; empty, so that sending it needs no memory
    CALL = 11  # JSON: glove, arguments; the program waits for its answer
    ANSWER = 12  # JSON: either value, or error with type and message
    RANDOMNESS = 13  # the program used randomness that no seed repeats; empty, at most once


def write_frame(fd: int, kind: Kind, payload: bytes = b"") -> None:
    """Write one frame whole to a blocking descriptor."""
    view = memoryview(HEADER.pack(kind, len(payload)) + payload)
    while view:
        view = view[os.write(fd, view) :]


def read_frame(fd: int) -> tuple[Kind, bytes]:
    """Read one frame from a blocking descriptor. Raises EOFError when the host is gone."""
    kind, length = HEADER.unpack(_read_exactly(fd, HEADER.size))
    return Kind(kind), _read_exactly(fd, length)


def _read_exactly(fd: int, count: int) -> bytes:
    parts = []
    while count:
        part = os.read(fd, min(count, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
