"""What `glovebox doctor` says of busy runs: whether this process can put them behind everybody else's."""

import os

from sandbox.docker.weight import may_lower
from sandbox.restricted.idle_group import IdleGroup
from sandbox.types import Tier
from server.cli.findings import Finding, Level
from server.settings import Settings

CHECK = "fairness"
_FIX = "run the server, or a sandbox host, as root, with the control groups of the cpu controller writable"


def check_fairness(settings: Settings) -> Finding:
    """Whether busy runs of every tier that is offered give way to all others. A group is made for a moment."""
    lacks = []
    if not _makes_groups():
        if Tier.MONTY in settings.tiers:
            lacks.append("busy runs of monty do not give way")
        if Tier.RESTRICTED in settings.tiers:
            lacks.append("busy runs of restricted give way to this server's own processes at most")
    if Tier.DOCKER in settings.tiers and not may_lower():
        lacks.append("busy containers do not give way")
    if lacks:
        return Finding(CHECK, Level.WARN, "; ".join(lacks), _FIX)
    return Finding(CHECK, Level.OK, "busy runs give way to everything else")


def _makes_groups() -> bool:
    group = IdleGroup.create(f"doctor-{os.getpid()}", None)
    if group is None:
        return False
    group.remove()
    return True
