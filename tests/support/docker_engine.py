"""The Docker engine that tests run on, and the guest image on it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import pytest
from docker import DockerClient

from sandbox.docker.engine_facts import open_client
from sandbox.docker.image.build import SILENCE_S_MAX, ImageRecipe, build_image
from sandbox.docker.images import ImagePin, find_image
from sandbox.errors import ImageUnfitError, TierUnavailableError

TAG = "glovebox-guest:test"
_built: dict[str, ImagePin] = {}


def engine_url() -> str | None:
    return os.environ.get("DOCKER_HOST")  # noqa: TID251 - which engine the machine has


@contextmanager
def engine() -> Iterator[DockerClient]:
    """A client of the engine. Where none answers the test is skipped, or in CI fails."""
    try:
        client = open_client(engine_url(), SILENCE_S_MAX)
    except TierUnavailableError as exc:
        if os.environ.get("CI"):  # noqa: TID251 - whether a test may skip is not a setting of the product
            pytest.fail(f"CI has no Docker engine: {exc}")
        pytest.skip("no Docker engine answers")
    try:
        yield client
    finally:
        client.close()


def require_runtime(client: DockerClient, name: str) -> None:
    """Skip the test, or in CI fail it, where the engine does not list a runtime."""
    if name in client.info()["Runtimes"]:
        return
    if os.environ.get("CI"):  # noqa: TID251 - whether a test may skip is not a setting of the product
        pytest.fail(f"CI's engine has no runtime {name}")
    pytest.skip(f"the engine has no runtime {name}")


def ca_bundle() -> bytes:
    """The CA certificates that this machine needs besides the usual ones."""
    path = os.environ.get("PIP_CERT") or os.environ.get("SSL_CERT_FILE")  # noqa: TID251 - the machine's own
    return Path(path).read_bytes() if path else b""


def guest_image(client: DockerClient) -> ImagePin:
    """The image of this tree's guest, `TAG`, built once; seconds where `make image` has been before."""
    if _built.get(TAG) == (pin := _found(client)) and pin is not None:
        return pin
    _built[TAG] = build_guest_image(client)
    return _built[TAG]


def build_guest_image(client: DockerClient) -> ImagePin:
    """The same, built now."""
    return build_image(client, ImageRecipe(version("glovebox"), ca_bundle=ca_bundle(), tag=TAG), lambda _: None)


def _found(client: DockerClient) -> ImagePin | None:
    try:
        return find_image(client, TAG)
    except ImageUnfitError:
        return None
