"""Real sandboxes: every test gets its own zygote, ended with the test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

import pytest

from sandbox.restricted import RestrictedSandbox
from sandbox.types import Inputs, Limits, Program, Result
from tests.support.gloves import FixedGloves

UID = 64_999
LIMITS = Limits(wall_ms_max=5_000, cpu_ms_max=2_000, memory_bytes_max=64 * 1024 * 1024, output_bytes_max=256 * 1024)


Run: TypeAlias = Callable[..., Awaitable[Result]]


@pytest.fixture
async def sandbox() -> AsyncIterator[RestrictedSandbox]:
    async for opened in _open("sandbox.policy"):
        yield opened


@pytest.fixture
async def bare_wall() -> AsyncIterator[RestrictedSandbox]:
    """The same kernel wall with the language policy switched off: programs are plain CPython."""
    async for opened in _open("sandbox.testing"):
        yield opened


async def _open(language: str) -> AsyncIterator[RestrictedSandbox]:
    sandbox = RestrictedSandbox(uid=UID, pool_size=2, language=language)
    await sandbox.open()
    try:
        yield sandbox
    finally:
        await sandbox.close()


def runner(sandbox: RestrictedSandbox) -> Run:
    async def run(
        source: str, inputs: Inputs | None = None, *, limits: Limits = LIMITS, test: bool = False, seed: int = 7
    ) -> Result:
        return await sandbox.run(Program(source), inputs or {}, limits, FixedGloves(test=test, seed=seed))

    return run


@pytest.fixture
def run(sandbox: RestrictedSandbox) -> Run:
    return runner(sandbox)


@pytest.fixture
def run_plain(bare_wall: RestrictedSandbox) -> Run:
    return runner(bare_wall)
