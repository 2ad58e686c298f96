"""The two clocks that authentication reads, so that a test can hold both still."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """`wall` gives seconds since 1970 for what a token says, `monotonic` seconds for how old something is here."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


SYSTEM_CLOCK = Clock()
