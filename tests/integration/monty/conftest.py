"""A monty tier that tests share, on the event loop of the session."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import pytest
import pytest_asyncio

from sandbox.monty import MontySandbox
from sandbox.types import Inputs, Limits, Program, Result
from tests.support.gloves import FixedGloves

UID = 64_999
LIMITS = Limits(wall_ms_max=5_000, memory_bytes_max=64 * 1024 * 1024, output_bytes_max=256 * 1024)

Run: TypeAlias = Callable[..., Awaitable[Result]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sandbox() -> AsyncIterator[MontySandbox]:
    opened = MontySandbox(uid=UID, workers=2)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def run(sandbox: MontySandbox) -> Run:
    """Runs sources with limits that suit tests."""

    async def run(source: str, inputs: Inputs | None = None, *, limits: Limits = LIMITS, **gloves: Any) -> Result:
        return await sandbox.run(Program(source), inputs or {}, limits, FixedGloves(**gloves))

    return run
