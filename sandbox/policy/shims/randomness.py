"""`random` as agents see it, and the record of whether a run drew on the kernel's randomness."""

import os
import random
from typing import Any

__all__ = ["Random", "SystemRandom", "seed"]

_SEED_BITS = 256
_used = False


def randomness_used() -> bool:
    """Whether this process drew on the kernel's randomness; if so, a replay of the run cannot repeat it."""
    return _used


def read_randomness(count: int) -> bytes:
    """`os.urandom(count)`, remembered."""
    global _used
    _used = True
    return os.urandom(count)


def seed(a: Any = None, version: int = 2) -> None:
    """`random.seed`; without a seed the next one comes from the run's own, so that a replay repeats it."""
    random.seed(_next_seed() if a is None else a, version)


class Random(random.Random):
    """`random.Random`; without a seed it takes one from the run's own, so that a replay repeats it."""

    def __init__(self, x: Any = None) -> None:
        super().__init__(_next_seed() if x is None else x)

    def seed(self, a: Any = None, version: int = 2) -> None:
        """Start again from `a`, or without one from the run's own seed."""
        super().seed(_next_seed() if a is None else a, version)


class SystemRandom(random.SystemRandom):
    """`random.SystemRandom`: the kernel's randomness, and remembered."""

    def random(self) -> float:
        """The next number in [0, 1)."""
        return (int.from_bytes(read_randomness(7)) >> 3) * 2**-53

    def getrandbits(self, k: int) -> int:
        """A number of `k` random bits. Raises ValueError for a negative `k`."""
        if k < 0:
            raise ValueError("number of bits must be non-negative")
        count = (k + 7) // 8
        return int.from_bytes(read_randomness(count)) >> (count * 8 - k)

    def randbytes(self, n: int) -> bytes:
        """`n` random bytes."""
        return read_randomness(n)


def _next_seed() -> int:
    return random.getrandbits(_SEED_BITS)
