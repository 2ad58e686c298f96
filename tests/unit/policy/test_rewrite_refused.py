"""Constructs without a rewrite are refused at their place, with what to write instead."""

from collections.abc import Callable

import pytest

from sandbox.types import Refusal

Refusals = Callable[[str], tuple[Refusal, ...]]


@pytest.mark.parametrize(
    ("source", "line", "column", "construct", "hint"),
    [
        ("async def f():\n    await g()\n", 1, 1, "async def", "synchronous"),
        ("class A:\n    async def f(self): pass\n", 2, 5, "async def", "synchronous"),
        ("try:\n    pass\nexcept* ValueError:\n    pass\n", 1, 1, "except*", "`except`"),
        ("x = ExceptionGroup('x', [])\n", 1, 5, "ExceptionGroup", "one exception"),
    ],
)
def test_construct_is_refused(
    refusals: Refusals, source: str, line: int, column: int, construct: str, hint: str
) -> None:
    (refusal,) = refusals(source)

    assert (refusal.line, refusal.column, refusal.construct) == (line, column, construct)
    assert hint in refusal.message


def test_async_run_is_refused_once_for_what_it_is(refusals: Refusals) -> None:
    found = refusals("async def run(inputs):\n    async with x: pass\n    async for y in z: await y\n")

    assert [refusal.construct for refusal in found] == ["async def"]
