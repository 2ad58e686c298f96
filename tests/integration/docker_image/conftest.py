"""One engine and one guest image for every test of this folder."""

from collections.abc import Iterator

import pytest
from docker import DockerClient

from sandbox.docker.images import ImagePin
from tests.support import docker_engine


@pytest.fixture(scope="module")
def client() -> Iterator[DockerClient]:
    with docker_engine.engine() as opened:
        yield opened


@pytest.fixture(scope="module")
def pin(client: DockerClient) -> ImagePin:
    return docker_engine.guest_image(client)
