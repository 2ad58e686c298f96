"""Building: what is asked for is what is built, and what fails says where."""

import io
from importlib.metadata import version

import pytest
from docker import DockerClient

from sandbox.docker.image.base import find_base
from sandbox.docker.image.build import ImageRecipe, build_image
from sandbox.docker.images import ImagePin
from sandbox.errors import ImageBuildError
from tests.support.docker_engine import ca_bundle

SMALL = "glovebox-guest:test-small"
OWN_BASE = "glovebox-base:test"


def recipe(requirements: bytes, base: str | None = None) -> ImageRecipe:
    return ImageRecipe(version("glovebox"), base, requirements, ca_bundle(), tag=SMALL)


def test_requirements_of_ones_own_replace_the_usual_ones(client: DockerClient, pin: ImagePin) -> None:
    said: list[str] = []

    small = build_image(client, recipe(b"# nothing at all\n"), said.append)

    assert small.packages == {}
    assert small.guest_version == pin.guest_version
    assert said[-1] == f"tagged {SMALL}"
    client.images.remove(SMALL)


def test_an_image_of_ones_own_can_be_the_base(client: DockerClient) -> None:
    base = find_base(client, lambda _: None)
    dockerfile = f"FROM {base}\nRUN touch /ours\nUSER nobody\n"
    client.images.build(fileobj=io.BytesIO(dockerfile.encode()), tag=OWN_BASE, rm=True)

    build_image(client, recipe(b"", base=OWN_BASE), lambda _: None)

    listed = client.containers.run(SMALL, entrypoint=["ls", "/ours"], network_mode="none", remove=True)
    assert listed.strip() == b"/ours"
    for tag in (SMALL, OWN_BASE):
        client.images.remove(tag)


def test_a_base_that_nobody_has_is_named(client: DockerClient) -> None:
    with pytest.raises(ImageBuildError, match=r"glovebox\.invalid"):
        build_image(client, recipe(b"", base="glovebox.invalid/no-such-base:1"), lambda _: None)


def test_a_requirement_that_cannot_be_read_fails_with_the_installers_words(client: DockerClient) -> None:
    with pytest.raises(ImageBuildError, match="numpy===!!"):
        build_image(client, recipe(b"numpy === !!\n"), lambda _: None)


@pytest.mark.parametrize("tag", ["", "UPPER", "a b", "-x", "name:", "x:y:z", "../x", "a" * 300, "sha256:" + "0" * 64])
def test_a_name_that_is_none_is_refused_before_anything_is_built(client: DockerClient, tag: str) -> None:
    with pytest.raises(ImageBuildError, match="no name of an image"):
        build_image(client, ImageRecipe("1", tag=tag), lambda _: None)
