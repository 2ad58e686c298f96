"""What is broken on purpose during a soak, one thing at a time, each until it works again."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle

import httpx
from docker.errors import APIError

from tests.acceptance.processes import Process
from tests.acceptance.running import eventually
from tests.soak.notes import Notes
from tests.soak.samples import Site, containers_of
from tests.support.database import Postmaster
from tests.support.processes import children_of, descendants_of

FELT_S = 1.0  # how long a run whose process was killed takes to say so


@dataclass(frozen=True)
class Breakable:
    """What can be broken, and how long each pause between two faults is, in seconds."""

    server: Process
    site: Site
    postmaster: Postmaster
    pause_s: float


async def restart_database(at: Breakable) -> None:
    """PostgreSQL goes, and comes back; over once the server says that it is ready."""
    await asyncio.to_thread(at.postmaster.stop, signal.SIGINT)
    await asyncio.to_thread(at.postmaster.start)
    async with httpx.AsyncClient(base_url=at.server.url, trust_env=False) as client:

        async def ready() -> bool:
            return (await client.get("/health/ready")).status_code == 200

        await eventually(ready)


async def kill_child(at: Breakable) -> None:
    """One process of a sandbox dies, waiting or at work."""
    leaves = [pid for pid in descendants_of(at.site.pid) if not children_of(pid)]
    if leaves:
        with suppress(ProcessLookupError):  # it ended by itself
            os.kill(random.choice(leaves), signal.SIGKILL)  # noqa: S311 - no secret hangs on which one
    await asyncio.sleep(FELT_S)


async def kill_container(at: Breakable) -> None:
    """One container dies under the server, waiting or at work."""
    engine = at.site.engine
    assert engine is not None

    def kill() -> None:
        found = containers_of(engine, at.site.owner)
        try:
            engine.api.kill(random.choice(found))  # noqa: S311 - as above
        except (APIError, IndexError):
            return  # the server was faster

    await asyncio.to_thread(kill)
    await asyncio.sleep(FELT_S)


FAULTS: Mapping[str, Callable[[Breakable], Awaitable[None]]] = {
    "sandbox process killed": kill_child,
    "PostgreSQL restarted": restart_database,
    "container killed": kill_container,
}


async def break_things(at: Breakable, notes: Notes, began_at: float, stop: asyncio.Event) -> None:
    """One fault after the other, again and again; told to stop, the last one is still seen to its end."""
    kinds = [name for name in FAULTS if at.site.engine or name != "container killed"]
    for name in cycle(kinds):
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), at.pause_s)
        if stop.is_set():
            return
        with notes.fault(name, time.monotonic() - began_at) as fault:
            await FAULTS[name](at)
            fault.over_s = time.monotonic() - began_at
