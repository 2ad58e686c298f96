"""The process that runs the programs of every server process on its machine, and alone holds the engine's socket."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import uuid4

import structlog

from sandbox.remote import SandboxHost
from sandbox.remote.address import Address
from server.observability.startup import tell_tiers
from server.orphans import Orphans
from server.process import keep_loop_free, raise_descriptor_limit
from server.sandboxes import build_own_tiers
from server.settings import Settings

log = structlog.get_logger("server.sandbox_host")


async def serve_sandboxes(settings: Settings, path: Path, announce: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM, then let what goes on end within `shutdown_grace_s`.

    Args:
        settings: which tiers, and how.
        path: of the socket.
        announce: called once, when servers can connect.

    Raises:
        AddressError: the socket cannot be served there.
        TierUnavailableError: this machine can build the wall of no tier.
    """
    raise_descriptor_limit()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with _open_host(settings, path) as host:
        keep_loop_free()
        log.info("listening", socket=str(path))
        announce()
        await stop.wait()
        log.info("stopping", live_runs=host.live, grace_s=settings.shutdown_grace_s)
        if not await host.drain(settings.shutdown_grace_s):
            log.warning("live runs ended", runs=host.live)


@asynccontextmanager
async def _open_host(settings: Settings, path: Path) -> AsyncIterator[SandboxHost]:
    address = Address.take(path)
    # The address is this process's alone, so what other hosts of the same one left is orphaned.
    lease = f"{address.owner}.{uuid4()}"

    async def live_leases() -> frozenset[str]:
        return frozenset({lease})

    async with AsyncExitStack() as stack:
        stack.callback(address.release)
        tiers = build_own_tiers(settings, lease=lambda: lease)
        stack.push_async_callback(tiers.close)
        await tiers.open()
        tell_tiers(tiers)
        orphans = Orphans(tiers, live_leases)
        stack.push_async_callback(orphans.close)
        orphans.open()
        host = SandboxHost(tiers, address)
        stack.push_async_callback(host.close)
        await host.open()
        yield host
