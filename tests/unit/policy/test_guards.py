"""What the guards decide at run time: attributes by name, writes, formatting."""

from typing import Any

import pytest

ABOVE = """
import json, math, decimal, copy, io, re, typing
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass
from enum import Enum
from types import SimpleNamespace
class Box:
    \"\"\"A box.\"\"\"
    size = 1
    def __init__(self):
        self._hidden = 5
    def method(self):
        return 1
class Text(str):
    pass
class Loud(str):
    def say(self, *args):
        return super().format(*args)
    @classmethod
    def shout(cls, *args):
        return super().format("{0.__class__}", *args)
class Lost(AttributeError):
    pass
class Color(Enum):
    RED = 1
@dataclass(frozen=True)
class Frozen:
    x: int = 1
def helper():
    yield 1
"""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('getattr(Box(), "size")', 1),
        ('getattr(Box(), "nothing", "default")', "default"),
        ('getattr(Box(), "_hidden")', 5),
        ('getattr(Box(), "_nothing", 0)', 0),
        ('getattr(Box(), "__class__", "none")', "none"),
        ('getattr(Box(), "__dict__", "none")', "none"),
        ('getattr(helper(), "gi_frame", "none")', "none"),
        ('getattr(Box, "__name__")', "Box"),
        ('getattr(Box, "__doc__")', "A box."),
        ('getattr([], "__len__")()', 0),
        ('hasattr(Box(), "size"), hasattr(Box(), "_hidden"), hasattr(Box(), "nothing")', (True, True, False)),
        ('hasattr([], "__iter__"), hasattr(5, "__iter__"), hasattr(len, "__call__")', (True, False, True)),
        ('hasattr(Box, "__subclasses__"), hasattr(Box(), "__dict__"), hasattr(len, "__self__")', (False, False, False)),
        ('hasattr(Box(), "gbx_h_type"), hasattr(helper(), "gi_frame")', (False, False)),
        ("Color.RED.name, Color.__members__['RED'] is Color.RED", ("RED", True)),
        ("[e for e in [Lost('x')] if hasattr(e, 'obj')]", []),
    ],
)
def test_attributes_by_name_follow_the_same_rules_as_in_the_source(
    run_program: Any, expression: str, expected: object
) -> None:
    assert run_program.body(f"return {expression}", above=ABOVE) == expected


@pytest.mark.parametrize(
    "expression",
    [
        'getattr(Box(), "__class__")',
        'getattr(Box(), "__init_subclass__")',
        'getattr(Box(), "gbx_h_x")',
        'getattr(Box, "mro")',
        'getattr(helper(), "gi_frame")',
        'getattr(helper(), "gi_code")',
        'getattr(json, "decoder")',
        'getattr(json, "__getattr__")',
        'getattr(len, "__self__")',
        'getattr(Box().method, "__func__")',
        'getattr(Box.method, "__globals__")',
        'getattr(object, "__subclasses__")',
        'getattr(object, "__reduce_ex__")',
        "int.mro()",
        "Box.mro()",
        "list[int].mro()",
        "typing.Type[int].mro(Box)",
        "typing.List[int].mro()",
        "type(1).mro()",
        "type(int).mro",
        "AttributeError.obj",
        "ImportError.path",
        "Lost.obj",
        "json.__init__",
        "json.loads.__init__",
        "decimal.Decimal.__init__",
        "io.StringIO().__init__",
        "Box.__members__",
        "Box().__cause__",
    ],
)
def test_internals_cannot_be_read(run_program: Any, expression: str) -> None:
    with pytest.raises(AttributeError):
        run_program.body(f"return {expression}", above=ABOVE)


@pytest.mark.parametrize(
    "call", ["getattr(Box(), name)", "hasattr(Box(), name)", "setattr(Box(), name, 1)", "delattr(Box(), name)"]
)
@pytest.mark.parametrize("name", ['Text("size")', 'b"size"', "5", "None"])
def test_names_must_be_plain_strings(run_program: Any, call: str, name: str) -> None:
    with pytest.raises(TypeError, match="plain string"):
        run_program.body(f"name = {name}\n{call}", above=ABOVE)


def test_failing_attributes_do_not_hand_out_their_object(run_program: Any) -> None:
    body = """
try:
    json.nothing
except AttributeError as error:
    return hasattr(error, "obj"), hasattr(error, "__traceback__"), str(error) != "", error.args != ()
"""
    assert run_program.body(body, above=ABOVE) == (False, False, True, True)


@pytest.mark.parametrize(
    "line",
    [
        "box = Box(); box.x = 1; setattr(box, 'y', 2); box._z = 3; return box.x, box.y, getattr(box, '_z')",
        "box = Box(); setattr(box, '_hidden', 9); return box._hidden",
        "box = Box(); delattr(box, '_hidden'); return hasattr(box, '_hidden')",
        "Box.size = 2; return Box().size",
        "helper.note = 1; return helper.note",
        "space = SimpleNamespace(a=1); space.b = 2; del space.a; return repr(space)",
        "context = decimal.Context(); context.prec = 5; return str(context.divide(decimal.Decimal(1), 3))",
        "counts = Counter(); counts['a'] += 1; return counts['a']",
        "d = OrderedDict(); d['a'] = 1; e = defaultdict(list); e['b'].append(1); return d['a'], e['b']",
        "q = deque([1, 2]); q[0] = 5; b = bytearray(b'ab'); b[0] = 65; return list(q), bytes(b)",
    ],
)
def test_the_programs_own_objects_and_containers_can_be_changed(run_both: Any, line: str) -> None:
    assert run_both(f"{ABOVE}\ndef run():\n    {line}\n") is not None


@pytest.mark.parametrize(
    "line",
    [
        "json.loads = len",
        "json.new = 1",
        "del json.loads",
        "int.x = 1",
        "dict.get = len",
        "len.x = 1",
        "json.dumps.x = 1",
        "print.x = 1",
        "getattr.x = 1",
        "json.JSONEncoder.default = len",
        "decimal.Decimal.x = 1",
        "Exception.x = 1",
        "io.StringIO.x = 1",
        "io.StringIO().x = 1",
        "super(Box, Box()).x = 1",
        "Box().method.x = 1",
        "(1).x = 1",
        "'a'.x = 1",
        "type(Box).x = 1",
        "object.__setattr__(json, 'x', 1)",
        "object.__setattr__(Box(), '__class__', int)",
        "object.__setattr__(Box, 'x', 1)",
        "setattr(json, 'x', 1)",
        "setattr(Box(), '__class__', int)",
        "setattr(Box, '__init__', len)",
        "setattr(Box, '__getattr__', len)",
        "setattr(Box, 'gbx_program', 1)",
        "setattr(Box(), 'gi_frame', 1)",
        "delattr(Box, '__init__')",
        "Frozen().x = 2",
        "Color.RED = 2",
        "for json.x in [1]: pass",
        "with io.StringIO() as json.x: pass",
        "[0 for int.x in [1]]",
        "json.x, y = 1, 2",
    ],
)
def test_nothing_else_can_be_changed(run_program: Any, line: str) -> None:
    with pytest.raises((TypeError, AttributeError)):
        run_program.body(line, above=ABOVE)


FORMATS = [
    ("{}, {}!", (1, "a"), {}),
    ("{1}{0}{1}", (1, 2), {}),
    ("{a:>5}|{a!r:<6}|{b:.2f}", (), {"a": "x", "b": 3.14159}),
    ("{:{width}.{digits}f}", (2.5,), {"width": 10, "digits": 3}),
    ("{0[1]} {1[key]} {1[key2][0]}", ([1, 2], {"key": "v", "key2": "ab"}), {}),
    ("{0.real} {0.imag:.1f}", (1 + 2j,), {}),
    ("{0:{1.real}}", ("x", 5), {}),
    ("{{}} {:%}", (0.5,), {}),
    ("{:%Y-%m-%d}", (__import__("datetime").date(2024, 1, 2),), {}),
    ("", (), {}),
]


@pytest.mark.parametrize(("template", "args", "kwargs"), FORMATS)
def test_format_gives_what_python_gives(
    run_program: Any, template: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    program = """
def run(template, arguments):
    args, kwargs = arguments
    return [
        template.format(*args, **kwargs), str.format(template, *args, **kwargs),
        getattr(template, "format")(*args, **kwargs), *map(lambda form: form(*args, **kwargs), [template.format]),
    ]
"""
    assert run_program(program, template, (args, kwargs)) == [template.format(*args, **kwargs)] * 4


def test_format_map_gives_what_python_gives(run_both: Any) -> None:
    assert run_both("""
class Default(dict):
    def __missing__(self, key):
        return "<" + key + ">"
def run():
    return (
        "{a} {b}".format_map(Default(a=1)), "{a[0]} {b.real}".format_map({"a": [1], "b": 2}), str.format_map("{x}",
        {"x": 1})
    )
""")


@pytest.mark.parametrize(
    "call",
    [
        '"{0.__class__}".format(1)',
        '"{0.__class__.__mro__}".format(1)',
        '"{x.__init__.__globals__}".format(x=Box())',
        '"{0[0].__class__}".format([1])',
        '"{:{0.__class__}}".format(1)',
        '"{0.gi_frame}".format(helper())',
        '"{0.gbx_h_x}".format(Box())',
        '"{x.__class__}".format_map({"x": 1})',
        'str.format("{0.__class__}", 1)',
        'str.format_map("{x.__class__}", {"x": 1})',
        'getattr("{0.__class__}", "format")(1)',
        'getattr(str, "format")("{0.__class__}", 1)',
        'list(map("{0.__class__}".format, [1]))',
        'Text("{0.__class__}").format(1)',
        'Text.format("{0.__class__}", 1)',
        'Loud("{0.__class__}").say(1)',
        "Loud.shout(1)",
        'super(Loud, Loud("{0.__class__}")).format(1)',
        '(lambda f: f(1))("{0.__class__}".format)',
    ],
)
def test_format_never_reaches_internals(run_program: Any, call: str) -> None:
    with pytest.raises(AttributeError):
        run_program.body(f"return {call}", above=ABOVE)


def test_the_programs_own_attributes_may_be_called_like_hidden_ones(run_program: Any) -> None:
    assert run_program.body(
        "return (lambda s: (s.mro, s.obj, s.path))(SimpleNamespace(mro=1, obj=2, path=3))", above=ABOVE
    ) == (
        1,
        2,
        3,
    )


def test_format_of_other_objects_is_their_own(run_program: Any) -> None:
    above = "class Report:\n    def format(self, x): return x\nclass Deep(str):\n    def format(self): return 'mine'\n"

    assert run_program.body("return Report().format(5), Deep('x').format()", above=above) == (5, "mine")
