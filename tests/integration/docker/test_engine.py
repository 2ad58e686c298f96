"""An engine that is not there, goes away, or cannot give what is asked for: said at once, and healed by itself."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.docker import DockerSandbox
from sandbox.errors import SandboxLostError, TierUnavailableError
from sandbox.types import Limits, Outcome, Program
from tests.integration.docker.forwarder import forwarder
from tests.support.docker_engine import engine, engine_url
from tests.support.docker_sandbox import docker_sandbox, new_lease, runner
from tests.support.gloves import FixedGloves

BACK_S_MAX = 10


async def until(happened: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def unavailable(**settings: str) -> tuple[str, ...]:
    """What is missing with these settings; a run is refused with the same words."""
    lease = new_lease()
    sandbox = DockerSandbox(lease=lambda: lease, **{"engine_url": engine_url(), **settings})  # type: ignore[arg-type]
    await sandbox.open()
    try:
        with pytest.raises(TierUnavailableError) as refused:
            await sandbox.run(Program("def run(): pass"), {}, Limits(), FixedGloves())
        with pytest.raises(TierUnavailableError):
            _ = sandbox.wall
        assert refused.value.missing == sandbox.missing
        return sandbox.missing
    finally:
        await sandbox.close()


async def test_no_engine_is_told_with_what_to_do(tmp_path: Path) -> None:
    (missing,) = await unavailable(engine_url=f"unix://{tmp_path}/nobody.sock")

    assert missing == f"no Docker engine answers at unix://{tmp_path}/nobody.sock: start it or set DOCKER_HOST"


async def test_unknown_runtime_and_image_are_told_with_what_to_do() -> None:
    async with docker_sandbox(pool_size=0):
        pass  # there is an engine, or no test

    (runtime,) = await unavailable(runtime="unheard-of", image="glovebox-guest:test")
    (image,) = await unavailable(image="glovebox-guest:never-built")

    assert "the engine has no runtime 'unheard-of'; it lists" in runtime
    assert "glovebox image build" in image


async def test_engine_that_goes_away_and_comes_back_needs_no_restart(tmp_path: Path) -> None:
    with engine():
        pass
    async with (
        forwarder(tmp_path / "engine.sock", engine_url()) as way,
        docker_sandbox(engine_url=way.url, pool_size=1) as sandbox,
    ):
        run = runner(sandbox)
        sleeper = asyncio.ensure_future(run("import time\ndef run():\n    time.sleep(60)"))
        await until(lambda: sandbox.children["live"] == 1, 10)

        await way.stop()
        with pytest.raises(SandboxLostError):
            await sleeper
        await until(lambda: sandbox.missing != (), 5)
        with pytest.raises(TierUnavailableError):
            await run("def run():\n    return 1")
        await way.start()
        await until(lambda: sandbox.missing == (), BACK_S_MAX)

        assert (await run("def run():\n    return 1")).value == 1
        assert sandbox.wall.missing == ()


async def test_engine_that_starts_late_is_found(tmp_path: Path) -> None:
    with engine():
        pass
    lease = new_lease()
    async with forwarder(tmp_path / "engine.sock", engine_url()) as way:
        await way.stop()
        sandbox = DockerSandbox(lease=lambda: lease, engine_url=way.url, image="glovebox-guest:test", pool_size=0)
        await sandbox.open()
        try:
            assert sandbox.missing != ()
            await way.start()
            await until(lambda: sandbox.missing == (), BACK_S_MAX)

            assert (await runner(sandbox)("def run():\n    return 1")).outcome == Outcome.SUCCEEDED
        finally:
            await sandbox.close()
