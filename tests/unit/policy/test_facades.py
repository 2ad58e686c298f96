"""What `import` gives to agent code: exactly the table, immutable, and helpful where it refuses."""

import importlib
import re
import types
from typing import Any

import pytest

from sandbox.policy import facades
from sandbox.policy.facades import Facade, import_facade, known_module, known_name, nearest
from sandbox.policy.modules import HINTS, MODULES, NAME_HINTS, NOTES, REPLACEMENTS


def imported(module: str) -> Any:
    """The facade of a module itself, also of a submodule."""
    return import_facade(module, fromlist=MODULES[module][:1])


@pytest.mark.parametrize("module", MODULES)
def test_every_name_of_the_table_is_there_and_no_internal_object(module: str) -> None:
    internals = (types.ModuleType, types.FrameType, types.CodeType, types.TracebackType)
    facade = imported(module)

    assert [name for name in MODULES[module] if isinstance(getattr(facade, name), internals)] == []


@pytest.mark.parametrize("module", MODULES)
def test_every_name_of_the_table_is_a_public_name_of_the_library(module: str) -> None:
    library = importlib.import_module(module)

    assert [name for name in MODULES[module] if name.startswith("_") or not hasattr(library, name)] == []


@pytest.mark.parametrize("module", MODULES)
def test_a_facade_holds_the_table_and_its_submodules_only(module: str) -> None:
    facade = imported(module)

    shown = {name for name in dir(facade) if not name.startswith("_")}

    submodules = {other.removeprefix(f"{module}.") for other in MODULES if other.startswith(f"{module}.")}
    assert shown == {*MODULES[module], *submodules}


@pytest.mark.parametrize("module", REPLACEMENTS)
def test_every_replacement_takes_the_place_of_a_name(module: str) -> None:
    replacement = importlib.import_module(f"sandbox.policy.shims.{REPLACEMENTS[module]}")

    assert set(replacement.__all__) <= set(MODULES[module])
    assert all(getattr(imported(module), name) is getattr(replacement, name) for name in replacement.__all__)


def test_notes_and_hints_speak_of_what_they_should() -> None:
    assert NOTES.keys() <= MODULES.keys()
    assert not HINTS.keys() & MODULES.keys()
    assert all(known_module(module) and not known_name(module, name) for module, name in NAME_HINTS)


@pytest.mark.parametrize("name", ["json", "collections", "urllib"])
def test_a_facade_is_no_module_and_cannot_be_changed(name: str) -> None:
    facade: Any = import_facade(name)
    taken = dir(facade)[-1]

    assert isinstance(facade, Facade)
    assert not isinstance(facade, types.ModuleType)
    assert repr(facade) == f"<module '{name}'>"
    assert not hasattr(facade, "__dict__")
    for attribute in (taken, "new"):
        with pytest.raises(AttributeError, match="read-only"):
            setattr(facade, attribute, 1)
        with pytest.raises(AttributeError, match="read-only"):
            delattr(facade, attribute)


def test_no_other_facade_can_be_made() -> None:
    kind: Any = type(imported("json"))

    with pytest.raises(TypeError, match="cannot be made"):
        kind()
    with pytest.raises(TypeError, match="cannot be subclassed"):
        types.new_class("Mine", (kind,))
    with pytest.raises(TypeError, match="cannot be copied"):
        imported("copy").deepcopy(imported("json"))


def test_an_import_gives_what_import_gives() -> None:
    urllib: Any = import_facade("urllib")
    collections: Any = import_facade("collections.abc")
    same_collections: Any = import_facade("collections", fromlist=("abc",))

    assert import_facade("json") is import_facade("json")
    assert import_facade("urllib.parse") == import_facade("urllib")
    assert imported("urllib.parse") is urllib.parse
    assert same_collections is collections
    assert collections.abc is imported("collections.abc")
    assert imported("datetime").datetime.__name__ == "datetime"


def test_import_statements_work() -> None:
    names: dict[str, Any] = {"__builtins__": {"__import__": import_facade}}
    source = """
import collections.abc
import urllib.parse as parse, datetime
from collections import abc, deque as queue
from html.entities import html5
"""

    exec(source, names)

    assert names["collections"].abc is names["abc"]
    assert names["parse"].quote("a b") == "a%20b"
    assert names["queue"].__name__ == "deque"
    assert names["html5"]["amp;"] == "&"


@pytest.mark.parametrize(
    ("statement", "advice"),
    [
        ("import jsn", "did you mean json?"),
        ("import os", "no files, environment or processes"),
        ("import os.path", "no files, environment or processes"),
        ("from os.path import join", "no files"),
        ("import requests", "ctx.fetch"),
        ("import urllib.request", "ctx.fetch"),
        ("import concurrent.futures", "threads"),
        ("import numpy as np", "docker tier"),
        ("import asyncio", "synchronous"),
        ("import inspect", "interpreter"),
        ("import no_such_thing", "cannot import 'no_such_thing'$"),
        ("import _io", "cannot import '_io'"),
        ("import json.decoder", "cannot import 'json.decoder'"),
        ("from json import codecs", "cannot import name 'codecs' from 'json'"),
        ("from json import dmps", "did you mean dumps"),
        ("from json import dumps, decoder", "'decoder'"),
        ("from json import __builtins__", "'__builtins__'"),
        ("from enum import sys", "'sys'"),
        ("from random import _os", "'_os'"),
        ("from io import open", "no files"),
        ("from io import FileIO", "no files"),
        ("from sys import modules", "'modules'"),
        ("from uuid import uuid1", "uuid4"),
        ("from typing import get_type_hints", "'get_type_hints'"),
        ("from . import json", "relative"),
        ("from .json import dumps", "relative"),
        ("from json import *", "name what you need"),
    ],
)
def test_a_refused_import_says_what_to_do(statement: str, advice: str) -> None:
    with pytest.raises(ImportError, match=advice):
        exec(statement, {"__name__": "agent", "__package__": "json", "__builtins__": {"__import__": import_facade}})


def test_a_missing_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'module' object has no attribute 'codecs'"):
        _ = imported("json").codecs


def test_library_code_in_c_imports_past_the_table_and_hands_nothing_out() -> None:
    source = """
import datetime, re
day = datetime.datetime.strptime("2024-01-02", "%Y-%m-%d").date()
text = re.compile("(a)").sub(r"<\\1>", "a")
dash = b"\\\\N{EM DASH}".decode("unicode_escape")
"""
    names: dict[str, Any] = {"__builtins__": {"__import__": import_facade}}
    facades.preload()

    exec(source, names)

    assert (names["day"].year, names["text"], names["dash"]) == (2024, "<a>", "\N{EM DASH}")
    assert import_facade("os", {}, {}, []) is None
    with pytest.raises(ImportError):
        import_facade("not_loaded_anywhere", {}, {}, [])


class _Shifty(str):
    """Says it is one thing and is another."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


def test_names_that_are_not_plain_text_are_unknown() -> None:
    assert not known_module(_Shifty("json"))
    assert not known_name("json", _Shifty("dumps"))
    with pytest.raises(ImportError):
        import_facade("json", fromlist=(_Shifty("codecs"),))


def test_nearest_finds_modules_and_names() -> None:
    assert nearest("statistic") == ["statistics"]
    assert nearest("json.dmps") == ["json.dumps", "json.dump"]
    assert nearest("zzz") == []


def test_the_table_alone_tells_what_is_known() -> None:
    assert known_module("urllib.parse")
    assert not known_module("os")
    assert known_name("urllib", "parse")
    assert not known_name("os", "path")


def test_preload_makes_every_facade() -> None:
    facades.preload()

    assert all(re.match(r"<module '", repr(imported(module))) for module in MODULES if MODULES[module])
