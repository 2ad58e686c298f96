"""A wall clock that jumps while a program runs: libfaketime under it, the monotonic clock left alone."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.running import open_directory

LIBRARIES = "lib*/*/faketime/libfaketimeMT.so.1"


class MovedClock:
    """The clock of every program that was started with `environment`."""

    def __init__(self, library: Path, stamp: Path) -> None:
        self._stamp = stamp
        self.ahead_s = 0
        self.set(0)
        self.environment: Mapping[str, str] = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(stamp),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, ahead_s: int) -> None:
        """From now on it is `ahead_s` ahead of the machine's."""
        made = self._stamp.with_suffix(".new")
        made.write_text(f"{ahead_s:+d}\n")
        made.chmod(0o644)
        made.replace(self._stamp)
        self.ahead_s = ahead_s


@contextmanager
def moved_clock() -> Iterator[MovedClock]:
    """Skips, or in CI fails, where libfaketime is not installed."""
    library = next(Path("/usr").glob(LIBRARIES), None)
    if library is None:
        if os.environ.get("CI"):  # noqa: TID251 - whether a test may skip is not a setting of the product
            pytest.fail("CI has no libfaketime")
        pytest.skip("libfaketime is not installed")
    with open_directory() as home:
        yield MovedClock(library, home / "stamp")
