"""The server's end: sandboxes whose programs run in a sandbox host."""

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.errors import SandboxLostError, TierUnavailableError
from sandbox.offload import compute
from sandbox.remote import wire
from sandbox.remote.connection import Connection
from sandbox.remote.link import Link
from sandbox.remote.wire import Kind, WireError
from sandbox.types import (
    GloveError,
    Gloves,
    Inputs,
    JsonValue,
    Limits,
    LogLine,
    Program,
    Refusal,
    Result,
    RunStoppedError,
    Tier,
    Wall,
)

# Beyond its own limit a run may wait for its place, and what ends it takes its time.
RUN_SPARE_S = 60.0
CHECK_S_MAX = 60.0


def connect_sandboxes(path: Path, tiers: Iterable[Tier]) -> "tuple[RemoteSandbox, ...]":
    """One sandbox for each tier, all of the host that listens at `path`. Nothing is opened."""
    link = Link(path)
    return tuple(RemoteSandbox(tier, link) for tier in tiers)


class RemoteSandbox:
    """One tier of a host. See `sandbox.backend.Sandbox` for the contract."""

    def __init__(self, tier: Tier, link: Link) -> None:
        self._tier = tier
        self._link = link

    @property
    def tier(self) -> Tier:
        """Which kind of sandbox this is."""
        return self._tier

    @property
    def missing(self) -> tuple[str, ...]:
        """What the host lacks for it, or that there is no host."""
        return self._link.state_of(self._tier).missing

    @property
    def wall(self) -> Wall:
        """What the host's machine gives. Raises TierUnavailableError while something is missing."""
        state = self._link.state_of(self._tier)
        if state.wall is None:
            raise TierUnavailableError(self._tier, state.missing)
        return state.wall

    @property
    def children(self) -> Mapping[str, int]:
        """The host's, for all of its servers together."""
        return self._link.state_of(self._tier).children

    async def open(self) -> None:
        """Look for the host. Without one the tier is missing until there is one."""
        await self._link.open()

    async def close(self) -> None:
        """Hang up, which ends every run. Idempotent."""
        await self._link.close()

    async def check(self, program: Program) -> tuple[Refusal, ...]:
        """See `sandbox.backend.Sandbox.check`."""
        frame = wire.pack_check(self._tier, program)
        async with _Exchange(self._link, await self._link.take(self._tier)) as exchange:
            return wire.read_refusals(await exchange.complete(frame, Kind.REFUSALS, CHECK_S_MAX))

    async def run(self, program: Program, inputs: Inputs, limits: Limits, gloves: Gloves) -> Result:
        """See `sandbox.backend.Sandbox.run`."""
        frame = wire.pack_job(self._tier, program, inputs, limits, gloves)
        async with _Exchange(self._link, await self._link.take(self._tier), gloves) as exchange:
            payload = await exchange.complete(frame, Kind.RESULT, limits.wall_ms_max / 1000 + RUN_SPARE_S)
            return await compute(lambda: wire.read_result(payload, exchange.lines), len(payload))


class _Exchange:
    """One job on one connection: log lines and glove calls come until its end. Leaving it early ends the job.

    What goes wrong with the connection, or with what comes over it, leaves the block as SandboxLostError.
    """

    def __init__(self, link: Link, connection: Connection, gloves: Gloves | None = None) -> None:
        self.lines: list[LogLine] = []
        self._link = link
        self._connection = connection
        self._gloves = gloves
        self._call: asyncio.Task[None] | None = None
        self._over = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._over:
            self._link.give_back(self._connection)
        else:
            self._connection.abort()
        if self._call is not None:
            self._call.cancel()  # the run ended without waiting for it
            await asyncio.wait({self._call})
            if not self._call.cancelled() and (defect := self._call.exception()) is not None:
                raise defect
        if isinstance(exc, ConnectionError | TimeoutError | WireError):
            raise SandboxLostError(f"the sandbox host went away under a run: {exc!r}") from exc

    async def complete(self, frame: bytes, last: Kind, deadline_s: float) -> bytes:
        """Send the job, answer what comes, and give the payload of the last frame.

        Raises SandboxError as the host tells it, ConnectionError, WireError, TimeoutError.
        """
        self._connection.send(frame)
        async with asyncio.timeout(deadline_s):
            while True:
                kind, payload = await self._connection.receive()
                if kind == last:
                    self._over = True
                    return payload
                if kind == Kind.FAILED:
                    raise wire.read_failure(payload)
                self._take(kind, payload)

    def _take(self, kind: Kind, payload: bytes) -> None:
        if kind == Kind.LOG and self._gloves is not None:
            line = wire.read_line(payload)
            self.lines.append(line)
            self._gloves.log(line)
        elif kind == Kind.CALL and self._gloves is not None and (self._call is None or self._call.done()):
            self._call = asyncio.create_task(self._answer(self._gloves, *wire.read_call(payload)))
        else:
            raise WireError(f"{kind.name} out of turn")

    async def _answer(self, gloves: Gloves, number: int, glove: str, arguments: Mapping[str, JsonValue]) -> None:
        try:
            answer = wire.pack_answer(number, await gloves.call(glove, arguments))
        except (GloveError, RunStoppedError) as error:
            answer = wire.pack_answer(number, error=error)
        except BaseException:
            self._connection.abort()  # a defect of the gloves ends the run, and leaves it as what it is
            raise
        self._connection.send(answer)
