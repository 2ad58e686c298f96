"""No path of public attributes leads from what agents can import, or from what it returns, to anything dangerous."""

import builtins
import contextvars
import gc
import importlib
import inspect
import io
import os
import runpy
import string
import sys
import types
import typing
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.policy import facades
from sandbox.policy.guards import guarded_getattr, mark_program_class
from sandbox.policy.modules import MODULES

EXERCISES: dict[str, str] = runpy.run_path(str(Path(__file__).with_name("facade_exercises.py")))["EXERCISES"]
DEPTH_MAX = 4
ITEMS_MAX = 50

_INTERNALS = (types.ModuleType, types.FrameType, types.TracebackType, types.CodeType, types.CellType, os._Environ)
_MACHINERY = (
    *("_ctypes", "_io", "_posixsubprocess", "_socket", "_thread", "code", "copyreg", "ctypes", "gc", "importlib"),
    *("importlib._bootstrap", "importlib.util", "inspect", "marshal", "pickle", "posix", "os", "os.path", "runpy"),
    *("signal", "socket", "subprocess", "sys", "threading", "traceback", "types", "weakref"),
)
_DANGEROUS_BUILTINS = (
    *("__import__", "breakpoint", "compile", "delattr", "dir", "eval", "exec", "getattr", "globals", "input"),
    *("locals", "open", "setattr", "type", "vars"),
)
# Of the machinery's functions, what the facades hand out on purpose.
_HARMLESS = {sys.getsizeof, sys.intern, sys.getrecursionlimit, types.SimpleNamespace}


def _dangerous() -> dict[int, str]:
    found: dict[int, str] = {}
    for name in _MACHINERY:
        for function in vars(importlib.import_module(name)).values():
            is_function = isinstance(function, types.FunctionType | types.BuiltinFunctionType)
            if is_function and function.__module__ in _MACHINERY and function not in _HARMLESS:
                found[id(function)] = f"{name}.{function.__name__}"
    found.update({id(getattr(builtins, name)): name for name in _DANGEROUS_BUILTINS})
    for thing in (
        *(io.FileIO, io.open_code, str.format, str.format_map, string.Formatter, typing.get_type_hints),
        *(typing.ForwardRef, types.FunctionType, types.SimpleNamespace, gc.get_objects, inspect.currentframe),
    ):
        found[id(thing)] = repr(thing)
    return found


DANGEROUS = _dangerous()


def danger_of(value: object) -> str | None:
    """What is wrong with agent code holding `value`; None when nothing is."""
    if id(value) in DANGEROUS:
        return DANGEROUS[id(value)]
    if isinstance(value, _INTERNALS):
        return f"a {type(value).__name__}"
    if isinstance(value, type) and issubclass(value, type):
        return f"the metaclass {value.__name__}"
    if isinstance(value, io.TextIOWrapper | io.BufferedReader | io.BufferedWriter) and _has_descriptor(value):
        return "an open file"
    return None


def _has_descriptor(file: Any) -> bool:
    try:
        return isinstance(file.fileno(), int)
    except (OSError, ValueError):
        return False


def neighbours(value: Any) -> Iterator[tuple[str, Any]]:
    """What agent code gets from `value` by reading public attributes and by iterating over containers."""
    for name in {*dir(value), *dir(type(value)), "format", "format_map", "mro"}:
        if not name.startswith("_"):
            try:
                yield f".{name}", guarded_getattr(value, name)
            except Exception:  # noqa: BLE001, S112 - whatever a property raises, there is nothing to be had
                continue
    if isinstance(value, dict | types.MappingProxyType):
        for key, item in [*value.items()][:ITEMS_MAX]:
            yield f"[{key!r}]", item
            yield f" key {key!r}", key
    elif isinstance(value, list | tuple | set | frozenset | deque):
        for number, item in enumerate([*value][:ITEMS_MAX]):
            yield f"[{number}]", item


def find_dangers(root: Any, name: str, seen: dict[int, Any], depth_max: int = DEPTH_MAX) -> list[str]:
    """Every dangerous thing within `depth_max` steps of `root`, as `path: what`."""
    dangers: list[str] = []
    waiting = deque([(name, root, 0)])
    while waiting:
        path, value, depth = waiting.popleft()
        if id(value) in seen:
            continue
        seen[id(value)] = value  # kept, so that no other object gets its id
        danger = danger_of(value)
        if danger is not None:
            dangers.append(f"{path}: {danger}")
        elif depth < depth_max:
            waiting.extend((path + step, found, depth + 1) for step, found in neighbours(value))
    return dangers


def program_class(cls: type) -> type:
    """Mark a class as the compiler's hook marks those that a program defines."""
    mark_program_class(cls)
    return cls


@pytest.fixture(scope="module", autouse=True)
def _everything_is_loaded() -> None:
    facades.preload()


@pytest.mark.parametrize("module", MODULES)
def test_no_attribute_path_leads_out_of_a_facade(module: str) -> None:
    facade = facades.import_facade(module, fromlist=MODULES[module][:1])

    assert find_dangers(facade, module, {}) == []


@pytest.mark.parametrize("module", EXERCISES)
def test_no_attribute_path_leads_out_of_what_a_module_returns(module: str) -> None:
    names: dict[str, Any] = {name: facades.import_facade(name) for name in MODULES if "." not in name}
    names["program_class"] = program_class
    names.update(__name__="agent", __builtins__={**vars(builtins), "__import__": facades.import_facade})
    given = {*names}
    contextvars.copy_context().run(exec, EXERCISES[module], names)  # decimal's settings are of the context

    results = {name: value for name, value in names.items() if name not in given}

    seen: dict[int, Any] = {id(names): names}
    assert [find for name, value in results.items() for find in find_dangers(value, name, seen)] == []


@pytest.mark.parametrize("module", ["json", "enum", "random", "statistics", "collections", "typing"])
def test_the_walk_finds_the_ways_out_of_a_real_module(module: str) -> None:
    assert find_dangers(importlib.import_module(module), module, {}) != []


@pytest.mark.parametrize(
    "value",
    [sys, sys._getframe(), (lambda: 1).__code__, open, eval, os.system, type, str.format, sys.__stderr__],
)
def test_the_walk_knows_what_is_dangerous(value: object) -> None:
    assert danger_of(value) is not None
