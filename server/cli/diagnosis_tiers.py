"""What `glovebox doctor` says of the tiers: each is tried, as the server would, or asked for at the sandbox host."""

import asyncio
import os
from pathlib import Path

from sandbox.backend import Sandbox
from sandbox.errors import SandboxError, TierUnavailableError
from sandbox.monty import MontySandbox
from sandbox.policy import MODULES
from sandbox.remote import connect_sandboxes
from sandbox.restricted import RestrictedSandbox
from sandbox.types import Tier, WallKind
from server.cli.diagnosis_docker import check_docker_tier
from server.cli.diagnosis_fairness import check_fairness
from server.cli.findings import Finding, Level
from server.settings import Settings

CHECK_TIMEOUT_S = 30.0
# What makes one tier impossible makes agents that need it impossible; without this one hardly any runs.
_NEEDED = Tier.RESTRICTED
_FIX_WALL = "run on Linux 5.13 or newer with Landlock and seccomp enabled, as root or with a uid of your own"
_COMPLETE_WALL = (
    "allow user namespaces to this process: sysctl user.max_user_namespaces, "
    "kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns, or the container's profile"
)


async def check_tiers(settings: Settings) -> list[Finding]:
    """What became of each tier that the settings offer, and what agents of the restricted one may import."""
    if settings.sandbox_socket is not None:
        return await check_host(settings.sandbox_socket, settings.tiers)
    found: list[Finding] = []
    if Tier.MONTY in settings.tiers:
        found.append(await try_tier(MontySandbox(uid=settings.sandbox_uid, workers=1)))
    if Tier.RESTRICTED in settings.tiers:
        found.append(await try_tier(RestrictedSandbox(uid=settings.sandbox_uid, pool_size=1)))
        found.append(check_imports())
    found += await check_docker_tier(settings)
    return [*found, check_fairness(settings)]


async def check_host(path: Path, tiers: tuple[Tier, ...]) -> list[Finding]:
    """What the host that the server would use says of each tier. It alone sees the Docker engine."""
    remotes = connect_sandboxes(path, tiers)
    try:
        for remote in remotes:
            await remote.open()
        return [
            _refuse(remote.tier, remote.missing, "do what the line says") if remote.missing else _praise(remote)
            for remote in remotes
        ]
    finally:
        for remote in remotes:
            await remote.close()


async def try_tier(sandbox: Sandbox) -> Finding:
    """Build the tier's wall as the server will around every run."""
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            await sandbox.open()
            return _praise(sandbox)
    except TierUnavailableError as exc:
        return _refuse(sandbox.tier, exc.missing, _FIX_WALL)
    except (SandboxError, TimeoutError) as exc:
        reason = str(exc) or "it took too long"
        return Finding(_check(sandbox.tier), Level.FAIL, f"could not be tried: {reason}", "try again")
    finally:
        await sandbox.close()


def check_imports() -> Finding:
    """What agents of the restricted tier may import."""
    return Finding("imports", Level.OK, f"{len(MODULES)} modules: {' '.join(sorted(MODULES))}")


def _refuse(tier: Tier, missing: tuple[str, ...], fix: str) -> Finding:
    detail = f"unavailable on kernel {_kernel()}, agents that need it get 503: {'; '.join(missing)}"
    return Finding(_check(tier), Level.FAIL if tier is _NEEDED else Level.WARN, detail, fix)


def _praise(sandbox: Sandbox) -> Finding:
    wall = sandbox.wall
    if wall.kind is WallKind.FULL:
        detail = f"full wall on kernel {_kernel()}: {', '.join(wall.pieces)}"
        return Finding(_check(sandbox.tier), Level.OK, detail)
    detail = (
        f"minimum wall on kernel {_kernel()}, recorded with every run: {', '.join(wall.pieces)}; "
        f"missing: {'; '.join(wall.missing)}"
    )
    return Finding(_check(sandbox.tier), Level.WARN, detail, _COMPLETE_WALL)


def _kernel() -> str:
    return os.uname().release


def _check(tier: Tier) -> str:
    return f"tier {tier.value}"
