"""Guards that would do what Python does are gone from the compiled code; those that decide are not."""

import dis
from types import CodeType
from typing import Any

import pytest

from sandbox.policy import compile_program, guest_globals


def _names(source: str) -> set[str]:
    """Every global name that the compiled functions look up."""
    code = compile_program(source).code
    assert code is not None
    found: set[str] = set()
    todo = [code]
    while todo:
        code = todo.pop()
        found |= {step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
        todo += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return found


EVERYTHING = """
import json
class Box:
    def __init__(self):
        self._n = 0
    def step(self, rows, *rest, **more):
        for a, (b, *c) in rows:
            self._n += a
            rows[0] = rows[-1], [b]
            rows[1:2] += [x for x, y in rows if y]
            x, y = y, rows[a:b]
            del rows[0]
            with self as (p, q): print(*rest, **more)
        return json.dumps(rows), f"{rows[0]:>{self._n}}", "{}".format(rows)
def run(inputs, ctx):
    total = 0
    total += len(inputs["x"].strip())
    return {k: v for k, v in inputs.items()}
"""


def test_only_the_guards_that_decide_are_called() -> None:
    hooks = {name for name in _names(EVERYTHING) if name.startswith("_")}

    assert hooks == {"_getattr_", "_write_", "__name__", "__metaclass__"}


def test_every_hook_that_compiled_code_calls_is_there() -> None:
    called = {name for name in _names(EVERYTHING) if name.startswith(("_", "gbx_h_"))}

    assert called <= set(guest_globals(print))


@pytest.mark.parametrize(
    "line",
    [
        "x[0] = 1",
        "del x[0]",
        "x[0] += 1",
        "x[0:1] = [1]",
        "x[0], y = 1, 2",
    ],
)
@pytest.mark.parametrize("target", ["json", "int", "(1, 2)", "'text'", "len", "run", "frozenset()", "5", "print"])
def test_items_of_what_takes_no_items_cannot_be_assigned(run_program: Any, line: str, target: str) -> None:
    with pytest.raises((TypeError, AttributeError)):
        run_program.body(f"x = {target}\n{line}", above="import json")


def test_star_arguments_arrive_in_order(run_both: Any) -> None:
    assert run_both("""
def show(*args, **kwargs):
    return args, kwargs
def run():
    trace = []
    def note(x):
        trace.append(x)
        return x
    result = show(note(1), *note([2, 3]), note(4), a=note(5), **note({"b": 6}))
    return result, trace
""")


def test_unknown_stock_hooks_cannot_be_called_by_the_author(refusals: Any, run_program: Any) -> None:
    for hook in ("_getattr_", "_write_", "_inplacevar_", "_getiter_", "_apply_", "_print_"):
        with pytest.raises(NameError):
            run_program.body(f"return {hook}(1, 2)")
    (refusal,) = refusals("x = __metaclass__")
    assert refusal.construct == "__metaclass__"
