"""Docker tiers on a real engine: one that tests share, on the event loop of the session."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sandbox.docker import DockerSandbox
from tests.support.docker_sandbox import Run, docker_sandbox, runner


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sandbox() -> AsyncIterator[DockerSandbox]:
    async with docker_sandbox() as opened:
        yield opened


@pytest.fixture
def run(sandbox: DockerSandbox) -> Run:
    return runner(sandbox)


@pytest.fixture
def run_plain(run: Run) -> Run:
    """This tier has no language policy to switch off."""
    return run
