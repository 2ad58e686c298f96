"""The example agents under plain CPython: each does what its own examples say."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from server.agents.input_contract import InputContract
from server.agents.input_schema import check_input_schema
from server.agents.schemas import CreateAgent
from server.cli.manifest import read_agent

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FOLDERS = sorted(path.parent for path in EXAMPLES.glob("*/agent.py"))
CASES = [
    pytest.param(folder, example, id=f"{folder.name}-{number}")
    for folder in FOLDERS
    for number, example in enumerate(read_agent(folder)["examples"], start=1)
]


# What needs packages runs in the image that has them.
PLAIN_CASES = [case for case in CASES if not str(case.id).startswith("heating-demand")]


def load(folder: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"example_{folder.name}", folder / "agent.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_are_at_least_eight_agents() -> None:
    assert len(FOLDERS) >= 8


@pytest.mark.parametrize(("folder", "example"), PLAIN_CASES)
def test_agent_answers_its_examples_exactly(folder: Path, example: dict[str, Any]) -> None:
    inputs = json.loads(json.dumps(example["inputs"]))

    answer = load(folder).run(inputs)

    assert json.loads(json.dumps(answer, allow_nan=False)) == example["expect"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_agent_is_a_whole_and_valid_request(folder: Path) -> None:
    agent = CreateAgent.model_validate({"agent_name": folder.name, **read_agent(folder)})

    assert agent.description
    assert agent.tier in ("auto", "docker")
    assert len(agent.examples) >= 3
    assert agent.inputs_schema is not None
    check_input_schema(agent.inputs_schema)


@pytest.mark.parametrize(("folder", "example"), CASES)
async def test_inputs_of_the_examples_fit_the_schema(folder: Path, example: dict[str, Any]) -> None:
    contract = InputContract(read_agent(folder)["inputs_schema"])

    await contract.check(example["inputs"])


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_agent_is_listed_in_the_readme(folder: Path) -> None:
    assert f"[{folder.name}]({folder.name}/agent.py)" in (EXAMPLES / "README.md").read_text()


def test_password_is_never_echoed() -> None:
    agent = load(EXAMPLES / "password-score")

    assert "hunter2-secret" not in json.dumps(agent.run({"password": "hunter2-secret"}))
