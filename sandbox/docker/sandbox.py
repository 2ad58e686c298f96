"""DockerSandbox: runs programs in hardened containers, and comes back by itself when its engine does."""

import asyncio
import base64
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import structlog

from sandbox.docker.container import Container, Recipe
from sandbox.docker.engine import Engine, EngineError
from sandbox.docker.execution import Execution, Report
from sandbox.docker.images import DEFAULT_IMAGE
from sandbox.docker.imports import imports_packages
from sandbox.docker.pool import Pool
from sandbox.docker.results import container_died, out_of_memory, read_refusals, to_result
from sandbox.docker.spec import Shape
from sandbox.errors import SandboxError, SandboxLostError, TierUnavailableError
from sandbox.guest.frames import HEADER, Kind
from sandbox.offload import compute
from sandbox.types import Gloves, Inputs, Limits, Program, Refusal, Result, Tier, Wall, WallKind
from sandbox.watch import Watch

# Parsing and compiling 256 KiB of ordinary source takes about 1 s and 100 MiB.
CHECK_LIMITS = Limits(wall_ms_max=8_000, cpu_ms_max=4_000, memory_bytes_max=256 * 1024 * 1024)
# Whose the containers are in which sources are only compiled: no program ever runs there.
_CHECKER = "\0check"
OPEN_S_MAX = 15.0
RETRY_S = 2.0
_CODE_CACHE_BYTES_MAX = 64 * 1024 * 1024
_PIECES = (
    "own container",
    "no network",
    "no capabilities",
    "no new privileges",
    "seccomp",
    "read-only root",
    "sized tmpfs",
    "memory",
    "processes",
    "CPU",
    "non-root uid",
)

log = structlog.get_logger(__name__)


class DockerSandbox:
    """The docker tier. See `sandbox.backend.Sandbox` for the contract.

    Args:
        engine_url: where the engine answers, as DOCKER_HOST has it; None for the usual socket.
        image: name or digest of the guest image, pinned when the engine is reached.
        runtime: a runtime that the engine lists; None for its default.
        cgroup_parent: the control group that containers are made in; None leaves it to the engine.
        lease: gives the id of this process's lease, which its containers carry; `reap` goes by it.
        pool_size: containers kept started ahead of need.
        containers_max: containers at once.
        user_containers_max: containers that one owner's runs take at once.
        idle_s: seconds after which a container that nobody used is destroyed.
    """

    def __init__(
        self,
        *,
        lease: Callable[[], str],
        engine_url: str | None = None,
        image: str = DEFAULT_IMAGE,
        runtime: str | None = None,
        cgroup_parent: str | None = None,
        pool_size: int = 4,
        containers_max: int = 32,
        user_containers_max: int = 4,
        idle_s: float = 300.0,
    ) -> None:
        self._lease = lease
        self._engine = Engine(engine_url)
        self._image = image
        self._runtime = runtime
        self._cgroup_parent = cgroup_parent
        self._sizes: Mapping[str, Any] = {
            "size": min(pool_size, containers_max),
            "containers_max": containers_max,
            "owner_containers_max": user_containers_max,
            "idle_s": idle_s,
        }
        self._watch = Watch()
        self._codes = _CodeCache()
        self._pool: Pool | None = None
        self._wall: Wall | None = None
        self._missing: tuple[str, ...] = ("it is not open",)
        self._tried = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    @property
    def tier(self) -> Tier:
        """Always docker."""
        return Tier.DOCKER

    @property
    def missing(self) -> tuple[str, ...]:
        """What keeps it from running anything now, and what to do; empty when it can."""
        return self._missing

    @property
    def wall(self) -> Wall:
        """What separates its runs from the host. Raises TierUnavailableError while something is missing."""
        if self._wall is None or self._missing:
            raise TierUnavailableError(Tier.DOCKER, self._missing)
        return self._wall

    @property
    def children(self) -> Mapping[str, int]:
        """Containers by state: `ready` and unowned, `idle` with an owner, `live` with a program."""
        return self._pool.counts if self._pool is not None else {"ready": 0, "idle": 0, "live": 0}

    async def open(self) -> None:
        """Reach the engine and prove that containers can be made; where that fails, go on trying in the background."""
        self._keeper = asyncio.create_task(self._keep())
        try:
            async with asyncio.timeout(OPEN_S_MAX):
                await self._tried.wait()
        except TimeoutError:
            self._missing = (f"the Docker engine at {self._engine.url} is slow to answer",)

    async def close(self) -> None:
        """End every run and destroy every container. Idempotent."""
        self._missing = ("it is closed",)
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
            if self._wall is not None:
                # A container that was being made when its maker was cancelled is nobody's.
                await self._engine.settle()
                await self._destroy(lambda container_id, lease: lease == self._lease())
        await self._watch.close()
        self._engine.close()

    async def reap(self, live_leases: frozenset[str]) -> int:
        """Destroy the containers of dead processes, and nothing else.

        A lease is `<owner>.<id>`: what carries the lease of another owner is not ours to judge.

        Args:
            live_leases: every lease of the owner that is alive; this process's own need not be among them.

        Returns:
            How many were destroyed; 0 while the engine does not answer.
        """
        if self._pool is None:
            return 0
        alive = live_leases | {self._lease()}
        owners = {_owner_of(lease) for lease in alive}
        return await self._destroy(lambda container_id, lease: lease not in alive and _owner_of(lease) in owners)

    async def check(self, program: Program) -> tuple[Refusal, ...]:
        """Compile in a child of a container in which no program runs. See `sandbox.backend.Sandbox.check`."""
        job = {"op": "check", "source": program.source, "code": None}
        report, _ = await self._do(job, _CHECKER, Shape.of(Limits(), packages=False), CHECK_LIMITS, None)
        final = report.heard.final
        if final is not None and final[0] == Kind.CODE:
            return ()
        if final is not None and final[0] == Kind.REFUSED:
            return read_refusals(final[1])
        return (Refusal(1, 1, "program", "compiling the program takes too much time or memory: make it smaller"),)

    async def run(self, program: Program, inputs: Inputs, limits: Limits, gloves: Gloves) -> Result:
        """See `sandbox.backend.Sandbox.run`."""
        code = self._codes.get(gloves.owner, program.source)
        job = {
            "op": "run",
            "source": program.source,
            "code": code and base64.b64encode(code).decode(),
            "inputs": inputs,
            "seed": gloves.seed,
            "test": gloves.test,
            "frozen_at": gloves.started_at.timestamp() if gloves.frozen_clock else None,
        }
        shape = Shape.of(limits, packages=imports_packages(program.source))
        report, container = await self._do(job, gloves.owner, shape, limits, gloves)
        if code is None and report.heard.code is not None:
            self._codes.put(gloves.owner, program.source, report.heard.code)
        if report.condemned is None and report.heard.final is None and report.end is None and not report.heard.stopped:
            return await self._explain_death(report, container, limits)
        final = report.heard.final
        return await compute(lambda: to_result(report, limits), len(final[1]) if final else 0)

    async def _do(
        self, job: Mapping[str, Any], owner: str, shape: Shape, limits: Limits, gloves: Gloves | None
    ) -> tuple[Report, Container]:
        pool = self._pool
        if pool is None:
            raise TierUnavailableError(Tier.DOCKER, self._missing)
        packed = json.dumps(job, separators=(",", ":")).encode()
        container = await pool.take(owner, shape)
        execution = Execution(container, limits, gloves, self._watch)
        try:
            report = await execution.follow(
                HEADER.pack(Kind.JOB, len(packed)) + packed,
                compiling=job["code"] is None,
                checking=job["op"] == "check",
            )
        finally:
            # Under gVisor a program can reach its guest, so that no container has a second run there.
            single_use = container.recipe.runtime.is_gvisor
            pool.give_back(container, container.be_gone if single_use else execution.end)
        return report, container

    async def _explain_death(self, report: Report, container: Container, limits: Limits) -> Result:
        """The result of a run whose container died under it. Raises SandboxLostError where that was not its doing."""
        await asyncio.shield(container.destroy())
        if report.reading.memory_kills or container.out_of_memory:
            return out_of_memory(report, limits)
        if container.recipe.runtime.is_gvisor:
            # There a program can end the first process of its container, and at its limits the whole sandbox dies.
            return container_died(report, limits)
        raise SandboxLostError("the container died under the run")

    async def _keep(self) -> None:
        """Hold on to the engine for as long as the sandbox is open."""
        while True:
            try:
                await self._serve()
            except (EngineError, SandboxError) as error:
                self._tell_missing(error)
            except Exception:  # whatever it was, the tier has to come back by itself
                log.exception("docker.keeper_surprised")
                self._tell_missing(SandboxLostError("the docker tier met what it does not know; its log says what"))
            self._tried.set()
            await asyncio.sleep(RETRY_S)

    async def _serve(self) -> None:
        """Reach the engine and run programs until it fails. Raises EngineError, SandboxError."""
        pool = await self._connect()
        self._pool, self._missing = pool, ()
        self._tried.set()
        log.info("docker.available", engine=self._engine.url)
        try:
            self._tell_missing(await self._until_it_fails(pool))
        finally:
            self._pool = None
            await pool.close(TierUnavailableError(Tier.DOCKER, self._missing))

    async def _connect(self) -> Pool:
        pin, runtime = await self._engine.connect(self._image, self._runtime, self._cgroup_parent)
        await self._destroy(lambda container_id, lease: lease == self._lease())
        recipe = Recipe(pin.id, runtime, self._lease)
        pool = Pool(self._engine, recipe, **self._sizes)
        await pool.open()
        kind = WallKind.MINIMUM if runtime.lacks else WallKind.FULL
        self._wall = Wall(kind, runtime.lacks, (*_PIECES, f"runtime {runtime.name}"))
        return pool

    async def _until_it_fails(self, pool: Pool) -> EngineError | SandboxError:
        while True:
            await pool.suspect.wait()
            pool.suspect.clear()
            try:
                await self._engine.probe(pool.image_id)
            except (EngineError, SandboxError) as error:
                return error

    def _tell_missing(self, error: EngineError | SandboxError) -> None:
        missing = error.missing if isinstance(error, TierUnavailableError) else (str(error),)
        if missing != self._missing:
            log.warning("docker.unavailable", missing=missing)
        self._missing = missing

    async def _destroy(self, doomed: Callable[[str, str], bool]) -> int:
        """Destroy leased containers by their id and lease."""
        try:
            found = await self._engine.call(self._engine.leased)
            ids = [container_id for container_id, lease in found if doomed(container_id, lease)]
            for container_id in ids:
                await self._engine.call(self._engine.remove, container_id)
        except EngineError as error:
            log.warning("docker.not_reaped", error=str(error))
            return 0
        return len(ids)


def _owner_of(lease: str) -> str:
    return lease.rpartition(".")[0]


class _CodeCache:
    """Compiled programs by owner and source, as their containers made them: opaque bytes that only those load again."""

    def __init__(self) -> None:
        self._codes: OrderedDict[bytes, bytes] = OrderedDict()
        self._bytes = 0

    def get(self, owner: str, source: str) -> bytes | None:
        key = _digest(owner, source)
        code = self._codes.get(key)
        if code is not None:
            self._codes.move_to_end(key)
        return code

    def put(self, owner: str, source: str, code: bytes) -> None:
        key = _digest(owner, source)
        self._bytes += len(code) - len(self._codes.pop(key, b""))
        self._codes[key] = code
        while self._bytes > _CODE_CACHE_BYTES_MAX:
            self._bytes -= len(self._codes.popitem(last=False)[1])


def _digest(owner: str, source: str) -> bytes:
    # Not by source alone: what a container of one owner compiled, no other owner's loads.
    return sha256(f"{owner}\0{source}".encode("utf-8", "surrogatepass")).digest()
