"""Telling what the interpreter cannot do from what the program did wrong.

The interpreter raises ordinary exceptions for both. What CPython has, or would have done, and the interpreter says it
has not, is its inability; everything else is the program's own error. Sources: pydantic-monty 1.4, its messages; the
standard library of the interpreter that runs the server, which the other tiers run as well.
"""

import base64
import bisect
import builtins
import collections
import copy
import csv
import dataclasses
import datetime
import decimal
import functools
import hashlib
import inspect
import itertools
import json
import math
import os.path
import random
import re
import sys
import time
import typing
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from types import FunctionType, ModuleType

_MODULES: dict[str, ModuleType] = {
    module.__name__: module
    for module in (
        base64, bisect, collections, copy, csv, dataclasses, datetime, decimal, functools, hashlib, itertools, json,
        math, os, os.path, random, re, sys, time, typing, unicodedata,
    )
}  # fmt: skip
_TYPES: dict[str, type] = {
    name: kind for name, kind in vars(builtins).items() if isinstance(kind, type) and not name.startswith("_")
} | {
    "NoneType": type(None),
    "function": FunctionType,
    "re.Match": re.Match,
    "re.Pattern": re.Pattern,
    "date": datetime.date,
    "datetime": datetime.datetime,
    "time": datetime.time,
    "timedelta": datetime.timedelta,
    "timezone": datetime.timezone,
    "datetime.date": datetime.date,
    "datetime.datetime": datetime.datetime,
    "datetime.time": datetime.time,
    "datetime.timedelta": datetime.timedelta,
    "datetime.timezone": datetime.timezone,
    "Decimal": decimal.Decimal,
    "decimal.Decimal": decimal.Decimal,
    "Counter": collections.Counter,
    "collections.Counter": collections.Counter,
    "deque": collections.deque,
    "collections.deque": collections.deque,
    "defaultdict": collections.defaultdict,
    "collections.defaultdict": collections.defaultdict,
    "OrderedDict": collections.OrderedDict,
    "collections.OrderedDict": collections.OrderedDict,
}
BUILTIN_NAMES = frozenset(name for name in dir(builtins) if not name.startswith("_"))

_SYNTAX = re.compile(r"The monty syntax parser does not (?:yet )?support (.+)", re.DOTALL)
_NO_MODULE = re.compile(r"No module named '([\w.]+)'.*", re.DOTALL)
_NO_IMPORT = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'.*", re.DOTALL)
_NO_NAME = re.compile(r"name '(\w+)' is not defined")
_NO_ATTRIBUTE = re.compile(r"(?:type object )?'([\w.]+)'(?: object)? has no attribute '(\w+)'")
_NO_MODULE_ATTRIBUTE = re.compile(r"module '([\w.]+)' has no attribute '(\w+)'")
_NO_DICT = re.compile(r"'(\w+)' object has no attribute '(\w+)' and no __dict__ for setting new attributes")
_TOO_MANY = re.compile(r"(?:(\w+)\.)?(\w+)\(\) takes (?:exactly|at most) .*\((\d+) given\)")
_EXPECTED_FEWER = re.compile(r"(?:(\w+)\.)?(\w+)(?:\(\))? expected at most \d+ arguments?, got (\d+)()")
_NO_INTEGER = re.compile(r"'float' object cannot be interpreted as an integer")
_UNEXPECTED_KEYWORD = re.compile(r"(?:(\w+)\.)?(\w+)\(\) got an unexpected keyword argument '(\w+)'")
# What the interpreter says of itself, in the middle of a message.
_OWN_WORDS = re.compile(
    r"Internal error in monty|not yet (?:supported|implemented)|not supported in this environment"
    r"|does not yet support|pow\(\) 2nd argument cannot be negative when 3rd"
    r"|'typing\.\w+' object is not subscriptable|cannot create 'object' instances|'list' object is not an iterator"
)
# What exceptions have that is no attribute of their class.
_OF_EXCEPTIONS = frozenset(
    ("args", "doc", "colno", "lineno", "msg", "pos", "name", "path", "obj", "filename", "errno", "strerror", "value")
)
_RAISED_BY_AUTHOR = re.compile(r"\b(?:raise|assert)\b")


def what_is_missing(kind: str, message: str, source_line: str | None) -> str | None:
    """What the interpreter cannot do, in words for the agent's author; None when the program itself is at fault.

    Args:
        kind: the exception's type.
        message: its message.
        source_line: where it came from, None when unknown.
    """
    if found := _SYNTAX.match(message):
        return f"no support for {found[1].strip()}" if kind == "NotImplementedError" else None
    if _RAISED_BY_AUTHOR.search(source_line or ""):
        return "the exceptions of this tier take one text at most" if "Internal error in monty" in message else None
    if kind in ("ModuleNotFoundError", "ImportError"):
        return _missing_import(message)
    if kind == "NameError":
        found = _NO_NAME.fullmatch(message)
        return f"{found[1]} is not available" if found and found[1] in BUILTIN_NAMES else None
    if kind == "AttributeError":
        return _missing_attribute(message)
    if kind == "TypeError" and (missing := _missing_argument(message)):
        return missing
    if _NO_INTEGER.fullmatch(message) and "timedelta(" in (source_line or ""):
        return "timedelta() with fractions is not available"
    if kind == "NotImplementedError" or _OWN_WORDS.search(message):
        return message[:200]
    return None


def _missing_import(message: str) -> str | None:
    if found := _NO_MODULE.fullmatch(message):
        return f"module {found[1]} is not available"
    if found := _NO_IMPORT.fullmatch(message):
        return f"{found[2]}.{found[1]} is not available"
    return None


def _missing_attribute(message: str) -> str | None:
    if found := _NO_MODULE_ATTRIBUTE.fullmatch(message):
        module = _MODULES.get(found[1])
        return f"{found[1]}.{found[2]} is not available" if module and hasattr(module, found[2]) else None
    if found := _NO_DICT.fullmatch(message):
        return f"attributes of a {found[1]} are not available"
    if found := _NO_ATTRIBUTE.fullmatch(message):
        owner, name = found[1], found[2]
        kind = _TYPES.get(owner, object)
        excepted = name in _OF_EXCEPTIONS and (issubclass(kind, BaseException) or owner.endswith("Error"))
        return f"{owner}.{name} is not available" if excepted or hasattr(kind, name) or _is_special(name) else None
    return None


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _missing_argument(message: str) -> str | None:
    """An argument that a function of Python's takes and the interpreter's of the same name does not."""
    if found := _UNEXPECTED_KEYWORD.fullmatch(message):
        function, keyword = found[2], found[3]
        takes = any(keyword in signature.parameters for signature in _signatures(function))
        return f"{function}({keyword}=...) is not available" if takes else None
    if found := _TOO_MANY.fullmatch(message) or _EXPECTED_FEWER.fullmatch(message):
        function, count = found[2], int(found[3])
        takes = any(_takes(signature, count) for signature in _signatures(function))
        return f"{function}() with {count} arguments is not available" if takes else None
    return None


def _signatures(function: str) -> Iterator[inspect.Signature]:
    for owner in (builtins, *_TYPES.values(), *_MODULES.values()):
        found = getattr(owner, function, None)
        if found is not None:
            with suppress(TypeError, ValueError):  # some builtins have none
                yield inspect.signature(found)


def _takes(signature: inspect.Signature, count: int) -> bool:
    own = 1 if "self" in signature.parameters else 0
    with suppress(TypeError):
        signature.bind(*[None] * (count + own))
        return True
    return False
