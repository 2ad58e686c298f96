"""The tiers that the settings ask for."""

from collections.abc import Callable, Iterator

from sandbox.backend import Sandbox
from sandbox.docker import DockerSandbox
from sandbox.monty import MontySandbox
from sandbox.remote import connect_sandboxes
from sandbox.restricted import RestrictedSandbox
from sandbox.tiers import Tiers
from sandbox.types import Tier
from server.settings import Settings


def build_tiers(settings: Settings, *, lease: Callable[[], str]) -> Tiers:
    """The sandboxes of one server process; nothing is opened.

    Args:
        settings: which tiers, and whether a sandbox host runs them or this process.
        lease: tells the name of the lease that containers carry when they are made.
    """
    if settings.sandbox_socket is not None:
        return Tiers(connect_sandboxes(settings.sandbox_socket, settings.tiers))
    return build_own_tiers(settings, lease=lease)


def build_own_tiers(settings: Settings, *, lease: Callable[[], str]) -> Tiers:
    """The sandboxes of a process that runs programs itself; nothing is opened. See `build_tiers`."""
    return Tiers(_sandboxes(settings, lease))


def _sandboxes(settings: Settings, lease: Callable[[], str]) -> Iterator[Sandbox]:
    if Tier.MONTY in settings.tiers:
        yield MontySandbox(
            uid=settings.sandbox_uid, workers=settings.monty_workers, memory_bytes_max=settings.memory_bytes_ceiling
        )
    if Tier.RESTRICTED in settings.tiers:
        yield RestrictedSandbox(uid=settings.sandbox_uid, pool_size=settings.sandbox_pool_size)
    if Tier.DOCKER in settings.tiers:
        yield DockerSandbox(
            lease=lease,
            engine_url=settings.docker_host,
            image=settings.docker_image,
            runtime=settings.docker_runtime,
            cgroup_parent=settings.docker_cgroup_parent,
            pool_size=settings.docker_pool_size,
            containers_max=settings.docker_containers_max,
            user_containers_max=settings.docker_user_containers_max,
        )
