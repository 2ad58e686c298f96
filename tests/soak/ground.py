"""What a soak runs on: a PostgreSQL, an engine's containers and a server process of its own."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from docker import DockerClient

from tests.acceptance.processes import SERVE, Process, server_process
from tests.acceptance.running import open_directory
from tests.soak.load import AT_ONCE_MAX
from tests.soak.plan import Plan
from tests.soak.samples import Site, owner_of
from tests.support import docker_engine
from tests.support.database import Postmaster, bundled_binaries, database_from, make_template, running_postmaster

REPOSITORY, TAG = "glovebox-guest", "soak"


@dataclass
class Ground:
    """Everything that a soak runs on."""

    process: Process
    site: Site
    postmaster: Postmaster
    log: Path


@asynccontextmanager
async def ground_for(plan: Plan) -> AsyncIterator[Ground]:
    """`_ground_for` in a thread: what it starts with runs loops of its own."""
    with ExitStack() as stack:
        yield await asyncio.to_thread(stack.enter_context, _ground_for(plan))


@contextmanager
def _ground_for(plan: Plan) -> Iterator[Ground]:
    """A PostgreSQL and a server process of the soak's own, removed afterwards."""
    with ExitStack() as stack:
        engine = stack.enter_context(docker_engine.engine()) if plan.docker else None
        if engine is not None:
            _keep_image(engine)
        home = stack.enter_context(open_directory())
        scratch = home / "scratch"
        scratch.mkdir()
        scratch.chmod(0o1777)
        postmaster = stack.enter_context(running_postmaster(bundled_binaries(), durable=True))
        template = make_template(postmaster.cluster)
        database = stack.enter_context(database_from(postmaster.cluster, template))
        log = home / "log"
        command = (*SERVE, "--data-dir", str(home / "data"))
        process = stack.enter_context(server_process(database, home, *command, log=log, **_variables(plan, scratch)))
        site = Site(process.popen.pid, database, scratch, engine, owner_of(database))
        yield Ground(process, site, postmaster, log)


def _keep_image(engine: DockerClient) -> None:
    """Name this tree's image for the soak alone: whoever builds another one meanwhile does not change this one's."""
    engine.images.get(docker_engine.guest_image(engine).id).tag(REPOSITORY, TAG)


def _variables(plan: Plan, scratch: Path) -> dict[str, str]:
    tiers = ["monty", "restricted", *(["docker"] if plan.docker else [])]
    return {
        "GLOVEBOX_TIERS": json.dumps(tiers),
        "GLOVEBOX_DATABASE_POOL_MAX": "8",
        "GLOVEBOX_SANDBOX_POOL_SIZE": "4",
        "GLOVEBOX_DOCKER_IMAGE": f"{REPOSITORY}:{TAG}",
        "GLOVEBOX_USER_DRY_RUNS_PER_HOUR_MAX": "1000000",
        "GLOVEBOX_USER_RUNS_LIVE_MAX": str(AT_ONCE_MAX),
        "GLOVEBOX_USER_DRY_RUNS_LIVE_MAX": str(AT_ONCE_MAX),
        "GLOVEBOX_SHUTDOWN_GRACE_S": "10",
        "DOCKER_HOST": docker_engine.engine_url() or "",
        "TMPDIR": str(scratch),
    }
