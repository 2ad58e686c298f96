"""What a model answers is text of a stranger: read strictly, or said what is wrong with it."""

import json
from typing import Any

import pytest

from sandbox.types import SOURCE_BYTES_MAX
from server.codegen.answers import OWN_EXAMPLES_MAX, UnreadableAnswerError, read_answer
from server.codegen.attempts import REPORT_BYTES_MAX, Finding, report_on
from tests.support.messages_api import agent_text

CODE = "def run(inputs):\n    return inputs\n"


def changed(**members: Any) -> str:
    return json.dumps({**json.loads(agent_text(CODE, [({"a": 1}, {"a": 1})])), **members})


def example(inputs: str, expect: str) -> dict[str, Any]:
    return {"inputs": inputs, "expect": expect, "fetches": []}


def test_answer_is_read_with_the_values_that_its_texts_spell() -> None:
    read = read_answer(agent_text(CODE, [({"a": [1, None]}, "x")], inputs_schema={"type": "object"}, hosts=["a.b"]))

    assert (read.code, read.inputs_schema, read.hosts) == (CODE, {"type": "object"}, ["a.b"])
    assert [(tried.inputs, tried.expect, tried.own) for tried in read.examples] == [({"a": [1, None]}, "x", False)]


UNREADABLE = {
    "nothing": "",
    "talk": "Here is your agent.",
    "a list": "[]",
    "cut": agent_text(CODE)[:-5],
    "a member too many": changed(also=1),
    "a member twice": agent_text(CODE).replace('"tier"', '"code": "x", "tier"'),
    "another type": changed(code=["x"]),
    "an unknown tier": changed(tier="root"),
    "half a surrogate pair": agent_text("x = '\ud800'"),
    "NUL": changed(code="x = '\0'"),
    "nested too deep": changed(inputs_schema="[" * 100 + "]" * 100),
    "code too large": changed(code="#" * (SOURCE_BYTES_MAX + 1)),
    "a schema that is no object": changed(inputs_schema="1"),
    "a schema that is no JSON": changed(inputs_schema="{"),
    "inputs that are no object": changed(examples=[example("[1]", "1")]),
    "an expectation that is no JSON": changed(examples=[example("{}", "NaN")]),
    "a number beyond all": changed(examples=[example("{}", "1e999")]),
    "an endless number": changed(examples=[example("{}", "9" * 1_000)]),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_answer_of_another_form_is_refused_with_a_reason(name: str) -> None:
    with pytest.raises(UnreadableAnswerError) as refused:
        read_answer(UNREADABLE[name])

    assert all(finding.step == "answer" and finding.message for finding in refused.value.findings)
    assert all("body" not in finding.message for finding in refused.value.findings)


def test_more_examples_than_are_tried_are_left_out() -> None:
    many = [({"n": number}, number) for number in range(40)]

    assert len(read_answer(agent_text(CODE, many)).examples) == OWN_EXAMPLES_MAX


def test_report_is_bounded_whatever_came_out() -> None:
    evidence = {"own": True, "inputs": {"x": "ü" * 50_000}, "expected": 1, "got": "ü" * 50_000, "error": None}
    report = report_on([Finding("example", "returned something else", evidence)] * 50)

    assert len(report.encode()) <= REPORT_BYTES_MAX
    assert report.endswith("Answer with the whole agent again, corrected.")
    assert "The person's example" in report
