"""The page of promises is of the results beside it, and names tests that exist."""

import ast
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Literal

import pytest

from tests.support.promise_page import RESULTS, NodeResult, Results, page_beside, render, verdict
from tests.support.promise_recorder import Recorder
from tests.support.promises import AREAS, CHECKS, PASS_MARK, Check

ROOT = Path(__file__).resolve().parents[2]
SIZES = {"R": 9, "D": 10, "A": 6, "B": 5, "L": 6, "Q": 5, "H": 6, "O": 2}
CHECK = Check("R1", "says", "expected", ("a.py::test_a",), "control", ("a.py::test_b",))


@cache
def names_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}


def test_every_check_is_there_once() -> None:
    counts = Counter(check.id for check in CHECKS)

    assert list(counts) == [f"{area}{number + 1}" for area in AREAS for number in range(SIZES[area])]
    assert set(counts.values()) == {1}
    assert set(counts) >= PASS_MARK


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_every_named_test_exists(check: Check) -> None:
    missing = [node for node in check.nodes if node.partition("::")[2] not in names_in(node.partition("::")[0])]

    assert missing == []
    assert bool(check.control) == bool(check.controls)


def test_page_is_that_of_the_results() -> None:
    results = Results.model_validate_json(RESULTS.read_text(encoding="utf-8"))

    assert page_beside(RESULTS).read_text(encoding="utf-8") == render(results), "python -m tests.support.promise_page"


def result(**counts: int) -> NodeResult:
    return NodeResult(date="2026-01-01", commit="abc", **counts)


@pytest.mark.parametrize(
    ("test", "control", "expected"),
    [
        (result(passed=3), result(passed=1), "held"),
        (result(passed=3, failed=1), result(passed=1), "broken"),
        (result(passed=3), result(failed=1), "broken"),
        (result(skipped=3), result(passed=1), "not shown"),
        (result(passed=3), None, "not shown"),
    ],
)
def test_nothing_is_held_that_was_not_seen(test: NodeResult, control: NodeResult | None, expected: str) -> None:
    results = Results(nodes={"a.py::test_a": {"fast": test}, "a.py::test_b": {"fast": control} if control else {}})

    assert verdict(CHECK, results) == expected


def report(
    node: str, outcome: Literal["passed", "failed", "skipped"], *marks: str, **figures: object
) -> pytest.TestReport:
    keywords: dict[str, Literal[1]] = dict.fromkeys(marks, 1)
    return pytest.TestReport(
        node, ("", 0, ""), keywords, outcome, None, "call", duration=1.5, user_properties=list(figures.items())
    )


def test_what_came_of_tests_is_kept_beside_what_was_there(tmp_path: Path) -> None:
    path, (first, second) = tmp_path / "results.json", CHECKS[0].tests[:2]
    path.write_text(Results(nodes={first: {"fast": result(passed=7)}}).model_dump_json())
    recorder = Recorder(path)

    for told in (
        report(f"{first}[1]", "passed", "long", wait_ms=3),
        report(f"{first}[2]", "failed", "long"),
        report(second, "passed"),
        report("a.py::test_of_no_check", "passed"),
    ):
        recorder.pytest_runtest_logreport(told)
    for _ in recorder.pytest_sessionfinish():
        pass

    kept = Results.model_validate_json(path.read_text()).nodes
    assert set(kept) == {first, second}
    assert kept[first]["fast"].passed == 7
    long = kept[first]["long"]
    assert (long.passed, long.failed, long.seconds, long.figures) == (1, 1, 3.0, {"wait_ms": [3]})
    assert kept[second]["fast"].passed == 1
    assert page_beside(path).read_text().startswith("# What Glovebox promises")


def test_largest_form_counts() -> None:
    results = Results(nodes={"a.py::test_a": {"long": result(failed=1), "fast": result(passed=1)}})

    assert verdict(CHECK, results) == "broken"
