"""The image is pinned by its digest, is this release's, and is never pulled."""

import io
from collections.abc import Iterator

import pytest
from docker import DockerClient

from sandbox.docker.images import GUEST_LABEL, ImagePin, find_image
from sandbox.errors import ImageUnfitError, TierUnavailableError
from tests.support.docker_engine import TAG

OTHER = "glovebox-guest:test-other"


@pytest.fixture
def labelled(client: DockerClient, pin: ImagePin) -> Iterator[str]:
    """The id of an image that is like the guest image, and says it has another guest."""
    dockerfile = f'FROM {pin.id}\nLABEL {GUEST_LABEL}="0000000000000000"\n'
    image, _ = client.images.build(fileobj=io.BytesIO(dockerfile.encode()), tag=OTHER, rm=True)
    yield str(image.id)
    client.images.remove(OTHER, force=True)


@pytest.mark.parametrize("form", ["{tag}", "{id}", "{hex}"])
def test_name_and_digest_mean_the_same_image(client: DockerClient, pin: ImagePin, form: str) -> None:
    name = form.format(tag=TAG, id=pin.id, hex=pin.id.removeprefix("sha256:"))

    assert find_image(client, name) == pin


@pytest.mark.parametrize(
    "name", ["glovebox-guest:no-such-tag", "no-such-image", "sha256:" + "0" * 64, "0" * 64, "A b", "../x", ""]
)
def test_an_image_that_is_not_there_is_refused_with_what_to_run(client: DockerClient, name: str) -> None:
    with pytest.raises(ImageUnfitError, match="glovebox image build") as refused:
        find_image(client, name)

    assert isinstance(refused.value, TierUnavailableError)
    assert name in refused.value.missing[0]


def test_an_image_with_another_guest_is_refused_with_what_to_run(client: DockerClient, labelled: str) -> None:
    with pytest.raises(ImageUnfitError, match=r"has guest 0000000000000000.*glovebox image build"):
        find_image(client, OTHER)
    with pytest.raises(ImageUnfitError):
        find_image(client, labelled)


def test_an_image_without_a_guest_is_refused(client: DockerClient, pin: ImagePin) -> None:
    plain = client.images.get(pin.id).history()[-1]["Id"]

    assert plain  # the base that the guest image stands on
    with pytest.raises(ImageUnfitError, match="no guest image"):
        find_image(client, plain)


def test_a_name_that_moved_on_leaves_the_pin_where_it_was(client: DockerClient, pin: ImagePin, labelled: str) -> None:
    client.images.get(pin.id).tag(OTHER)
    first = find_image(client, OTHER)

    client.images.get(labelled).tag(OTHER)

    assert find_image(client, first.id) == pin
    with pytest.raises(ImageUnfitError):
        find_image(client, OTHER)
