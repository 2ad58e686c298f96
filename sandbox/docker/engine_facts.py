"""What a Docker engine says of itself that decides how good a wall its containers are."""

import socket
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from docker import DockerClient
from docker.errors import DockerException
from requests.exceptions import RequestException

from sandbox.docker.images import ImagePin, find_image
from sandbox.errors import ImageUnfitError, TierUnavailableError

ANSWER_S_MAX = 10
USUAL_URL = "unix:///var/run/docker.sock"


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """One engine as it answered.

    Attributes:
        version: the engine's.
        runc: the version of runc, None where the engine has none.
        cgroup_version: 1 or 2.
        runtimes: names that a container may ask for.
        missing_pieces: what containers of this engine cannot have and the wall needs, in words for an operator.
        image: the guest image, None where `image_fault` says why there is none to use.
    """

    version: str
    runc: str | None
    cgroup_version: int
    runtimes: frozenset[str]
    missing_pieces: tuple[str, ...]
    image: ImagePin | None
    image_fault: str | None = None


# What `GET /info` calls the limits that a run of the docker tier needs.
_LIMITS = {
    "MemoryLimit": "memory",
    "SwapLimit": "memory without swap",
    "PidsLimit": "processes",
    "CpuCfsQuota": "processor time",
}


def read_engine(engine_url: str | None, image: str) -> EngineFacts:
    """Ask the engine; takes at most some `ANSWER_S_MAX` seconds.

    Args:
        engine_url: as `DOCKER_HOST` has it; None is the usual socket.
        image: name or digest of the guest image.

    Raises:
        TierUnavailableError: no engine answers.
    """
    try:
        with closing(open_client(engine_url, ANSWER_S_MAX)) as client:
            version, info = client.version(), client.info()
            try:
                pin, fault = find_image(client, image), None
            except ImageUnfitError as exc:
                pin, fault = None, "; ".join(exc.missing)
    except (DockerException, RequestException) as exc:
        raise _absent(engine_url) from exc
    return _facts(version, info, pin, fault)


def missing_pieces(info: Mapping[str, Any]) -> tuple[str, ...]:
    """What keeps containers of an engine below the minimum wall, in words for an operator; empty when nothing does.

    An engine that cannot enforce a limit makes the container all the same, without it.

    Args:
        info: what the engine's `GET /info` says.
    """
    missing = [f"the engine cannot limit {word}" for name, word in _LIMITS.items() if not info.get(name)]
    if not any("name=seccomp" in option for option in info.get("SecurityOptions") or ()):
        missing.append("the engine cannot filter system calls (seccomp)")
    return tuple(missing)


def open_client(engine_url: str | None, timeout_s: int) -> DockerClient:
    """A client of the engine, for the caller to close; each of its requests may take this long.

    Raises:
        TierUnavailableError: no engine answers.
    """
    try:
        _knock(engine_url or USUAL_URL)
        return DockerClient(base_url=engine_url, timeout=timeout_s)
    except (DockerException, RequestException, OSError) as exc:
        raise _absent(engine_url) from exc


def _absent(engine_url: str | None) -> TierUnavailableError:
    return TierUnavailableError("docker", (f"no Docker engine answers at {engine_url or USUAL_URL}",))


def _knock(engine_url: str) -> None:
    """Raise OSError where nobody listens on a Unix socket: the client library would leave its own one open then."""
    scheme, _, path = engine_url.partition("://")
    if scheme == "unix":
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.settimeout(ANSWER_S_MAX)
            knocking.connect(path)


def _facts(version: Mapping[str, Any], info: Mapping[str, Any], pin: ImagePin | None, fault: str | None) -> EngineFacts:
    components = {str(part.get("Name")): str(part.get("Version")) for part in version.get("Components", ())}
    return EngineFacts(
        version=str(version.get("Version", "unknown")),
        runc=components.get("runc"),
        cgroup_version=int(info.get("CgroupVersion", 1)),
        runtimes=frozenset(info.get("Runtimes", ())),
        missing_pieces=missing_pieces(info),
        image=pin,
        image_fault=fault,
    )
