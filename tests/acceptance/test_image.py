"""The server's own image on a real engine, under the engine's defaults: it builds, serves, and has its wall."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from tests.acceptance.shell import ROOT

TAG = "glovebox:test"
BUILD_S_MAX = 900
HEALTHY_S_MAX = 120
STATE = "{{.State.Status}} {{.State.Health.Status}}"
# The engine of a test machine may have no network of its own: everything is asked from inside the container.
WALK = """
import json, subprocess, sys, urllib.request
user = sys.argv[1]
token = subprocess.check_output(["glovebox", "token", "--user", user], text=True).strip()
def call(path, body=None):
    headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request("http://127.0.0.1:8000" + path, data, headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.headers, json.load(answer)
call("/agents", {"agent_name": "hello", "code": "def run(inputs):\\n    return {'hello': inputs['name']}"})
headers, answer = call(f"/agents/{user}/hello?name=World")
_, run = call("/runs/" + headers["Glovebox-Run-Id"])
print(json.dumps({"answer": answer, "wall": run["wall"]}))
"""


def docker(*arguments: str, timeout: float = 60, stdin: str | None = None) -> str:
    done = subprocess.run(["docker", *arguments], input=stdin, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def require_engine() -> None:
    if shutil.which("docker") and subprocess.run(["docker", "info"], capture_output=True, timeout=30).returncode == 0:
        return
    if os.environ.get("CI"):  # noqa: TID251 - whether a test may skip is not a setting of the product
        pytest.fail("CI has no Docker engine")
    pytest.skip("no Docker engine answers")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    require_engine()
    base = os.environ.get("GLOVEBOX_TEST_BASE_IMAGE")  # noqa: TID251 - which base the machine has
    bundle = os.environ.get("SSL_CERT_FILE")  # noqa: TID251 - where the machine keeps its own CA
    context = tmp_path_factory.mktemp("context") / "glovebox"
    context.mkdir()
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.check_output(listed, cwd=ROOT, text=True).splitlines():
        if (ROOT / name).is_file():
            (context / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, context / name)
    if bundle:
        shutil.copy(bundle, context / "extra-ca.crt")
    choice = ["--build-arg", f"BASE={base}"] if base else []
    docker("build", "--quiet", "--network", "host", *choice, "--tag", TAG, str(context), timeout=BUILD_S_MAX)
    return TAG


@contextmanager
def healthy_container(image: str) -> Iterator[str]:
    started = docker("run", "--detach", "--network", "none", image)
    try:
        deadline = time.monotonic() + HEALTHY_S_MAX
        while (state := docker("inspect", "--format", STATE, started)) != "running healthy":
            assert state.startswith("running"), docker("logs", started)
            assert time.monotonic() < deadline, docker("logs", started)
            time.sleep(0.5)
        yield started
    finally:
        docker("rm", "--force", "--volumes", started)


@pytest.fixture(scope="module")
def container(image: str) -> Iterator[str]:
    with healthy_container(image) as started:
        yield started


def test_agent_runs_behind_at_least_the_minimum_wall(container: str) -> None:
    answered = json.loads(docker("exec", "-i", container, "python", "-", str(uuid4()), stdin=WALK))

    assert answered["answer"] == {"hello": "World"}
    assert answered["wall"] in ("minimum", "full")


def test_doctor_says_what_the_container_lacks(container: str) -> None:
    findings = json.loads(docker("exec", container, "glovebox", "doctor", "--json"))

    assert "wall" in json.dumps(findings)


def test_server_is_not_root_and_needs_no_capability(container: str) -> None:
    assert docker("exec", container, "id", "-u") == "10001"
    assert "0000000000000000" in docker("exec", container, "grep", "CapEff", "/proc/1/status")


def test_image_holds_no_build_tools_tests_or_ca_bundle_of_the_builder(container: str) -> None:
    listing = docker("exec", container, "sh", "-c", "ls / /build /opt /opt/glovebox/bin 2>&1 || true")

    assert "extra-ca.crt" not in listing
    assert "/build: No such file" in listing or "'/build': No such file" in listing
    assert "hatchling" not in listing


def test_server_stops_in_good_order(image: str) -> None:
    with healthy_container(image) as started:
        docker("stop", "--time", "30", started)

        assert docker("inspect", "--format", "{{.State.ExitCode}}", started) == "0"


def test_context_sends_nothing_that_is_not_needed() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()

    assert ignored[0] == "*"
    assert not any(Path(line.removeprefix("!")).name.startswith(".env") for line in ignored)
