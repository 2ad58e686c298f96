"""What is in the guest image, asked of the image itself."""

import json
from typing import Any

import pytest
from docker import DockerClient

from sandbox.docker.guest_files import GUEST_FILES, GUEST_HOME, GUEST_VERSION, PRELOAD_FILE
from sandbox.docker.images import ImagePin
from tests.support import docker_engine

DEFAULT_PACKAGES = {"numpy", "pandas", "python-dateutil", "pydantic", "beautifulsoup4", "openpyxl", "matplotlib"}
LOOK = """
import importlib.util, json, os, pathlib, subprocess, sys
def find(*arguments):
    return subprocess.run(["find", "/", "-xdev", *arguments], capture_output=True, text=True).stdout.split()
home = pathlib.Path(sys.argv[1])
print(json.dumps({
    "uid": os.getuid(),
    "version": list(sys.version_info[:2]),
    "set_id": find("-perm", "/6000"),
    "writable": find("-writable", "-not", "-type", "l", "-not", "-path", "/dev*", "-not", "-path", "/proc*"),
    "certificates_of_the_builder": find("-name", "extra-ca*"),
    "pip": importlib.util.find_spec("pip") is not None,
    "guest": sorted(str(path.relative_to(home)) for path in home.rglob("*.py")),
    "preload": json.loads(pathlib.Path(sys.argv[2]).read_text())["modules"],
}))
"""


def run_in(client: DockerClient, image: str, code: str, *arguments: str) -> Any:
    output = client.containers.run(
        image, entrypoint=["python3", "-I", "-c", code], command=list(arguments), network_mode="none", remove=True
    )
    return json.loads(output)


@pytest.fixture(scope="module")
def inside(client: DockerClient, pin: ImagePin) -> dict[str, Any]:
    found: dict[str, Any] = run_in(client, pin.id, LOOK, GUEST_HOME, PRELOAD_FILE)
    return found


def test_python_is_311_and_its_user_is_nobody_else(inside: dict[str, Any]) -> None:
    assert inside["version"] == [3, 11]
    assert inside["uid"] == 10002


def test_no_file_is_set_id(inside: dict[str, Any]) -> None:
    assert inside["set_id"] == []


def test_only_scratch_directories_can_be_written(inside: dict[str, Any]) -> None:
    assert set(inside["writable"]) <= {"/tmp", "/var/tmp", "/run/lock"}  # noqa: S108 - the image's own


def test_nothing_of_the_build_is_left(inside: dict[str, Any]) -> None:
    assert inside["certificates_of_the_builder"] == []
    assert inside["pip"] is False


def test_guest_is_this_releases(inside: dict[str, Any], pin: ImagePin) -> None:
    assert inside["guest"] == sorted(GUEST_FILES)
    assert pin.guest_version == GUEST_VERSION


def test_label_lists_the_packages_with_their_versions(pin: ImagePin) -> None:
    assert set(pin.packages) >= DEFAULT_PACKAGES
    assert all(version[0].isdigit() for version in pin.packages.values())


def test_modules_to_import_ahead_are_listed(inside: dict[str, Any]) -> None:
    assert set(inside["preload"]) >= {"numpy", "pandas", "dateutil", "pydantic", "bs4", "openpyxl", "matplotlib.pyplot"}


def test_settings_of_the_build_are_not_in_its_environment(client: DockerClient, pin: ImagePin) -> None:
    environment = " ".join(client.images.get(pin.id).attrs["Config"]["Env"])

    assert "CERT" not in environment
    assert "PIP_" not in environment


def test_built_again_it_is_the_same_image(client: DockerClient, pin: ImagePin) -> None:
    assert docker_engine.build_guest_image(client).id == pin.id
