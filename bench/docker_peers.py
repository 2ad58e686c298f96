"""What others take for the same program on the same image: `docker run`, `docker exec`, llm-sandbox in a session."""

import json
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.bare_start import bare_start
from bench.samples import Row, summarise
from bench.tiers import HELLO
from server.settings import Settings

PROGRAM = f'{HELLO}\nimport json\nprint(json.dumps(run({{"name": "World"}})))\n'
ANSWER = '{"hello": "World"}'
USUAL_HOST = "unix:///var/run/docker.sock"
CALL_S_MAX = 120
INSTALL_S_MAX = 300
WARM_UP = 3
SLEEP = ["sleep", "3600"]
# Runs in an environment of its own. Says its version; then one line in is one run, whose seconds and print come out.
SESSION = """
import json, sys, time
from importlib.metadata import version
import docker
from llm_sandbox import SandboxSession
client = docker.DockerClient(base_url=sys.argv[1], timeout=120)
container = {"entrypoint": json.loads(sys.argv[4]), "user": "10002", "network_mode": "none"}
with SandboxSession(
    lang="python", image=sys.argv[2], client=client, workdir="/tmp", skip_environment_setup=True,
    runtime_configs=container, keep_template=True,
) as session:
    print(json.dumps(version("llm-sandbox")), flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        done = session.run(sys.argv[3])
        print(json.dumps([time.perf_counter() - started, done.stdout]), flush=True)
"""


def measure_peers(settings: Settings, count: int, scratch: Path) -> Iterator[tuple[Row, list[float]]]:
    """One row for each peer, and the bare starts interleaved with it.

    Raises:
        FileNotFoundError: there is no `docker` command, whose speed is asked for.
        subprocess.SubprocessError: the engine refused, or llm-sandbox cannot be installed.
    """
    host, image = settings.docker_host or USUAL_HOST, settings.docker_image
    docker = ["docker", "--host", host]
    closed = ["--network", "none", "--entrypoint"]
    run = [*docker, "run", "--rm", *closed, "python3", image, "-I", "-c", PROGRAM]
    yield _measure("docker run", lambda: _timed(run), count)
    container = _output([*docker, "run", "--detach", *closed, SLEEP[0], image, *SLEEP[1:]])
    try:
        execute = [*docker, "exec", container, "python3", "-I", "-c", PROGRAM]
        yield _measure("docker exec", lambda: _timed(execute), count)
    finally:
        _output([*docker, "rm", "--force", container])
    with _llm_sandbox(host, image, scratch) as (version, session):
        yield _measure(f"llm-sandbox {version}, open session", session, count)


def _measure(name: str, call: Callable[[], tuple[float, str]], count: int) -> tuple[Row, list[float]]:
    durations, starts, failed = [], [], 0
    for index in range(WARM_UP + count):
        elapsed, answer = call()
        if index >= WARM_UP:
            durations.append(elapsed)
            failed += answer.strip() != ANSWER
            starts.append(bare_start())
    return summarise(name, durations, failed=failed), starts


def _timed(command: list[str]) -> tuple[float, str]:
    started = time.perf_counter()
    answer = _output(command)
    return time.perf_counter() - started, answer


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=CALL_S_MAX, check=True).stdout.strip()


@contextmanager
def _llm_sandbox(host: str, image: str, scratch: Path) -> Iterator[tuple[str, Callable[[], tuple[float, str]]]]:
    """Its version and its session, in a process and an environment of its own: nothing of it gets into this one."""
    home = scratch / "llm-sandbox"
    venv.create(home, with_pip=True)
    install = [str(home / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", "llm-sandbox[docker]"]
    subprocess.run(install, timeout=INSTALL_S_MAX, check=True, stdout=sys.stderr)
    command = [str(home / "bin/python"), "-c", SESSION, host, image, PROGRAM, json.dumps(SLEEP)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None  # noqa: S101 - a pipe was asked for
        assert process.stdout is not None  # noqa: S101 - as above
        to_session, from_session = process.stdin, process.stdout

        def call() -> tuple[float, str]:
            to_session.write("\n")
            to_session.flush()
            elapsed, answer = json.loads(from_session.readline())
            return float(elapsed), str(answer)

        yield str(json.loads(from_session.readline())), call
        to_session.close()
        process.wait(CALL_S_MAX)
