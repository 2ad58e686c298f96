"""Every example agent through the whole server, by its URL."""

from pathlib import Path
from typing import Any

import pytest

from server.cli.manifest import read_agent
from tests.acceptance.conftest import User

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
# Those of the docker tier need an engine, and have a test of their own.
FOLDERS = [path.parent for path in sorted(EXAMPLES.glob("*/agent.py")) if read_agent(path).get("tier") != "docker"]


def is_flat(inputs: dict[str, Any]) -> bool:
    return all(isinstance(value, str | int) and not isinstance(value, bool) for value in inputs.values())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
async def test_agent_answers_its_examples_by_its_url(folder: Path, alice: User) -> None:
    files = read_agent(folder)
    await alice.create(folder.name, **files)

    for example in files["examples"]:
        by_post = await alice.http.post(alice.path(folder.name), json=example["inputs"])

        assert (by_post.status_code, by_post.json()) == (200, example["expect"])
        assert by_post.headers["Glovebox-Tier"] == "restricted"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
async def test_query_means_the_same_as_a_body(folder: Path, alice: User) -> None:
    files = read_agent(folder)
    await alice.create(folder.name, **files)

    for example in files["examples"]:
        if not is_flat(example["inputs"]):
            continue
        by_get = await alice.http.get(alice.path(folder.name), params=example["inputs"])

        assert (by_get.status_code, by_get.json()) == (200, example["expect"])


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
async def test_dry_run_gives_the_same_and_costs_nothing(folder: Path, alice: User) -> None:
    files = read_agent(folder)
    await alice.create(folder.name, **files)
    before, example = await alice.balance(), files["examples"][0]

    dry = await alice.http.post(alice.path(folder.name), params={"test": "true"}, json=example["inputs"])

    assert dry.status_code == 200
    assert dry.json()["result"] == example["expect"]
    assert dry.json()["test"] is True
    assert await alice.balance() == before
