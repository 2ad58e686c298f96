"""The same abusive programs under gVisor, where the engine lists it. A container has a single run there."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from sandbox.docker import DockerSandbox
from sandbox.types import Outcome
from tests.escape.docker.abuse import Abuse, read_abuses
from tests.support.docker_engine import engine, require_runtime
from tests.support.docker_sandbox import LIMITS, docker_sandbox, runner

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.long]

RUNTIME = "runsc"
SHORT = replace(LIMITS, wall_ms_max=10_000, cpu_ms_max=5_000)
# Another kernel stops the same program for another reason, or later; what counts is that it does.
STOPPED = frozenset(Outcome) - {Outcome.SUCCEEDED, Outcome.REJECTED, Outcome.TIER_UNSUITED, Outcome.CANCELLED}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gvisor() -> AsyncIterator[DockerSandbox]:
    with engine() as client:
        require_runtime(client, RUNTIME)
    async with docker_sandbox(runtime=RUNTIME, pool_size=2) as opened:
        yield opened


@pytest.mark.parametrize("abuse", read_abuses(), ids=lambda abuse: abuse.name)
async def test_abuse_ends_as_it_may_under_gvisor_too(gvisor: DockerSandbox, abuse: Abuse) -> None:
    result = await runner(gvisor)(abuse.source, limits=SHORT, owner="abuser")

    assert result.outcome in abuse.outcomes | STOPPED, result
    assert result.usage.wall_ms < SHORT.wall_ms_max + 1_000
