"""Ordinary programs that the policy does not permit: each is told where, what, and what to write instead."""

from pathlib import Path

import pytest

from sandbox.policy import compile_program

REFUSED = sorted((Path(__file__).parents[2] / "programs/refused").glob("*.py"))


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.stem)
def test_program_is_refused_at_its_place_with_what_to_do(path: Path) -> None:
    source = path.read_text()

    compiled = compile_program(source)

    assert compiled.code is None
    assert all(1 <= refusal.line <= len(source.splitlines()) for refusal in compiled.refusals)
    assert all(len(refusal.message) > 30 for refusal in compiled.refusals)


def test_there_are_refused_programs() -> None:
    assert REFUSED
