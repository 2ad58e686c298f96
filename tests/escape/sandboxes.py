"""Real sandboxes for the suite: with the language policy, and with the kernel wall alone."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from sandbox.restricted import RestrictedSandbox
from sandbox.types import Inputs, Limits, Program, Result
from tests.support.gloves import FixedGloves

SHARED_UID, OWN_UID = 64_997, 64_996
POOL_SIZE = 4
POLICY, NO_POLICY = "sandbox.policy", "sandbox.testing"
LIMITS = Limits(wall_ms_max=5_000, cpu_ms_max=2_000, memory_bytes_max=64 * 1024 * 1024, output_bytes_max=256 * 1024)

Run: TypeAlias = Callable[..., Coroutine[Any, Any, Result]]


@asynccontextmanager
async def opened(
    language: str = POLICY, pool_size: int = POOL_SIZE, uid: int = OWN_UID
) -> AsyncIterator[RestrictedSandbox]:
    """A sandbox, closed at the end."""
    sandbox = RestrictedSandbox(uid=uid, pool_size=pool_size, language=language)
    await sandbox.open()
    try:
        yield sandbox
    finally:
        await sandbox.close()


def runner(sandbox: RestrictedSandbox) -> Run:
    """Runs sources with limits that suit tests."""

    async def run(source: str, inputs: Inputs | None = None, *, limits: Limits = LIMITS, seed: int = 7) -> Result:
        return await sandbox.run(Program(source), inputs or {}, limits, FixedGloves(seed=seed))

    return run
