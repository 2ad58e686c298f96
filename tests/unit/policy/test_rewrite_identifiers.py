"""Private names, special names and scopes mean what they mean in Python, and only allowed ones can be said."""

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.policy import author_name, compile_program
from sandbox.policy.rewrite_names import CHECKED_NAMES, SPECIAL_METHODS, private_name, special_name
from sandbox.types import Refusal

Refusals = Callable[[str], tuple[Refusal, ...]]

PROGRAMS = {
    "private functions, constants and arguments": """
_LIMIT = 3
__version__ = "1.0"
def _double(_n, *_rest, _by=2, **_more):
    return _n * _by + len(_rest) + len(_more)
def run():
    _local = _double(_LIMIT, 1, 2, _by=5, extra=1)
    for _ in range(2):
        _local += 1
    for __ in range(2):
        _local += 1
    return _local, __version__, (lambda _x: _x + 1)(1), [_i for _i in range(3)], (_w := 4) + _w
""",
    "private attributes": """
class Account:
    _count = 0
    def __init__(self, owner):
        self._owner = owner
        self.__pin = 1234
        Account._count += 1
    def _check(self, pin):
        return pin == self.__pin
    def check(self, pin):
        return self._check(pin)
class Child(Account):
    def __init__(self):
        super().__init__("child")
        self.__pin = 1
def run():
    child = Child()
    return (
        child.check(1234), child.check(1), child._owner, Account._count, hasattr(child, "_owner"), getattr(child,
        "_owner")
    )
""",
    "own names of a class": """
class __Hidden:
    __shared = 1
    def get(self):
        return self.__shared
class Visible(__Hidden):
    __shared = 2
    def both(self):
        return self.get(), self.__shared
def run():
    return Visible().both(), getattr(Visible(), "_Visible__shared"), getattr(Visible(), "_Hidden__shared")
""",
    "private exceptions and imports": """
import math as _math
from collections import deque as _deque
class _Missing(Exception):
    pass
def run():
    try:
        raise _Missing("gone")
    except _Missing as _error:
        return str(_error), type(_error).__name__, _math.floor(2.5), list(_deque([1]))
""",
    "global and nonlocal": """
_state = 0
def run():
    _calls = 0
    def step():
        nonlocal _calls
        global _state
        _calls += 1
        _state += 10
        return _calls, _state
    step()
    return step()
""",
    "main guard": """
ran = []
if __name__ == "__main__":
    ran.append(__name__)
def run():
    return ran
""",
    "readable special attributes": """
class Shape:
    \"\"\"A shape.\"\"\"
    def area(self):
        \"\"\"Its area.\"\"\"
def run():
    shape = Shape()
    return (
        type(shape).__name__, shape.__class__.__name__, Shape.__name__, shape.area.__name__, Shape.area.__qualname__,
        Shape.__doc__, shape.area.__doc__, shape.__class__ is Shape, len.__name__, (5).__class__ is int, shape.__doc__,
    )
""",
    "private keywords that become text": """
def run():
    row = dict(_id=1, name="x", **{"_rev": 2})
    return row, "{_a} {b}".format(_a=1, b=2), dict([("a", 1)], _b=2)
""",
    "names that other policies keep for themselves": """
def run(printed=1):
    printed = printed + 1
    return printed, (lambda printed: printed)(3)
""",
    "shadowed builtins": """
def dir(x):
    return ["mine", x]
def run(input=5):
    vars = {"a": input}
    compile = str.upper
    return dir(1), vars, compile("x"), [open for open in range(2)]
""",
    "special methods called by name": """
class Items(list):
    def append(self, item):
        super().append(item * 2)
    def __getitem__(self, index):
        return super().__getitem__(index) + 1
class Base:
    def __init__(self, x):
        self.x = x
    def __repr__(self):
        return f"Base({self.x})"
class Child(Base):
    def __init__(self, x, y):
        Base.__init__(self, x)
        self.y = y
    def __repr__(self):
        return "Child:" + super().__repr__() + super(Child, self).__repr__()
    __str__ = __repr__
def run():
    items = Items([1])
    items.append(5)
    return (
        items[1], repr(Child(1, 2)), str(Child(1, 2)), "abc".__len__(), [].__class__, (1).__add__(2), Child(1,
        2).__str__()
    )
""",
}


@pytest.mark.parametrize("source", PROGRAMS.values(), ids=PROGRAMS)
def test_names_mean_what_they_mean_in_python(run_both: Any, source: str) -> None:
    assert run_both(source) is not None


@pytest.mark.parametrize(
    "name",
    ["_x", "__x", "_Cls__x", "__all__", "printed", "_", "x", "_é", "__"],
)
def test_author_name_undoes_the_spelling(name: str) -> None:
    spelled = name if name in ("_", "x") else private_name(name)

    assert author_name(spelled) == name
    assert author_name(f"name '{spelled}' is not defined") == f"name '{name}' is not defined"


def test_author_name_undoes_special_names() -> None:
    assert author_name(special_name("__init__")) == "__init__"
    assert author_name("Child.gbx_s__init__() missing") == "Child.__init__() missing"


def test_code_names_become_the_authors_in_tracebacks(run_program: Any) -> None:
    source = "class _A:\n    def __len__(self):\n        return self._n\ndef run():\n    return len(_A())\n"

    with pytest.raises(AttributeError) as caught:
        run_program(source)

    trace = caught.value.__traceback__
    frames = []
    while trace is not None:
        frames.append((trace.tb_lineno, author_name(trace.tb_frame.f_code.co_name)))
        trace = trace.tb_next
    assert frames[-2:] == [(5, "run"), (3, "__len__")]
    assert author_name(str(caught.value)) == "'_A' object has no attribute '_n'"


@pytest.mark.parametrize(
    "line",
    [
        "gbx_x = 1",
        "x = gbx_h_type",
        "def gbx_f(): pass",
        "class gbx_C: pass",
        "def f(gbx_a): pass",
        "f = lambda *gbx_a: 1",
        "x.gbx_p_y = 1",
        "x = x.gbx_p_y",
        "f(gbx_p_y=1)",
        "import math as gbx_m",
        "from math import pi as gbx_m",
        "for gbx_i in x: pass",
        "with x as gbx_y: pass",
        "x = [gbx_i for gbx_i in y]",
        "x = (gbx_y := 1)",
        "try: pass\nexcept ValueError as gbx_e: pass",
        "def f():\n    global gbx_x",
        "match x:\n    case gbx_y: pass",
        "match x:\n    case [*gbx_y]: pass",
        "match x:\n    case {**gbx_y}: pass",
        "match x:\n    case A(gbx_y=1): pass",
        "del gbx_x",
        "\uff47\uff42\uff58_x = 1",
    ],
)
def test_reserved_names_are_refused(refusals: Refusals, line: str) -> None:
    assert any("`gbx_` are reserved" in refusal.message for refusal in refusals(line))


@pytest.mark.parametrize(
    ("line", "construct", "column", "hint"),
    [
        ("x = open('f')", "open", 5, "no files"),
        ("x = input()", "input", 5, "`inputs`"),
        ("x = eval('1')", "eval", 5, "json.loads"),
        ("exec('1')", "exec", 1, "cannot be run"),
        ("compile('1', '', 'exec')", "compile", 1, "cannot be run"),
        ("x = globals()", "globals", 5, "dict of your own"),
        ("x = locals()", "locals", 5, "dict of your own"),
        ("x = vars(y)", "vars", 5, "asdict"),
        ("x = dir(y)", "dir", 5, "name the attributes"),
        ("x = memoryview(b'')", "memoryview", 5, "bytes"),
        ("breakpoint()", "breakpoint", 1, "print()"),
        ("exit(1)", "exit", 1, "return from run()"),
        ("quit()", "quit", 1, "return from run()"),
        ("__import__('os')", "__import__", 1, "import statement"),
        ("x = __builtins__", "__builtins__", 5, "by their names"),
        ("x = __file__", "__file__", 5, "no files"),
        ("x = __loader__", "__loader__", 5, "belong to Python"),
        ("x = y.__dict__", "__dict__", 7, "asdict"),
        ("x = y.__subclasses__()", "__subclasses__", 7, "list of your classes"),
        ("x = y.__globals__", "__globals__", 7, "arguments"),
        ("x = y.__traceback__", "__traceback__", 7, "type and text"),
        ("x = 'ä'.__mro__", "__mro__", 9, "ordinary names"),
        ("y.__class__ = int", "__class__", 3, "ordinary names"),
        ("y.__init__ = int", "__init__", 3, "ordinary names"),
        ("del y.__doc__", "__doc__", 7, "ordinary names"),
        ("y.__dict__['a'] = 1", "__dict__", 3, "asdict"),
        ("x = y.gi_frame", "gi_frame", 7, "interpreter"),
        ("x = y.tb_next", "tb_next", 7, "interpreter"),
        ("x = y.f_globals", "f_globals", 7, "interpreter"),
        ("x = y.cr_code", "cr_code", 7, "interpreter"),
        ("print = 1", "print", 1, "another name"),
        ("def eval(): pass", "eval", 1, "another name"),
        ("import math as print", "print", 8, "another name"),
    ],
)
def test_what_agents_do_not_have_is_refused_with_a_hint(
    refusals: Refusals, line: str, construct: str, column: int, hint: str
) -> None:
    (refusal,) = refusals(line)

    assert (refusal.line, refusal.column, refusal.construct) == (1, column, construct)
    assert hint in refusal.message


@pytest.mark.parametrize(
    "name",
    [
        *("__getattr__", "__getattribute__", "__setattr__", "__delattr__", "__get__", "__set__", "__set_name__"),
        *("__new__", "__del__", "__init_subclass__", "__class_getitem__", "__prepare__", "__instancecheck__"),
        *("__subclasscheck__", "__subclasshook__", "__mro_entries__", "__reduce__", "__reduce_ex__", "__getstate__"),
        *("__setstate__", "__getnewargs__", "__dir__", "__sizeof__", "__await__", "__aiter__", "__aenter__"),
        *("__fspath__", "__buffer__", "__length_hint__", "__class__", "__module__", "__dict__", "__metaclass__"),
    ],
)
@pytest.mark.parametrize(
    "form", ["def {}(self): pass", "{} = None", "{}: int = 1", "import math as {}", "class {}: pass"]
)
def test_special_methods_outside_the_list_cannot_be_defined(refusals: Refusals, name: str, form: str) -> None:
    found = refusals(f"class A:\n    {form.format(name)}\n")

    assert [(refusal.line, refusal.construct) for refusal in found] == [(2, name)]
    assert "classes of agents cannot define" in found[0].message


def test_special_names_outside_classes_are_ordinary_names(run_both: Any) -> None:
    assert run_both(
        "def __getattr__(name):\n    return name\n__all__ = ['x']\ndef run():\n    return __getattr__('x'), __all__"
    )


def test_no_checked_name_can_be_read_without_the_guard() -> None:
    for name in ("format", "mro", "obj", "path"):
        code = compile_program(f"def run(x):\n    return x.{name}\n").code
        assert code is not None
        (function,) = [constant for constant in code.co_consts if hasattr(constant, "co_names")]
        assert name not in function.co_names
        assert "_getattr_" in function.co_names
    assert {special_name(name) for name in SPECIAL_METHODS} < CHECKED_NAMES
