"""The corpus under tests/programs is right: plain CPython answers what each program expects."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent.parent / "programs"
# Those in `refused` are just as right, and use what the policy does not permit.
FILES = sorted(PROGRAMS.rglob("*.py"))
LINES_MAX = 80

# Runs every file named on stdin and prints one JSON object: file name -> value, or the failure as text.
RUNNER = """
import contextlib, inspect, io, json, pathlib, sys, types


class Context:
    test = False

    def log(self, message, **fields):
        json.dumps([message, fields])


def answer(path):
    source = pathlib.Path(path).read_text(encoding="utf-8")
    inputs = next(line for line in source.splitlines() if line.startswith("# inputs: "))
    module = sys.modules["program"] = types.ModuleType("program")
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(source, path, "exec"), vars(module))
        arguments = [json.loads(inputs.removeprefix("# inputs: ")), Context()]
        value = module.run(*arguments[: len(inspect.signature(module.run).parameters)])
    return json.dumps(value, allow_nan=False)


answers = {}
for path in json.load(sys.stdin):
    try:
        answers[path] = {"value": json.loads(answer(path))}
    except Exception as exc:
        answers[path] = {"error": f"{type(exc).__name__}: {exc}"}
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def answers() -> dict[str, dict[str, object]]:
    """What plain CPython answers, by path, all in one process."""
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUNNER],
        input=json.dumps([str(path) for path in FILES]),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={"PYTHONHASHSEED": "0", "PYTHONUTF8": "1"},
    )
    found: dict[str, dict[str, object]] = json.loads(finished.stdout)
    return found


def test_there_are_at_least_a_hundred_programs_that_the_policy_permits() -> None:
    assert len(list(PROGRAMS.glob("*.py"))) >= 100


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_program_answers_what_it_expects_under_plain_cpython(path: Path, answers: dict[str, dict[str, object]]) -> None:
    expect = path.read_text(encoding="utf-8").splitlines()[-1]

    assert answers[str(path)] == {"value": json.loads(expect.removeprefix("# expect: "))}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_program_is_small_and_ends_with_its_inputs_and_its_expectation(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()

    assert re.fullmatch(r"\d{3}_[a-z0-9_]+\.py", path.name)
    assert re.fullmatch(r'""".+"""', lines[0])
    assert 20 <= len(lines) <= LINES_MAX
    assert [line[:10] for line in lines if line.startswith(("# inputs: ", "# expect: "))] == [
        "# inputs: ",
        "# expect: ",
    ]
    assert lines[-2].startswith("# inputs: ")
    assert lines[-1].startswith("# expect: ")
