"""The rewriter's own names, written by an author in every place where Python takes a name."""

import pytest

from sandbox.restricted import RestrictedSandbox
from sandbox.types import Program

pytestmark = pytest.mark.asyncio(loop_scope="session")

STATEMENTS = {
    "read": "{}",
    "assigned": "{} = 1",
    "annotated": "{}: int = 1",
    "augmented": "{} += 1",
    "deleted": "del {}",
    "unpacked": "a, *{} = [1, 2]",
    "walrus": "({} := 1)",
    "for target": "for {} in []: pass",
    "comprehension target": "[0 for {} in []]",
    "with target": "with None as {}: pass",
    "function": "def {}(): pass",
    "class": "class {}: pass",
    "base class": "class A({}): pass",
    "class member": "class A:\n    {} = 1",
    "method": "class A:\n    def {}(self): pass",
    "class keyword": "class A({}=1): pass",
    "decorator": "@{}\ndef f(): pass",
    "parameter": "def f({}): pass",
    "positional-only parameter": "def f({}, /): pass",
    "keyword-only parameter": "def f(*, {}): pass",
    "star parameter": "def f(*{}): pass",
    "double-star parameter": "def f(**{}): pass",
    "default": "def f(a={}): pass",
    "lambda parameter": "lambda {}: 0",
    "keyword argument": "dict({}=1)",
    "attribute read": "run.{}",
    "attribute assigned": "run.{} = 1",
    "attribute deleted": "del run.{}",
    "attribute in an f-string": "f'{{run.{}}}'",
    "import": "import {}",
    "import as": "import json as {}",
    "from import": "from json import {}",
    "from import as": "from json import dumps as {}",
    "except as": "try: pass\nexcept ValueError as {}: pass",
    "global": "def f():\n    global {}",
    "nonlocal": "def f():\n    {0} = 1\n    def g():\n        nonlocal {0}",
    "match capture": "match 1:\n    case {}: pass",
    "match as": "match 1:\n    case 1 as {}: pass",
    "match star": "match 1:\n    case [*{}]: pass",
    "match rest": "match 1:\n    case {{**{}}}: pass",
    "match class": "match 1:\n    case {}(): pass",
    "match class keyword": "match 1:\n    case int({}=1): pass",
    "match value": "match 1:\n    case run.{}: pass",
}
# Refused whatever the name is.
NEVER = frozenset({"import", "from import", "class keyword"})
NAMES = ("gbx_h_type", "gbx_s__class__", "gbx_p_x", "gbx_t1", "gbx_", "\uff47\uff42\uff58_h_type")


@pytest.mark.parametrize("place", STATEMENTS)
async def test_source_that_uses_a_reserved_name_is_refused(sandbox: RestrictedSandbox, place: str) -> None:
    for name in NAMES:
        source = f"{STATEMENTS[place].format(name)}\ndef run():\n    return 1\n"
        assert await sandbox.check(Program(source)), f"{name} as {place}"


@pytest.mark.parametrize("place", [place for place in STATEMENTS if place not in NEVER])
async def test_same_place_takes_an_ordinary_name(sandbox: RestrictedSandbox, place: str) -> None:
    """The control: it is the name that is refused, not the construct."""
    source = f"{STATEMENTS[place].format('ordinary')}\ndef run():\n    return 1\n"

    assert await sandbox.check(Program(source)) == ()
