"""An agent that uses pandas and numpy, on the docker tier, by its URL."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from server.cli.manifest import read_agent
from tests.acceptance.docker_tier import DockerTier, docker_tier, run_code
from tests.acceptance.running import User

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FOLDERS = [path.parent for path in sorted(EXAMPLES.glob("*/agent.py")) if read_agent(path).get("tier") == "docker"]
IMPORTS = """
def run(inputs):
    import bs4, dateutil.parser, matplotlib, numpy, openpyxl, pandas, pydantic
    table = pandas.DataFrame({"a": numpy.arange(4)})
    page = bs4.BeautifulSoup("<p>hello</p>", "html.parser")
    return {"sum": int(table["a"].sum()), "text": page.p.text, "day": dateutil.parser.parse("4 May 2026").isoformat()}
"""
ANSWERED = {"sum": 6, "text": "hello", "day": "2026-05-04T00:00:00"}
PLOT = """
import io
import matplotlib.pyplot as plt

def run(inputs):
    plt.plot([1, 2, 3])
    drawn = io.BytesIO()
    plt.savefig(drawn, format="png")
    return drawn.getvalue()[:4].hex()
"""


@pytest.fixture(scope="module")
def tier() -> Iterator[DockerTier]:
    with docker_tier() as started:
        yield started


@pytest.fixture
def gvisor() -> Iterator[DockerTier]:
    with docker_tier(docker_runtime="runsc") as started:
        yield started


@pytest.fixture
async def alice(tier: DockerTier) -> AsyncIterator[User]:
    user = tier.user()
    yield user
    await user.http.aclose()


def test_there_is_an_example_for_this_tier() -> None:
    assert FOLDERS


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
async def test_example_answers_by_its_url(folder: Path, alice: User) -> None:
    files: dict[str, Any] = read_agent(folder)
    await alice.create(folder.name, **files)

    for example in files["examples"]:
        by_post = await alice.http.post(alice.path(folder.name), json=example["inputs"])
        by_get = await alice.http.get(alice.path(folder.name), params=example["inputs"])

        assert (by_post.status_code, by_post.json()) == (200, example["expect"])
        assert (by_get.status_code, by_get.json()) == (200, example["expect"])
        assert by_post.headers["Glovebox-Tier"] == "docker"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
async def test_dry_run_gives_the_same_and_costs_nothing(folder: Path, alice: User) -> None:
    files: dict[str, Any] = read_agent(folder)
    await alice.create(folder.name, **files)
    before, example = await alice.balance(), files["examples"][0]

    dry = await alice.http.post(alice.path(folder.name), params={"test": "true"}, json=example["inputs"])

    assert (dry.status_code, dry.json()["result"]) == (200, example["expect"])
    assert await alice.balance() == before


async def test_another_runtime_does_the_same_when_it_is_asked_for(gvisor: DockerTier) -> None:
    user = gvisor.user()

    answered = await run_code(user, IMPORTS)
    kernel = await run_code(user, "import platform\ndef run(inputs):\n    return platform.release()\n")

    await user.http.aclose()
    assert answered == ANSWERED
    assert kernel == "4.4.0"  # gVisor's own, whatever the machine's is
    assert {container.attrs["HostConfig"]["Runtime"] for container in gvisor.containers()} == {"runsc"}


async def test_every_package_of_the_image_can_be_used(alice: User) -> None:
    assert await run_code(alice, IMPORTS) == ANSWERED


async def test_a_figure_is_drawn_without_a_display(alice: User) -> None:
    assert await run_code(alice, PLOT, limits={"memory_bytes_max": 256 * 1024**2}) == "89504e47"


async def test_a_package_that_the_image_has_not_is_missing_as_usual(alice: User) -> None:
    await alice.create("missing", "import no_such_package\ndef run(inputs):\n    return 1\n", tier="docker")

    answer = await alice.http.post(alice.path("missing"), json={})

    assert (answer.status_code, answer.json()["code"]) == (502, "failed")
    assert answer.json()["error"]["type"] == "ModuleNotFoundError"
