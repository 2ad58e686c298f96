"""A docker tier on a real engine, for tests."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias
from uuid import uuid4

from sandbox.docker import DockerSandbox
from sandbox.types import Inputs, Limits, Program, Result
from tests.support.docker_engine import TAG, engine, engine_url, guest_image
from tests.support.gloves import FixedGloves

LIMITS = Limits(wall_ms_max=5_000, cpu_ms_max=2_000, output_bytes_max=256 * 1024)

Run: TypeAlias = Callable[..., Awaitable[Result]]


def new_lease() -> str:
    """A lease that no other process has."""
    return f"test.{uuid4()}"


@asynccontextmanager
async def docker_sandbox(**changes: Any) -> AsyncIterator[DockerSandbox]:
    """An open docker tier, closed at the end. Skips, or in CI fails, where there is no engine."""
    with engine() as client:
        guest_image(client)
    lease = new_lease()
    own: dict[str, Any] = {"lease": lambda: lease, "engine_url": engine_url(), "image": TAG, "pool_size": 2}
    sandbox = DockerSandbox(**(own | changes))
    await sandbox.open()
    try:
        assert sandbox.missing == ()
        yield sandbox
    finally:
        await sandbox.close()


def runner(sandbox: DockerSandbox) -> Run:
    """Runs sources with limits that suit tests."""

    async def run(source: str, inputs: Inputs | None = None, *, limits: Limits = LIMITS, **gloves: Any) -> Result:
        return await sandbox.run(Program(source), inputs or {}, limits, FixedGloves(**gloves))

    return run
