"""Memory that a run has for itself, as the kernel counts it (see `processes.unique_bytes`)."""

import asyncio
import os
import statistics
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

from docker import DockerClient

from bench.processes import read_processes, tree_of, unique_bytes
from bench.samples import Row
from bench.tiers import BenchGloves
from sandbox.docker.spec import LEASE_LABEL
from sandbox.tiers import Tiers
from sandbox.types import JsonValue, Limits, Outcome, Program, Result, Tier
from server.sandboxes import build_own_tiers
from server.settings import Settings

PARKED = 20
POOL = 4
SETTLED_S = 1.0
SETTLE_S_MAX = 60.0
LOOK_S = 0.1
PARKING = 'def run(inputs, ctx):\n    return ctx.memory.get("nothing")\n'
LIMITS = Limits(wall_ms_max=120_000)
_UNITS = {Tier.MONTY: "worker", Tier.RESTRICTED: "child", Tier.DOCKER: "container with its shim"}


@dataclass(frozen=True)
class ParkingGloves(BenchGloves):
    """Keeps every run waiting for an answer until it is told to let them go.

    Attributes:
        parked: one more for each run that waits.
        free: set, they all go on.
    """

    parked: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    free: asyncio.Event = field(default_factory=asyncio.Event)

    async def call(self, glove: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        """An empty memory, after a while."""
        self.parked.release()
        await self.free.wait()
        return {"found": False}


async def measure_memory(settings: Settings, tier: Tier) -> Sequence[Row]:
    """What an idle place in the pool takes, and what each of 20 live runs takes, with what it adds to this process.

    Raises:
        PermissionError: the kernel does not tell this user about the sandbox's processes.
        RuntimeError: the parked runs did not succeed.
    """
    lease = f"bench-{uuid4()}"
    settings = settings.model_copy(
        update={
            "tiers": (tier,),
            "sandbox_pool_size": POOL,
            "monty_workers": POOL,
            "docker_pool_size": POOL,
            "docker_user_containers_max": 2 * PARKED,
            "docker_containers_max": 2 * PARKED,
        }
    )
    tiers = build_own_tiers(settings, lease=lambda: lease)
    try:
        await tiers.open()
        async with _parked(tiers, tier, 1):
            pass  # what only the first run brings does not count
        idle = await _settled_units(settings, tier, lease)
        idle_bytes = _median_bytes(idle)
        own_bytes = unique_bytes(os.getpid())
        async with _parked(tiers, tier, PARKED):
            units = await _settled_units(settings, tier, lease)
            # Each live run has a unit to itself, and far fewer stand idle: the median is a live one's.
            live_bytes = _median_bytes(units) + max(0, unique_bytes(os.getpid()) - own_bytes) // PARKED
    finally:
        await tiers.close()
    name = f"{tier}, idle {_UNITS[tier]}"
    return (
        Row(key=f"memory/idle-{tier}", name=name, count=len(idle), bytes_each=idle_bytes),
        Row(key=f"memory/live-{tier}", name=f"{tier}, live run", count=PARKED, bytes_each=live_bytes),
    )


@asynccontextmanager
async def _parked(tiers: Tiers, tier: Tier, count: int) -> AsyncIterator[None]:
    """So many runs, each in the middle of a glove call. They end, and must succeed, with the context."""
    gloves = ParkingGloves()
    sandbox = tiers.get(tier)
    runs = [asyncio.create_task(sandbox.run(Program(PARKING), {}, LIMITS, gloves)) for _ in range(count)]
    results: Sequence[Result] = ()
    try:
        async with asyncio.timeout(SETTLE_S_MAX):
            for _ in runs:
                await gloves.parked.acquire()
        yield
    finally:
        gloves.free.set()
        results = await asyncio.gather(*runs)
    if any(result.outcome is not Outcome.SUCCEEDED for result in results):
        raise RuntimeError(f"a parked run did not succeed: {results[0]}")


async def _settled_units(settings: Settings, tier: Tier, lease: str) -> Sequence[set[int]]:
    """The processes of each unit, when there have been as many units for a second."""
    deadline = time.monotonic() + SETTLE_S_MAX
    units, since = _units(settings, tier, lease), time.monotonic()
    while time.monotonic() - since < SETTLED_S:
        if time.monotonic() > deadline:
            raise RuntimeError(f"the pool of {tier} does not come to rest")
        await asyncio.sleep(LOOK_S)
        now = _units(settings, tier, lease)
        if len(now) != len(units):
            since = time.monotonic()
        units = now
    return units


def _units(settings: Settings, tier: Tier, lease: str) -> Sequence[set[int]]:
    """A container is a unit with the shim above it; elsewhere each process is that has no children."""
    processes = read_processes()
    if tier is Tier.DOCKER:
        inits = _container_pids(settings, lease)
        return [tree_of(processes, [processes[pid].parent]) for pid in inits if pid in processes]
    tree = tree_of(processes, [os.getpid()])
    return [{pid} for pid in tree - {processes[pid].parent for pid in tree} - {os.getpid()}]


def _container_pids(settings: Settings, lease: str) -> Sequence[int]:
    client = DockerClient(base_url=settings.docker_host)
    try:
        found = client.api.containers(filters={"label": f"{LEASE_LABEL}={lease}"})
        return [int(client.api.inspect_container(row["Id"])["State"]["Pid"]) for row in found]
    finally:
        client.close()


def _median_bytes(units: Sequence[set[int]]) -> int:
    return statistics.median_high(sum(map(unique_bytes, unit)) for unit in units)
