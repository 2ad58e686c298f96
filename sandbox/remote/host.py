"""The host: runs the programs of the server processes that connect to its socket, in one set of tiers for all."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from sandbox.abilities import Stocked
from sandbox.backend import Sandbox
from sandbox.errors import SandboxBusyError, SandboxError, SandboxLostError
from sandbox.remote import wire
from sandbox.remote.address import Address
from sandbox.remote.connection import Connection
from sandbox.remote.served import ServedGloves
from sandbox.remote.wire import Kind, TierState, WireError
from sandbox.tiers import Tiers
from sandbox.types import Program, Tier

CONNECTIONS_MAX = 2048
STATE_LOOK_S = 0.25
STATE_TOLD_S = 2.0  # also when nothing changed, so that a host that is stuck is known to be
_STOPS = "the sandbox host stops"

Work = Callable[[], Awaitable[bytes]]

log = structlog.get_logger(__name__)


class SandboxHost:
    """Serves `Sandbox.run` and `Sandbox.check` of every tier over a unix socket.

    Args:
        tiers: open already; whoever opened them closes them.
        address: where to serve; closing releases it.
    """

    def __init__(self, tiers: Tiers, address: Address) -> None:
        self._tiers = tiers
        self._address = address
        self._server: asyncio.Server | None = None
        self._callers: set[asyncio.Task[None]] = set()
        self._watchers: set[Connection] = set()
        self._telling: asyncio.Task[None] | None = None
        self._stopping = False
        self._live = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def live(self) -> int:
        """How many runs and checks go on."""
        return self._live

    async def open(self) -> None:
        """Begin to serve."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: _Accepted(self), sock=self._address.listener)
        self._telling = asyncio.create_task(self._keep_telling(), name="sandbox-host-state")

    async def drain(self, grace_s: float) -> bool:
        """Turn away what comes from now on, and wait for what goes on, at most `grace_s`. Whether all of it ended."""
        self._stopping = True
        self._tell()
        try:
            async with asyncio.timeout(grace_s):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """End every run, every connection and the socket. Idempotent."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
        tasks = [*self._callers, *([self._telling] if self._telling is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._address.release()

    def serve(self, connection: Connection) -> None:
        """Answer one server's connection until it closes."""
        task = asyncio.get_running_loop().create_task(self._serve(connection))
        self._callers.add(task)
        task.add_done_callback(self._callers.discard)

    async def _serve(self, connection: Connection) -> None:
        try:
            if len(self._callers) > CONNECTIONS_MAX:
                connection.send(wire.pack_failure(SandboxBusyError()))
                return
            await self._converse(connection)
        except ConnectionError:
            pass  # the server has what it wanted, or is gone
        except WireError as error:
            log.error("sandbox_host.bad_frame", error=str(error))
        finally:
            self._watchers.discard(connection)
            connection.close()

    async def _converse(self, connection: Connection) -> None:
        """Carry out one job after the other. Whoever hangs up does not want theirs any more."""
        job: asyncio.Task[None] | None = None
        gloves: ServedGloves | None = None
        try:
            while True:
                kind, payload = await connection.receive()
                if kind == Kind.ANSWER and gloves is not None:
                    gloves.take_answer(payload)
                elif kind == Kind.WATCH:
                    connection.send(self._packed_state())
                    self._watchers.add(connection)
                elif kind not in (Kind.RUN, Kind.CHECK) or (job is not None and not job.done()):
                    raise WireError(f"{kind.name} out of turn")
                else:
                    gloves, work = self._begin(connection, kind, payload)
                    job = asyncio.get_running_loop().create_task(self._do(connection, work))
        finally:
            if job is not None:
                job.cancel()
                await asyncio.gather(job, return_exceptions=True)

    def _begin(self, connection: Connection, kind: Kind, payload: bytes) -> tuple[ServedGloves | None, Work]:
        if kind == Kind.CHECK:
            return None, partial(self._check, *wire.read_check(payload))
        job = wire.read_job(payload)
        gloves = ServedGloves(connection, job)
        return gloves, partial(self._run, job, gloves)

    async def _run(self, job: wire.Job, gloves: ServedGloves) -> bytes:
        sandbox = self._sandbox(job.tier)
        return await wire.pack_result(await sandbox.run(job.program, job.inputs, job.limits, gloves))

    async def _check(self, tier: Tier, program: Program) -> bytes:
        return wire.pack_refusals(await self._sandbox(tier).check(program))

    def _sandbox(self, tier: Tier) -> Sandbox:
        if self._stopping:
            raise SandboxBusyError
        return self._tiers.get(tier)

    async def _do(self, connection: Connection, work: Work) -> None:
        self._live += 1
        self._idle.clear()
        try:
            connection.send(await work())
        except SandboxError as error:
            connection.send(wire.pack_failure(error))
        except asyncio.CancelledError:
            connection.send(wire.pack_failure(SandboxLostError(_STOPS)))
            raise
        # A boundary: a defect that one run meets must not end the host of all others.
        except Exception:
            log.exception("sandbox_host.job_failed")
            connection.send(wire.pack_failure(SandboxLostError("the sandbox host met a defect of its own")))
        finally:
            self._live -= 1
            if not self._live:
                self._idle.set()

    async def _keep_telling(self) -> None:
        told, told_at = b"", 0.0
        while True:
            await asyncio.sleep(STATE_LOOK_S)
            state = self._packed_state()
            if state != told or time.monotonic() - told_at >= STATE_TOLD_S:
                told, told_at = state, time.monotonic()
                self._tell()

    def _tell(self) -> None:
        state = self._packed_state()
        for watcher in self._watchers:
            watcher.send(state)

    def _packed_state(self) -> bytes:
        return wire.pack_state({tier: self._state_of(tier) for tier in self._tiers.offered})

    def _state_of(self, tier: Tier) -> TierState:
        missing = (_STOPS,) if self._stopping else self._tiers.missing(tier)
        if missing:
            return TierState(missing, None, {})
        sandbox = self._tiers.get(tier)
        return TierState((), sandbox.wall, sandbox.children if isinstance(sandbox, Stocked) else {})


class _Accepted(Connection):
    """A connection that its host serves as soon as it stands."""

    def __init__(self, host: SandboxHost) -> None:
        super().__init__()
        self._host = host

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._host.serve(self)
