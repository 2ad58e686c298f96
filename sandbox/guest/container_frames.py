"""The frames between the host and the guest of a container: a kind byte, a 32-bit length, the payload.

They go over the container's own standard input and output; out, once the host has asked for that, over a pipe of the
guest's own. What a child says travels inside them, so that nothing that a program writes can pass for the guest's word.
"""

from enum import IntEnum

# The guest's descriptors for what the host says, and for what it says itself to a host that came near.
HOST_IN, NEAR_OUT = 10, 14


class Order(IntEnum):
    """From the host to the guest."""

    FEED = 1  # bytes for the child's channel; the first of a run are its job
    PREPARE = 2  # import nothing more ahead and have a child ready; STARTED answers; empty
    END = 3  # the run is over: kill everything, wipe, and be ready again; empty
    NEAR = 4  # say everything from here on over NEAR_OUT, which the host has opened; empty


class Word(IntEnum):
    """From the guest to the host."""

    READY = 1  # nothing of a run is left, the next one may come; empty
    WARM = 2  # READY, and every module of the image is imported; empty
    SAID = 3  # bytes of the child's channel
    PRINTED = 4  # bytes that went to descriptor 1 or 2
    STARTED = 5  # a child is ready, as PREPARE asked; empty
    ENDED = 6  # the child ended by itself, and everything with it; JSON: status (of wait), full (the scratch places)


# What one frame of the guest carries at most.
CHUNK_BYTES_MAX = 64 * 1024
