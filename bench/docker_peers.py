"""What others take for the same program on the same image: `docker run`, `docker exec`, llm-sandbox in a session."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench.bare_start import Yardstick
from bench.one_by_one import PROGRAM, measure_calls, output_of, session, timed
from bench.samples import Row
from server.settings import Settings

USUAL_HOST = "unix:///var/run/docker.sock"
SLEEP = ["sleep", "3600"]
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


def measure_docker_peers(settings: Settings, count: int, scratch: Path, yardstick: Yardstick) -> Iterator[Row]:
    """One row for each peer that runs containers.

    Raises:
        FileNotFoundError: there is no `docker` command, whose speed is asked for.
        subprocess.SubprocessError: the engine refused, or llm-sandbox cannot be installed.
    """
    host, image = settings.docker_host or USUAL_HOST, settings.docker_image
    docker = ["docker", "--host", host]
    closed = ["--network", "none", "--entrypoint"]
    run = [*docker, "run", "--rm", *closed, "python3", image, "-I", "-c", PROGRAM]
    yield measure_calls("docker-run", "docker run", partial(timed, run), count, yardstick)
    container = output_of([*docker, "run", "--detach", *closed, SLEEP[0], image, *SLEEP[1:]])
    try:
        execute = [*docker, "exec", container, "python3", "-I", "-c", PROGRAM]
        yield measure_calls("docker-exec", "docker exec", partial(timed, execute), count, yardstick)
    finally:
        output_of([*docker, "rm", "--force", container])
    home = scratch / "llm-sandbox"
    with session("llm-sandbox[docker]", home, SESSION, host, image, PROGRAM, json.dumps(SLEEP)) as (version, call):
        yield measure_calls("llm-sandbox", f"llm-sandbox {version}, open session", call, count, yardstick)
