"""`functools.singledispatch` finds the classes that annotations name."""

from typing import Any

import pytest

PROGRAMS = {
    "function": """
from functools import singledispatch
@singledispatch
def show(value):
    return "other"
@show.register
def _(value: int):
    return "int"
@show.register
def _show_list(value: list, deep=False) -> str:
    return "list"
@show.register(str)
def _(value):
    return "str"
@show.register
def _(value: bytes | bytearray):
    return "bytes"
def run():
    return [show(x) for x in (1, [], "a", 2.5, b"", bytearray())]
""",
    "method": """
import functools
class Printer:
    @functools.singledispatchmethod
    def show(self, value):
        return "other"
    @show.register
    def _(self, value: int):
        return "int"
def run():
    return Printer().show(1), Printer().show("a")
""",
    "a register of the program's own": """
class Registry:
    def __init__(self):
        self.names = []
    def register(self, function):
        self.names.append(function.__name__)
        return function
registry = Registry()
@registry.register
def handle(value: int):
    return value
def run():
    return registry.names, handle(1)
""",
}


@pytest.mark.parametrize("source", PROGRAMS.values(), ids=PROGRAMS)
def test_dispatch_works_as_in_python(run_both: Any, source: str) -> None:
    assert run_both(source) is not None
