"""Which image the docker tier runs: found on the engine, checked against this release, pinned. Never pulled."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from docker import DockerClient
from docker.errors import APIError, NullResource

from sandbox.docker.guest_files import GUEST_VERSION
from sandbox.errors import ImageUnfitError

GUEST_LABEL = "glovebox.guest"
VERSION_LABEL = "glovebox.version"
PACKAGES_LABEL = "glovebox.packages"
DEFAULT_IMAGE = "glovebox-guest:latest"
HOW_TO_BUILD = "run `glovebox image build`"

_DIGEST = re.compile(r"(?:sha256:)?[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ImagePin:
    """One image as the engine has it.

    `id` is its digest, `sha256:` and 64 hex digits; containers are made from that, so that a name that moves on changes
    nothing. `packages` maps each installed distribution to its version.
    """

    id: str
    guest_version: str
    glovebox_version: str
    packages: Mapping[str, str]


def is_digest(name: str) -> bool:
    """Whether this is the id of one image, not a name that can move on."""
    return _DIGEST.fullmatch(name) is not None


def find_image(client: DockerClient, name: str) -> ImagePin:
    """Pin the image that `name` means on this engine now.

    Args:
        client: the engine that will run it.
        name: a name with or without a tag, or a digest (`sha256:` and 64 hex digits), which pins by itself.

    Raises:
        ImageUnfitError: the engine has no such image, or its guest is not this release's.
        docker.errors.DockerException, requests.exceptions.RequestException: the engine does not answer.
    """
    wanted = f"sha256:{name.removeprefix('sha256:')}" if is_digest(name) else name
    try:
        image = client.images.get(wanted)
    except (APIError, NullResource) as exc:
        if isinstance(exc, APIError) and not exc.is_client_error():
            raise
        raise ImageUnfitError(f"the engine has no image {name!r}, which is never pulled: {HOW_TO_BUILD}") from exc
    labels = image.labels
    if (version := labels.get(GUEST_LABEL)) is None:
        raise ImageUnfitError(f"the image {name!r} is no guest image: {HOW_TO_BUILD}")
    if version != GUEST_VERSION:
        raise ImageUnfitError(
            f"the image {name!r} has guest {version}, this release needs {GUEST_VERSION}: {HOW_TO_BUILD}"
        )
    return ImagePin(str(image.id), version, labels.get(VERSION_LABEL, "unknown"), _packages(labels))


def _packages(labels: Mapping[str, str]) -> Mapping[str, str]:
    """What the label lists; nothing where it is missing or unreadable, because nothing depends on it."""
    try:
        listed = json.loads(labels.get(PACKAGES_LABEL, "{}"))
    except json.JSONDecodeError:
        return {}
    return {str(name): str(version) for name, version in listed.items()} if isinstance(listed, dict) else {}
