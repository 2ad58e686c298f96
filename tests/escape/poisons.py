"""Poison pairs: what one program does to state that a later one could see, and how that one would see it."""

import textwrap
from dataclasses import dataclass


@dataclass(frozen=True)
class Poison:
    """Statements `act`, and an expression `look` for state that they change; `imports` serve both."""

    imports: str
    act: str
    look: str

    @property
    def poisoning(self) -> str:
        return self._program(f"{self.act}\nreturn 1")

    @property
    def observing(self) -> str:
        return self._program(f"return {self.look}")

    @property
    def poisoning_and_observing(self) -> str:
        return self._program(f"{self.act}\nreturn {self.look}")

    def _program(self, body: str) -> str:
        return f"{self.imports}\n\ndef run(inputs):\n" + textwrap.indent(body, "    ") + "\n"


# What the policy lets a program do to state of its process.
POISONS = {
    "decimal precision": Poison(
        "import decimal", "decimal.getcontext().prec = 3", "str(decimal.Decimal(1) / decimal.Decimal(3))"
    ),
    "default decimal context": Poison(
        "import decimal", "decimal.DefaultContext.prec = 3", "str(decimal.Context().prec)"
    ),
    "decimal traps": Poison(
        "import decimal",
        "decimal.getcontext().traps[decimal.DivisionByZero] = False",
        "decimal.getcontext().traps[decimal.DivisionByZero]",
    ),
    "seed": Poison("import random", "random.seed(1)", "random.random()"),
    "state of chance": Poison("import random", "[random.random() for _ in range(9)]", "random.random()"),
    "csv dialects": Poison(
        "import csv", "csv.register_dialect('planted', delimiter='|')", "'planted' in csv.list_dialects()"
    ),
    "missing csv dialects": Poison("import csv", "csv.unregister_dialect('excel')", "csv.list_dialects()"),
    "abstract bases": Poison(
        "import collections.abc\nclass Mine:\n    pass",
        "collections.abc.Mapping.register(int)",
        "isinstance(1, collections.abc.Mapping)",
    ),
    "number tower": Poison("import numbers", "numbers.Integral.register(str)", "isinstance('', numbers.Integral)"),
    "html entities": Poison(
        "import html\nfrom html.entities import html5", "html5['amp;'] = 'forged'", "html.unescape('&amp;')"
    ),
    "keywords": Poison("import keyword", "keyword.kwlist.append('forged')", "'forged' in keyword.kwlist"),
    "first day of the week": Poison("import calendar", "calendar.setfirstweekday(6)", "calendar.firstweekday()"),
    "days of a month": Poison("import calendar", "calendar.mdays[2] = 30", "calendar.monthrange(2023, 2)"),
    "level of logging": Poison(
        "import logging",
        "logging.getLogger('glove').setLevel(10)",
        "logging.getLogger('glove').getEffectiveLevel()",
    ),
    "depth of recursion": Poison("import sys", "sys.setrecursionlimit(500)", "sys.getrecursionlimit()"),
    "own globals": Poison("kept = []", "kept.append(1)", "len(kept)"),
    "own cache": Poison(
        "import functools\ncalls = []\n@functools.cache\ndef once(x):\n    calls.append(x)\n    return len(calls)",
        "once(1)\nonce(2)",
        "once(2)",
    ),
}

# What plain CPython lets a program do.
PLAIN_POISONS = {
    "modules": Poison(
        "import sys, types", "sys.modules['planted'] = types.ModuleType('planted')", "'planted' in sys.modules"
    ),
    "missing modules": Poison("import sys", "del sys.modules['json']", "'json' in sys.modules"),
    "json": Poison("import json", "json.dumps = lambda *a, **k: 'null'", "json.dumps([1])"),
    "random": Poison("import random", "random.random = lambda: 4", "random.random() == 4"),
    "builtins": Poison("import builtins", "builtins.len = lambda value: -1", "__import__('builtins').len([])"),
    "planted builtin": Poison("import builtins", "builtins.planted = 1", "hasattr(builtins, 'planted')"),
    "environment": Poison("import os", "os.environ['PLANTED'] = '1'", "sorted(os.environ)"),
    "digits of an integer": Poison("import sys", "sys.set_int_max_str_digits(0)", "sys.get_int_max_str_digits()"),
    "collector": Poison("import gc", "gc.disable()\ngc.set_threshold(1)", "[gc.isenabled(), gc.get_threshold()[0]]"),
    "warnings": Poison("import warnings", "warnings.simplefilter('error')", "len(warnings.filters)"),
    "locale": Poison("import locale", "locale.setlocale(locale.LC_ALL, 'C')", "locale.setlocale(locale.LC_ALL)"),
    "time zone": Poison("import os, time", "os.environ['TZ'] = 'XYZ+5'\ntime.tzset()", "time.localtime(0).tm_hour"),
    "tracing": Poison("import sys", "sys.setprofile(lambda *told: None)", "str(sys.getprofile())[:9]"),
    "import hooks": Poison("import sys", "sys.meta_path.clear()", "len(sys.meta_path)"),
    "search path": Poison("import sys", "sys.path.insert(0, '/planted')", "sys.path[0] == '/planted'"),
    "classes of the library": Poison(
        "import json", "json.JSONEncoder.default = lambda self, value: 'forged'", "json.JSONEncoder.default.__name__"
    ),
    "all subclasses": Poison(
        "import builtins\nkept = []",
        "kept.append(type('Planted', (), {}))",
        "any(cls.__name__ == 'Planted' for cls in object.__subclasses__())",
    ),
    "exit functions": Poison("import atexit", "atexit.register(print)", "atexit._ncallbacks()"),
    "small integers": Poison("import ctypes", "ctypes.c_uint32.from_address(id(100) + 24).value = 99", "sum([50, 50])"),
    "the guest": Poison("from sandbox.guest import report", "report.MESSAGE_CHARS_MAX = 1", "report.MESSAGE_CHARS_MAX"),
    "writing of results": Poison(
        "from sandbox.guest import exchange",
        "exchange.find_fault = lambda value, name=None: 'forged'",
        "exchange.find_fault(1)",
    ),
    "limits": Poison(
        "import resource",
        "resource.setrlimit(resource.RLIMIT_CPU, (1, 1))",
        "resource.getrlimit(resource.RLIMIT_CPU)[0] == 1",
    ),
    "codecs": Poison(
        "import codecs\n"
        "def known():\n"
        "    try:\n"
        "        return bool(codecs.lookup_error('planted'))\n"
        "    except LookupError:\n"
        "        return False",
        "codecs.register_error('planted', lambda error: ('', 1))",
        "known()",
    ),
    "cache of regular expressions": Poison(
        "import re", "re.compile('plan(t)ed')", "any('plan(t)ed' in str(key) for key in re._cache)"
    ),
}
