"""A sandbox host on a socket of its own, and the sandboxes of a server that uses it."""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sandbox.backend import Sandbox
from sandbox.errors import TierUnavailableError
from sandbox.remote import RemoteSandbox, SandboxHost, connect_sandboxes
from sandbox.remote.address import Address
from sandbox.tiers import Tiers
from sandbox.types import (
    Gloves,
    Inputs,
    Limits,
    Outcome,
    Program,
    Refusal,
    Result,
    Tier,
    Wall,
    WallKind,
)

Behaviour = Callable[[Program, Inputs, Limits, Gloves], Awaitable[Result]]


async def echo(program: Program, inputs: Inputs, limits: Limits, gloves: Gloves) -> Result:
    return Result(Outcome.SUCCEEDED, inputs)


@dataclass
class ScriptedSandbox:
    """Does what the test says."""

    tier: Tier = Tier.RESTRICTED
    lacks: tuple[str, ...] = ()
    behaviour: Behaviour = echo
    refusals: tuple[Refusal, ...] = ()
    children: dict[str, int] = field(default_factory=lambda: {"ready": 3, "live": 0})

    @property
    def missing(self) -> tuple[str, ...]:
        return self.lacks

    @property
    def wall(self) -> Wall:
        if self.lacks:
            raise TierUnavailableError(self.tier, self.lacks)
        return Wall(WallKind.MINIMUM, ("user namespaces",), ("Landlock", "seccomp"))

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def check(self, program: Program) -> tuple[Refusal, ...]:
        return self.refusals

    async def run(self, program: Program, inputs: Inputs, limits: Limits, gloves: Gloves) -> Result:
        return await self.behaviour(program, inputs, limits, gloves)


@pytest.fixture
def socket_path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="glovebox-") as directory:
        yield Path(directory) / "sandbox.sock"


@asynccontextmanager
async def hosting(path: Path, *sandboxes: Sandbox) -> AsyncIterator[SandboxHost]:
    host = SandboxHost(Tiers(sandboxes), Address.take(path))
    await host.open()
    try:
        yield host
    finally:
        await host.close()


@asynccontextmanager
async def connected(path: Path, tier: Tier = Tier.RESTRICTED) -> AsyncIterator[RemoteSandbox]:
    (remote,) = connect_sandboxes(path, [tier])
    await remote.open()
    try:
        yield remote
    finally:
        await remote.close()


@pytest.fixture
def scripted() -> ScriptedSandbox:
    return ScriptedSandbox()


@pytest.fixture
async def remote(socket_path: Path, scripted: ScriptedSandbox) -> AsyncIterator[RemoteSandbox]:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(hosting(socket_path, scripted))
        yield await stack.enter_async_context(connected(socket_path))
