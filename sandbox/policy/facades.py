"""The standard library as agent code sees it: immutable objects that hold exactly the names of `modules.MODULES`.

A real module object is the classic way out of a language policy (`json.codecs.sys.modules["os"]` needs no underscore),
so agent code never gets one: `import json` binds a facade, and `from json import codecs` fails.
"""

import difflib
import importlib
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any, NoReturn

from sandbox.guest import container_repeat
from sandbox.policy.modules import HINTS, MODULES, NAME_HINTS, NOTES, REPLACEMENTS
from sandbox.policy.shims import output, randomness, warm_up

__all__ = [
    "MODULES",
    "NOTES",
    "Facade",
    "direct_output",
    "import_facade",
    "known_module",
    "known_name",
    "nearest",
    "preload",
    "randomness_used",
    "stop_clock",
]

direct_output = output.direct_output
randomness_used = randomness.randomness_used


class Facade:
    """One library module for agent code. Holds its names in slots and nothing else; cannot be changed."""

    # No `__getattr__` for a better message: it would make every read of a name a third slower.
    __slots__ = ()
    _title = ""

    def __new__(cls) -> "Facade":
        """Raises TypeError: facades are made here only."""
        raise TypeError("a module cannot be made")

    def __init_subclass__(cls) -> None:
        if cls.__module__ != __name__:
            raise TypeError("a module cannot be subclassed")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"module '{self._title}' is read-only")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"module '{self._title}' is read-only")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a module cannot be copied")

    def __repr__(self) -> str:
        return f"<module '{self._title}'>"


_facades: dict[str, Facade] = {}


def preload() -> None:
    """Make every facade and load whatever its functions load on first use: behind the wall nothing can be opened."""
    for module in MODULES:
        _facade(module)
    warm_up.warm_up()


def import_facade(
    name: str,
    globals: Mapping[str, object] | None = None,  # noqa: A002 - the signature of __import__
    locals: Mapping[str, object] | None = None,  # noqa: A002
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> Facade | None:
    """The `__import__` of agent code.

    Returns:
        As `__import__` does: for `import a.b` the facade of `a`, for `from a.b import c` that of `a.b`. None for
        library code that imports a loaded module.

    Raises:
        ImportError: the module or one of the names of `fromlist` is not in the table; says what is near.

    Source: https://docs.python.org/3.11/library/functions.html#import__
    """
    if type(fromlist) is list and not fromlist and name in sys.modules:
        # Library code in C, called by the program, as `strptime` imports `_strptime`: `PyImport_Import` calls the
        # `__import__` of whoever runs, ignores what it returns, and takes the module from `sys.modules` by itself.
        return None
    if level:
        raise ImportError("relative imports have no meaning here: an agent is one file")
    if not known_module(name):
        raise ModuleNotFoundError(f"agent code cannot import '{name}'{_advice_on_module(name)}")
    for wanted in fromlist or ():
        if wanted == "*":
            raise ImportError(f"'from {name} import *' is not possible: name what you need")
        if not known_name(name, wanted):
            raise ImportError(f"cannot import name '{wanted}' from '{name}'{_advice_on_name(name, wanted)}")
    return _facade(name if fromlist else name.partition(".")[0])


def known_module(name: str) -> bool:
    """Whether `import name` works."""
    return type(name) is str and name in MODULES


def known_name(module: str, name: str) -> bool:
    """Whether `from module import name` works; a submodule counts as a name of its parent."""
    return type(name) is str and known_module(module) and (name in MODULES[module] or f"{module}.{name}" in MODULES)


def nearest(name: str) -> list[str]:
    """What can be imported and resembles `name`, a module or `module.name`: at most three, most alike first."""
    module, _, last = name.rpartition(".")
    if module in MODULES:
        return [f"{module}.{near}" for near in _resembling(last, MODULES[module])]
    return _resembling(name, MODULES)


def stop_clock(at: float) -> None:
    """Let every module tell this moment, in seconds since the epoch, for as long as this process lives."""
    container_repeat.stop_clock(at)
    for name in MODULES["time"]:
        object.__setattr__(_facade("time"), name, getattr(time, name))


def _facade(module: str) -> Facade:
    facade = _facades.get(module)
    if facade is None:
        facade = _facades[module] = _make_facade(module)
    return facade


def _make_facade(module: str) -> Facade:
    members = {**_read_members(module), **_submodules(module)}
    kind: Any = type("module", (Facade,), {"__slots__": tuple(members), "_title": module, "__module__": __name__})
    facade: Facade = object.__new__(kind)
    for name, value in members.items():
        object.__setattr__(facade, name, value)
    return facade


def _read_members(module: str) -> dict[str, Any]:
    original = importlib.import_module(module)
    replacement: ModuleType | None = None
    if module in REPLACEMENTS:
        replacement = importlib.import_module(f"sandbox.policy.shims.{REPLACEMENTS[module]}")
    replaced = () if replacement is None else replacement.__all__
    return {name: getattr(replacement if name in replaced else original, name) for name in MODULES[module]}


def _submodules(module: str) -> dict[str, Facade]:
    start = f"{module}."
    return {name.removeprefix(start): _facade(name) for name in MODULES if name.startswith(start)}


def _advice_on_module(name: str) -> str:
    hint = HINTS.get(name) or HINTS.get(name.partition(".")[0])
    return f": {hint}" if hint else _did_you_mean(_resembling(name, MODULES))


def _advice_on_name(module: str, name: str) -> str:
    hint = NAME_HINTS.get((module, name))
    return f": {hint}" if hint else _did_you_mean(_resembling(name, MODULES[module]))


def _resembling(name: str, names: Iterable[str]) -> list[str]:
    return difflib.get_close_matches(name, names, n=3, cutoff=0.7)


def _did_you_mean(names: Sequence[str]) -> str:
    return f"; did you mean {' or '.join(names)}?" if names else ""
