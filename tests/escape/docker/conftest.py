"""One docker tier that the abusive programs share, on the event loop of the session."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sandbox.docker import DockerSandbox
from tests.support.docker_sandbox import Run, docker_sandbox, runner


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def docker() -> AsyncIterator[DockerSandbox]:
    async with docker_sandbox() as opened:
        yield opened


@pytest.fixture
def run(docker: DockerSandbox) -> Run:
    return runner(docker)
