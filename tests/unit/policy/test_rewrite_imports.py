"""Imports reach what the facades offer; everything else is refused before anything runs, with what there is instead."""

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.policy import MODULES, compile_program
from sandbox.types import Refusal

Refusals = Callable[[str], tuple[Refusal, ...]]

PROGRAMS = {
    "forms of import": """
from __future__ import annotations
import math, json as j
import collections.abc
import urllib.parse as up
from math import floor, ceil as _up
from collections import (
    abc,
    Counter,
)
def run():
    import re
    from urllib import parse
    return (
        math.pi, j.dumps([1]), isinstance([], collections.abc.Sequence), up.quote("a b"), floor(1.5), _up(1.5),
        Counter("aab")["a"], re.sub("a", "b", "aa"), parse.quote("/?"), isinstance({}, abc.Mapping),
    )
""",
    "star": """
from math import *
from string import *
from urllib import *
def run():
    return sqrt(4), pi, digits, floor(1.2)
""",
    "import for a type checker": """
import typing
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from not_installed import Thing
if typing.TYPE_CHECKING:
    import not_installed
else:
    Thing = int
def run(x: "Thing" = 1) -> "not_installed.Thing":
    return x, Thing
""",
    "import that may fail": """
try:
    import numpy_that_is_not_there as np
    from collections import nothing_like_this
except ImportError:
    np = None
try:
    from json import nothing_like_this
except (ImportError, KeyError) as error:
    caught = type(error).__name__
def run():
    return np, caught
""",
}


@pytest.mark.parametrize("source", PROGRAMS.values(), ids=PROGRAMS)
def test_imports_give_what_python_gives(run_both: Any, source: str) -> None:
    assert run_both(source) is not None


@pytest.mark.parametrize(
    ("line", "column", "construct", "hint"),
    [
        ("import os", 8, "import os", "no files"),
        ("import json, subprocess", 14, "import subprocess", "no processes"),
        ("import os.path as p", 8, "import os.path", "no files"),
        ("from os import path", 1, "import os", "no files"),
        ("import requests", 8, "import requests", "ctx.fetch"),
        ("import asyncio", 8, "import asyncio", "synchronous"),
        ("import numpy as np", 8, "import numpy", "docker"),
        ("import jsn", 8, "import jsn", "json"),
        ("from json import codecs", 18, "from json import codecs", "codecs"),
        ("from json import loads, decoder", 25, "from json import decoder", "decoder"),
        ("from random import _os", 20, "from random import _os", "_os"),
        ("from math import sqr", 18, "from math import sqr", "sqrt"),
        ("import _thread", 8, "import _thread", "_thread"),
        ("from . import helper", 1, "relative import", "one file"),
        ("from .helper import x", 1, "relative import", "one file"),
        ("from os import *", 1, "import os", "no files"),
        ("try: import _thread\nexcept ImportError: pass", 13, "import _thread", "_thread"),
        ("try: from random import _os\nexcept ImportError: pass", 25, "from random import _os", "_os"),
        ("if x: import os", 14, "import os", "no files"),
        ("try: import os\nexcept ValueError: pass", 13, "import os", "no files"),
    ],
)
def test_unknown_imports_are_refused_with_what_there_is(
    refusals: Refusals, line: str, column: int, construct: str, hint: str
) -> None:
    (refusal,) = refusals(line)

    assert (refusal.line, refusal.column, refusal.construct) == (1, column, construct)
    assert hint in refusal.message


@pytest.mark.parametrize("module", MODULES)
def test_every_module_of_the_table_can_be_imported_with_all_its_names(module: str) -> None:
    names = ", ".join(MODULES[module])
    line = f"from {module} import {names}" if names else f"import {module}"

    assert compile_program(f"{line}\nimport {module} as whole\ndef run(): pass\n").refusals == ()


def test_modules_are_never_module_objects(run_program: Any) -> None:
    with pytest.raises(AttributeError):
        run_program.body("return json.decoder", above="import json")
    with pytest.raises(TypeError):
        run_program.body("json.loads = None", above="import json")
    with pytest.raises(TypeError):
        run_program.body("type(json)()", above="import json")
