"""`glovebox image` and what `glovebox doctor` says of the engine, as a person meets them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import DockerClient

from sandbox.docker.guest_files import GUEST_VERSION
from sandbox.docker.image.build import OWN_FILES
from sandbox.docker.images import DEFAULT_IMAGE, find_image
from sandbox.errors import ImageUnfitError
from server.settings import Settings
from tests.acceptance.shell import Shell
from tests.support.docker_engine import engine_url

TAG = "glovebox-guest:test-command"
CA_BUNDLE = ("PIP_CERT", "SSL_CERT_FILE")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    kept = {name: value for name in CA_BUNDLE if (value := os.environ.get(name))}  # noqa: TID251 - the machine's own
    return Shell(tmp_path, {**kept, "DOCKER_HOST": engine_url() or "", "GLOVEBOX_DOCKER_IMAGE": TAG})


@pytest.fixture
def built(client: DockerClient) -> Iterator[str]:
    yield TAG
    client.images.remove(TAG)


@pytest.mark.usefixtures("pin")
def test_build_tags_as_the_server_is_set_and_tells_the_digest(client: DockerClient, shell: Shell, built: str) -> None:
    done = shell("image", "build", "--json")

    assert done.exit_code == 0, done.err
    assert done.object["tag"] == built
    assert done.object["id"] == find_image(client, built).id
    assert done.object["guest"] == GUEST_VERSION
    assert "pandas" in done.object["packages"]
    assert f"tagged {built}" in done.err


def test_base_is_told_by_a_name_that_the_engine_has(client: DockerClient, shell: Shell) -> None:
    done = shell("image", "base")

    assert done.exit_code == 0, done.err
    assert client.images.get(done.out.strip()).id is not None


def test_a_base_that_is_none_fails_with_the_engines_words(client: DockerClient, shell: Shell) -> None:
    done = shell("image", "build", "--base", "glovebox.invalid/none:1")

    assert done.exit_code == 1
    assert "glovebox.invalid" in done.err
    with pytest.raises(ImageUnfitError):
        find_image(client, TAG)


def test_requirements_that_are_no_file_are_wrong_usage(shell: Shell) -> None:
    assert shell("image", "build", "--requirements", "/no/such/file").exit_code == 2


def test_without_an_engine_it_says_what_to_do(shell: Shell, tmp_path: Path) -> None:
    done = shell.with_(DOCKER_HOST=f"unix://{tmp_path}/none.sock")("image", "build")

    assert done.exit_code == 1
    assert f"no Docker engine answers at unix://{tmp_path}/none.sock" in done.err
    assert "DOCKER_HOST" in done.err


@pytest.mark.usefixtures("client")
def test_doctor_names_an_image_that_is_missing_and_what_to_run(shell: Shell, tmp_path: Path) -> None:
    done = shell("doctor", "--json", "--data-dir", tmp_path / "data")

    (finding,) = [finding for finding in done.object["findings"] if finding["check"] == "tier docker"]
    assert finding["level"] == "warn"
    assert TAG in finding["detail"]
    assert finding["fix"] == "glovebox image build"


def test_what_the_build_needs_comes_with_the_package() -> None:
    folder = Path(__file__).resolve().parents[3] / "sandbox/docker/image"

    assert all((folder / name).is_file() for name in (*OWN_FILES, "requirements.txt"))
    assert Settings.model_fields["docker_image"].default == DEFAULT_IMAGE
