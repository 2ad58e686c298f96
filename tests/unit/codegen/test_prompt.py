"""What a model is told is what the wall enforces, and no larger than what is held for it."""

import pytest

from agents_store.generations import Engine
from sandbox import policy
from sandbox.guest.context import GLOVES
from sandbox.policy.compile import compile_program
from sandbox.policy.modules import HINTS, NOTES
from server.codegen.answers import ANSWER_BYTES_MAX
from server.codegen.attempts import REPORT_BYTES_MAX, Finding
from server.codegen.prompt import GLOVES_TEXT, fixed_text, input_tokens_max, policy_text, repair_turns

ENGINE = Engine(1, "Write agents.", 3, "some-model", None, 100_000, 4_000, 60_000, 2)


def test_modules_are_those_of_the_policy_and_no_others() -> None:
    lines = policy_text().split("\n\n")[0].splitlines()[1:]

    assert [line.removeprefix("- ").split(":")[0].split(" ")[0] for line in lines] == sorted(policy.MODULES)
    assert all(f"({note})" in policy_text() for note in NOTES.values())


@pytest.mark.parametrize("module", sorted(policy.MODULES))
def test_every_name_that_is_told_is_taken_by_the_policy(module: str) -> None:
    (line,) = [line for line in policy_text().splitlines() if f"{line}:".startswith((f"- {module}:", f"- {module} ("))]
    names = line.rpartition(": ")[2].split() if policy.MODULES[module] else []
    statement = f"from {module} import {', '.join(names)}" if names else f"import {module}"

    assert tuple(sorted(names)) == policy.MODULES[module]
    assert compile_program(f"{statement}\ndef run():\n    return 1\n").refusals == ()


@pytest.mark.parametrize("module", sorted(HINTS))
def test_every_import_that_is_told_to_be_refused_is(module: str) -> None:
    assert f"- import {module}: {HINTS[module]}" in policy_text()
    assert compile_program(f"import {module}\ndef run():\n    return 1\n").refusals != ()


def test_every_glove_is_told() -> None:
    for glove in GLOVES:
        room, _, verb = glove.partition(".")
        assert f"ctx.{room}" in GLOVES_TEXT
        assert f".{verb}(" in GLOVES_TEXT or not verb


def test_fixed_part_has_nothing_of_the_caller_and_is_the_same_every_time() -> None:
    assert fixed_text(ENGINE) == fixed_text(ENGINE)
    assert fixed_text(ENGINE).startswith("Write agents.")


def test_every_request_is_within_what_is_held_for_it() -> None:
    """Also the largest: a token has at least a byte, and an answer no more tokens than it may have."""
    fixed, task = fixed_text(ENGINE), "ü" * 1_000
    bound = input_tokens_max(ENGINE, fixed, task)
    findings = [Finding("check", "x" * 10_000, {"line": 1, "column": 1})] * 100
    turns = repair_turns(task, "a" * min(ENGINE.output_tokens_max, ANSWER_BYTES_MAX), findings)

    assert len(turns) == 3
    assert len(fixed.encode()) + sum(len(turn.encode()) for turn in turns) <= bound
    assert len(turns[2].encode()) <= REPORT_BYTES_MAX


def test_answer_that_could_not_be_read_is_not_shown_again() -> None:
    turns = repair_turns("task", "garbage", [Finding("answer", "The answer broke off.")])

    assert len(turns) == 1
    assert "garbage" not in turns[0]
    assert "The answer broke off." in turns[0]
