"""Building the guest image: its context, made in memory, its labels, and what the finished image is checked for."""

import io
import json
import re
import tarfile
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from docker import DockerClient
from docker.errors import DockerException
from requests.exceptions import RequestException

from sandbox.docker.guest_files import ENTRYPOINT, GUEST_FILES, GUEST_VERSION, PRELOAD_FILE
from sandbox.docker.image.base import Say, find_base
from sandbox.docker.images import (
    DEFAULT_IMAGE,
    GUEST_LABEL,
    PACKAGES_LABEL,
    VERSION_LABEL,
    ImagePin,
    find_image,
    is_digest,
)
from sandbox.errors import ImageBuildError, TierUnavailableError

BUILD_S_MAX = 1800
SILENCE_S_MAX = 600
LOG_LINES_SHOWN_MAX = 30
OWN_FILES = ("Dockerfile", "survey.py")
# Prints what the survey found, as the image's own user, and fails where a set-id file was left.
INSPECT = """
import pathlib, subprocess, sys
found = subprocess.run(["find", "/", "-xdev", "-perm", "/6000", "-print"], capture_output=True, text=True).stdout
if found:
    sys.exit(f"files with set-id bits: {found}")
print(pathlib.Path(sys.argv[1]).read_text())
"""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_TAG = re.compile(r"(?:[a-z0-9.-]{1,253}:\d{1,5}/)?[a-z0-9][a-z0-9._/-]{0,127}(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?")


@dataclass(frozen=True, slots=True)
class ImageRecipe:
    """What goes into an image.

    Attributes:
        release: this release's version, a label of the image.
        base: an image with Python 3.11 and venv; None finds or makes one.
        requirements: a requirements file; None takes the one that comes with this release.
        ca_bundle: certificates in PEM that the package index needs besides the usual ones; not kept in the image.
        network: the network of the build's containers; None is the engine's bridge, or the host's where it has none.
        index: `PIP_INDEX_URL` and the like, for the build alone.
        tag: what the image is called.
    """

    release: str
    base: str | None = None
    requirements: bytes | None = None
    ca_bundle: bytes = b""
    network: str | None = None
    index: Mapping[str, str] = field(default_factory=dict)
    tag: str = DEFAULT_IMAGE


def build_image(client: DockerClient, recipe: ImageRecipe, say: Say) -> ImagePin:
    """Build, check and tag an image; takes minutes where nothing is cached.

    Args:
        client: the engine that builds it and then has it.
        recipe: what goes into it.
        say: gets each line of the build.

    Raises:
        ImageBuildError: no base, a step that failed, or a result that is not fit to run agents in.
        TierUnavailableError: the engine does not answer.
    """
    if not _TAG.fullmatch(recipe.tag) or is_digest(recipe.tag):
        raise ImageBuildError(f"{recipe.tag!r} is no name of an image: write name or name:tag")
    try:
        base = recipe.base or find_base(client, say)
        arguments = {**recipe.index, "BASE": base}
        network = recipe.network or _network(client)
        plain = _build(client, say, _tar(_context(recipe)), buildargs=arguments, network_mode=network)
        labels = {
            GUEST_LABEL: GUEST_VERSION,
            VERSION_LABEL: recipe.release,
            PACKAGES_LABEL: json.dumps(_inspect(client, plain)["packages"]),
        }
        _label(client, plain, labels, recipe.tag, say)
        return find_image(client, recipe.tag)
    except DockerException as exc:
        raise ImageBuildError(f"the engine refused: {exc}") from exc
    except RequestException as exc:
        raise TierUnavailableError("docker", (f"the Docker engine broke off: {type(exc).__name__}",)) from exc


def _context(recipe: ImageRecipe) -> Mapping[str, bytes]:
    own = files("sandbox.docker.image")
    members = {name: own.joinpath(name).read_bytes() for name in OWN_FILES}
    members["requirements.txt"] = own.joinpath("requirements.txt").read_bytes()
    if recipe.requirements is not None:
        members["requirements.txt"] = recipe.requirements
    members["extra-ca.crt"] = recipe.ca_bundle
    members |= {f"glovebox/{name}": path.read_bytes() for name, path in GUEST_FILES.items()}
    return members


def _tar(members: Mapping[str, bytes]) -> bytes:
    """An archive that is the same for the same files, so that the engine's cache holds."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _network(client: DockerClient) -> str | None:
    has_bridge = any(network.name == "bridge" for network in client.networks.list(names=["bridge"]))
    return None if has_bridge else "host"


def _build(client: DockerClient, say: Say, context: bytes, **options: Any) -> str:
    """The id of what the context makes."""
    said: deque[str] = deque(maxlen=LOG_LINES_SHOWN_MAX)
    image_id, errors = "", []
    for event in _events(client, context, **options):
        if "error" in event:
            errors.append(str(event["error"]))
        for line in str(event.get("stream", "")).splitlines():
            if text := _COLOUR.sub("", line).strip():
                said.append(text)
                say(text)
        image_id = event.get("aux", {}).get("ID", image_id)
    if errors or not image_id:
        reason = errors or ["the engine ended the build without saying what it built"]
        raise ImageBuildError("\n".join([*said, *reason]))
    return image_id


def _events(client: DockerClient, context: bytes, **options: Any) -> Iterator[Mapping[str, Any]]:
    """What the engine tells of one build, to its end: a connection that is left before that stays open."""
    deadline = time.monotonic() + BUILD_S_MAX
    told = client.api.build(
        fileobj=io.BytesIO(context),
        custom_context=True,
        rm=True,
        forcerm=True,
        decode=True,
        timeout=SILENCE_S_MAX,
        **options,
    )
    for event in told:
        if time.monotonic() > deadline:
            raise ImageBuildError(f"the build did not end within {BUILD_S_MAX} s")
        yield event


def _inspect(client: DockerClient, image_id: str) -> dict[str, Any]:
    """What the survey found, printed by the image itself, without a network and as its own user."""
    output = client.containers.run(
        image_id,
        entrypoint=["/opt/python/bin/python", "-I", "-c", INSPECT, PRELOAD_FILE],
        network_mode="none",
        cap_drop=["ALL"],
        read_only=True,
        remove=True,
    )
    found = json.loads(output)
    if not isinstance(found, dict):
        raise ImageBuildError("the image cannot say which packages it has")
    return found


def _label(client: DockerClient, image_id: str, labels: Mapping[str, str], tag: str, say: Say) -> None:
    dockerfile = f"FROM {image_id}\nENTRYPOINT {json.dumps(list(ENTRYPOINT))}\n"
    told = _events(client, _tar({"Dockerfile": dockerfile.encode()}), labels=dict(labels), tag=tag)
    if errors := [str(event["error"]) for event in told if "error" in event]:
        raise ImageBuildError("\n".join(errors))
    say(f"tagged {tag}")
