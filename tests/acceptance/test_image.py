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

from sandbox.docker.engine_facts import USUAL_URL
from tests.acceptance.running import Json
from tests.acceptance.shell import ROOT
from tests.support import docker_engine

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
call("/agents", json.loads(sys.argv[2]))
headers, answer = call(f"/agents/{user}/hello?name=World")
_, run = call("/runs/" + headers["Glovebox-Run-Id"])
print(json.dumps({"answer": answer, "wall": run["wall"]}))
"""
GREETING = {"agent_name": "hello", "code": "def run(inputs):\n    return {'hello': inputs['name']}"}


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


def walk(container: str, agent: Json) -> Json:
    """What the agent answers, and the wall that its run had."""
    told: Json = json.loads(docker("exec", "-i", container, "python", "-", str(uuid4()), json.dumps(agent), stdin=WALK))
    return told


@contextmanager
def healthy_container(image: str, *options: str) -> Iterator[str]:
    started = docker("run", "--detach", "--network", "none", *options, image)
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
    answered = walk(container, GREETING)

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


# As compose.yaml has them: the server without the engine's socket, and the host without a network.
HARDENED = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges:true")  # noqa: S108
SOCKET = "/run/glovebox/sandbox.sock"
SUMMING = {
    "agent_name": "hello",
    "code": "import numpy\ndef run(inputs):\n    return [inputs['name'], int(numpy.arange(4).sum())]",
    "tier": "docker",
}


@contextmanager
def sandbox_host(image: str, volume: str) -> Iterator[str]:
    engine_socket = Path((docker_engine.engine_url() or USUAL_URL).removeprefix("unix://"))
    started = docker(
        *("run", "--detach", "--network", "none", *HARDENED, "--volume", f"{volume}:/run/glovebox"),
        *("--volume", f"{engine_socket}:/var/run/docker.sock", "--volume", "/sys/fs/cgroup:/sys/fs/cgroup:ro"),
        *("--group-add", str(engine_socket.stat().st_gid), "--env", f"GLOVEBOX_SANDBOX_SOCKET={SOCKET}"),
        *("--env", f"GLOVEBOX_DOCKER_IMAGE={docker_engine.TAG}", "--env", "GLOVEBOX_DOCKER_POOL_SIZE=1"),
        *(image, "sandbox-host"),
    )
    try:
        yield started
        docker("stop", "--time", "30", started)
    finally:
        docker("rm", "--force", started)


def test_server_runs_containers_through_a_sandbox_host_and_sees_no_engine(image: str) -> None:
    with docker_engine.engine() as client:
        docker_engine.guest_image(client)
    volume = docker("volume", "create")
    try:
        with (
            sandbox_host(image, volume) as host,
            healthy_container(
                image, "--volume", f"{volume}:/run/glovebox", "--env", f"GLOVEBOX_SANDBOX_SOCKET={SOCKET}"
            ) as server,
        ):
            answered = walk(server, SUMMING)
            inside = docker("exec", server, "sh", "-c", "ls /var/run /run; id -G")
            told = docker("logs", host)
        left = docker("ps", "--all", "--quiet", "--filter", f"volume={volume}")
    finally:
        docker("volume", "rm", volume)

    assert answered == {"answer": ["World", 6], "wall": "full"}
    assert "docker.sock" not in inside
    assert "listening" in told
    assert left == ""
