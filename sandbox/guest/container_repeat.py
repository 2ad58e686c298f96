"""What makes a run of plain Python repeatable: seeded randomness, a clock that stands still, and word of the rest.

All of this serves honest programs. It changes modules of a process that serves one run.
"""

import ctypes
import datetime
import gc
import importlib.abc
import importlib.machinery
import importlib.util
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

_NUMPY_SEED_MAX = 2**32


class Randomness:
    """The seeded randomness of a program, and word of any other.

    It takes the places of the standard library's sources of randomness when it is made, and does nothing until `seed`.

    Args:
        tell: is called once, when the program takes randomness from the kernel by way of Python's standard library.
    """

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell
        self._reseed = random.seed
        self.silent = True
        self._watch()

    def seed(self, seed: int) -> None:
        """Seed `random` and numpy's global generator with 0 to 2**63 - 1, and tell from here on."""
        self._reseed(seed)
        if "numpy.random" in sys.modules:
            sys.modules["numpy.random"].seed(seed % _NUMPY_SEED_MAX)
        else:
            sys.meta_path.insert(0, _SeedNumpy(seed % _NUMPY_SEED_MAX, self))
        self.silent = False

    def told(self) -> None:
        """Randomness is used that no seed repeats."""
        if not self.silent:
            self.silent = True
            self._tell()

    def _watch(self) -> None:
        urandom, getrandom, told, reseed = os.urandom, os.getrandom, self.told, self._reseed

        def watched_urandom(size: int) -> bytes:
            told()
            return urandom(size)

        def watched_getrandom(size: int, flags: int = 0) -> bytes:
            told()
            return getrandom(size, flags)

        def watched_seed(a: Any = None, version: int = 2) -> None:
            if a is None:
                told()
            reseed(a, version)

        os.urandom, os.getrandom = watched_urandom, watched_getrandom
        random.seed = watched_seed
        random._urandom = watched_urandom  # type: ignore[attr-defined] # which the stubs do not know


class _SeedNumpy(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Seeds numpy's global generator when the program itself imports it."""

    def __init__(self, seed: int, randomness: Randomness) -> None:
        self._seed = seed
        self._randomness = randomness
        self._loader: Any = None

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != "numpy.random":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None:
            self._loader, spec.loader = spec.loader, self
        return spec

    def exec_module(self, module: ModuleType) -> None:
        randomness = self._randomness
        before, randomness.silent = randomness.silent, True  # its first state, which the seed replaces
        try:
            self._loader.exec_module(module)
        finally:
            randomness.silent = before
        module.seed(self._seed)


def stop_clock(at: float) -> None:
    """Let `time` and `datetime` tell this moment for as long as the process lives.

    Args:
        at: seconds since the epoch.
    """
    nanoseconds = round(at * 1e6) * 1000
    _stop_time_module(at, nanoseconds)
    moment = datetime.datetime.fromtimestamp(at, datetime.UTC)

    def now(cls: type[datetime.datetime], tz: datetime.tzinfo | None = None) -> datetime.datetime:
        there = moment.astimezone(tz)
        return _as(cls, there if tz is not None else there.replace(tzinfo=None))

    def utcnow(cls: type[datetime.datetime]) -> datetime.datetime:
        return _as(cls, moment.replace(tzinfo=None))

    def today(cls: type[datetime.date]) -> datetime.date:
        here = moment.astimezone()
        return cls(here.year, here.month, here.day)

    def today_with_time(cls: type[datetime.datetime]) -> datetime.datetime:
        return now(cls)

    _replace_methods(datetime.datetime, now=now, utcnow=utcnow, today=today_with_time)
    _replace_methods(datetime.date, today=today)


def _stop_time_module(at: float, nanoseconds: int) -> None:
    real = {name: getattr(time, name) for name in ("gmtime", "localtime", "ctime", "strftime")}
    replacements: dict[str, Callable[..., Any]] = {
        "time": lambda: at,
        "time_ns": lambda: nanoseconds,
        "gmtime": lambda seconds=None: real["gmtime"](at if seconds is None else seconds),
        "localtime": lambda seconds=None: real["localtime"](at if seconds is None else seconds),
        "ctime": lambda seconds=None: real["ctime"](at if seconds is None else seconds),
        "strftime": lambda form, moment=None: real["strftime"](form, moment or real["localtime"](at)),
    }
    for name, replacement in replacements.items():
        setattr(time, name, replacement)


def _as(cls: type[datetime.datetime], moment: datetime.datetime) -> datetime.datetime:
    return cls(
        moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second, moment.microsecond,
        moment.tzinfo, fold=moment.fold,
    )  # fmt: skip


def _replace_methods(cls: type, **methods: Callable[..., object]) -> None:
    """Replace class methods of a type written in C, so that objects made elsewhere stay of that very type."""
    (names,) = gc.get_referents(cls.__dict__)
    for name, method in methods.items():
        names[name] = classmethod(method)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(cls))
