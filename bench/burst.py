"""A hundred users' first calls on the docker tier at once, with few containers ready."""

import time
from pathlib import Path

from bench.http_calls import Server, load_of
from bench.load import run_load
from bench.samples import Row, summarise
from sandbox.types import Tier
from server.settings import Settings

USERS = 100
POOL = 8
RUN_WAIT_MS_MAX = 60_000
ANSWERED_S_MAX = 90.0
FILL_S = 10.0  # no client can see how full the pool is; one that is not only makes the figure worse


def burst_settings(settings: Settings, data_dir: Path) -> Settings:
    """Those of a server that lets calls wait longer than it does by itself."""
    changes = {
        "data_dir": data_dir,
        "tiers": (Tier.DOCKER,),
        "docker_pool_size": POOL,
        "run_wait_ms_max": RUN_WAIT_MS_MAX,
    }
    return settings.model_copy(update=changes)


def measure_burst(server: Server) -> Row:
    """All calls at once, each over its own connection, the pool being full."""
    users = [server.add_user(Tier.DOCKER) for _ in range(USERS)]
    time.sleep(FILL_S)
    load = run_load(load_of(server, [user.request for user in users], ANSWERED_S_MAX, calls_each=1))
    return summarise(
        "burst/docker",
        f"docker, {USERS} users' first calls at once",
        load.durations_s,
        failed=load.failed,
        elapsed_s=load.elapsed_s,
    )
