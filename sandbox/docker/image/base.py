"""What the guest image is built on: Python's own image where a registry answers, else Debian's packages."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from docker import DockerClient
from docker.errors import APIError, ImageNotFound
from requests.exceptions import ReadTimeout

from sandbox.errors import ImageBuildError

Say = Callable[[str], None]

REGISTRY_BASE = "python:3.11-slim-bookworm"
DEBIAN_BASE = "glovebox-base:bookworm"
DEBIAN_PACKAGES = "python3,python3-venv,ca-certificates"
INSTALL_S_MAX = 300
ROOTFS_S_MAX = 900
SHOWN_CHARS_MAX = 2000


def find_base(client: DockerClient, say: Say) -> str:
    """The name of a base that the engine has when this returns; the second time, nothing is fetched.

    Args:
        client: the engine that will build on it.
        say: gets one line for each thing that takes long.

    Raises:
        ImageBuildError: there is none, and none can be made here.
        docker.errors.DockerException, requests.exceptions.RequestException: the engine does not answer.
    """
    for name in (REGISTRY_BASE, DEBIAN_BASE):
        if _has(client, name):
            return name
    say(f"asking the registry for {REGISTRY_BASE}")
    try:
        client.images.pull(REGISTRY_BASE)
    except (APIError, ReadTimeout):
        say("no registry answers: making a base from Debian's packages")
        _import_debian(client, say)
        return DEBIAN_BASE
    return REGISTRY_BASE


def _has(client: DockerClient, name: str) -> bool:
    try:
        client.images.get(name)
    except ImageNotFound:
        return False
    return True


def _import_debian(client: DockerClient, say: Say) -> None:
    _require_debootstrap(say)
    with tempfile.TemporaryDirectory(prefix="glovebox-base-") as scratch:
        root, archive = Path(scratch, "root"), Path(scratch, "root.tar")
        options = ("--variant=minbase", f"--include={DEBIAN_PACKAGES}")
        _succeed(["debootstrap", *options, "bookworm", str(root)], ROOTFS_S_MAX)
        _succeed(["tar", "-C", str(root), "-cf", str(archive), "."], INSTALL_S_MAX)
        repository, tag = DEBIAN_BASE.split(":")
        client.api.import_image_from_file(str(archive), repository=repository, tag=tag)


def _require_debootstrap(say: Say) -> None:
    if os.geteuid() != 0:
        raise ImageBuildError("a base from Debian's packages can be made as root only: become root, or give --base")
    if shutil.which("debootstrap"):
        return
    if not shutil.which("apt-get"):
        raise ImageBuildError("a base from Debian's packages needs debootstrap: install it, or give --base")
    say("installing Debian's package debootstrap")
    _succeed(["apt-get", "update", "-qq"], INSTALL_S_MAX)
    _succeed(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "debootstrap"], INSTALL_S_MAX)


def _succeed(command: list[str], seconds_max: float) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - the commands of this module, no text of others
            command, capture_output=True, text=True, timeout=seconds_max, check=False
        )
    except subprocess.TimeoutExpired as exc:
        raise ImageBuildError(f"`{command[0]}` did not end within {seconds_max:.0f} s") from exc
    if done.returncode:
        said = (done.stderr or done.stdout)[-SHOWN_CHARS_MAX:].strip()
        raise ImageBuildError(f"`{command[0]}` failed: {said}")
