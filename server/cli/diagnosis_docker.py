"""What `glovebox doctor` says of the Docker engine, as far as agents of the docker tier depend on it."""

import asyncio
from collections.abc import Iterator

from sandbox.docker.advisories import ENGINE_ADVISORIES, RUNC_ADVISORIES, Advisory, advisories_against, is_rebuilt
from sandbox.docker.engine_facts import EngineFacts, read_engine
from sandbox.errors import TierUnavailableError
from sandbox.types import Tier
from server.cli.findings import Finding, Level
from server.settings import Settings

CHECK = "tier docker"


async def check_docker_tier(settings: Settings) -> list[Finding]:
    """Findings about the engine, one of them at least; none where the tier is not offered."""
    if Tier.DOCKER not in settings.tiers:
        return []
    try:
        facts = await asyncio.to_thread(read_engine, settings.docker_host, settings.docker_image)
    except TierUnavailableError as exc:
        detail = f"unavailable, agents that need it get 503: {'; '.join(exc.missing)}"
        return [Finding(CHECK, Level.WARN, detail, "start a Docker engine, or set DOCKER_HOST to one")]
    return list(judge_engine(facts, settings.docker_runtime))


def judge_engine(facts: EngineFacts, runtime: str | None) -> Iterator[Finding]:
    """What follows from an engine's facts, for containers of this runtime (None is the engine's own choice)."""
    yield from _judge_tier(facts, runtime)
    if runtime is None or runtime.startswith("runc"):
        yield from _judge_version("runc", facts.runc or "unknown", RUNC_ADVISORIES)
    yield from _judge_version("docker engine", facts.version, ENGINE_ADVISORIES)
    if facts.cgroup_version < 2:
        detail = "cgroup v1: containers see the host's cgroup names, and limits are enforced less exactly"
        yield Finding("cgroups", Level.WARN, detail, "boot the host with systemd.unified_cgroup_hierarchy=1")


def _judge_tier(facts: EngineFacts, runtime: str | None) -> Iterator[Finding]:
    """Whether a run can start at all, with everything around it that the wall needs."""
    if facts.image is None:
        detail = f"unavailable: {facts.image_fault}"
        yield Finding(CHECK, Level.WARN, detail, "glovebox image build")
    if runtime is not None and runtime not in facts.runtimes:
        listed = ", ".join(sorted(facts.runtimes))
        detail = f"unavailable: the engine has no runtime {runtime!r}, but {listed}"
        yield Finding(CHECK, Level.FAIL, detail, "install it and list it in the engine's configuration")
    if facts.missing_pieces:
        detail = f"unavailable: {'; '.join(facts.missing_pieces)}"
        fix = "use a kernel with seccomp, and enable its cgroup controllers: cgroup_enable=memory swapaccount=1"
        yield Finding(CHECK, Level.FAIL, detail, fix)
    elif facts.image is not None:
        image = facts.image
        detail = f"image {image.id[:19]} with {len(image.packages)} packages, runtime {runtime or 'of the engine'}"
        yield Finding(CHECK, Level.OK, detail)


def _judge_version(name: str, version: str, known: tuple[Advisory, ...]) -> Iterator[Finding]:
    found = advisories_against(version, known)
    if not found:
        yield Finding(name, Level.OK, version)
        return
    for advisory in found:
        lines = " or ".join(".".join(map(str, release)) for release in advisory.fixed_in)
        detail = f"{version} may have {advisory.names}: {advisory.what}"
        fix = f"upgrade {name} to {lines} or newer"
        if is_rebuilt(version):
            fix += ", unless your distribution has mended its build: its security tracker says"
        yield Finding(name, Level.WARN, detail, fix)
