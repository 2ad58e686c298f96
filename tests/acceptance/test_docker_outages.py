"""What is left when a server is killed under its containers, and what goes on while the engine is away."""

import asyncio
import gc
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest
from docker import DockerClient

from agents_store.postgres.admin import audit_balances
from sandbox.docker.engine_facts import open_client
from sandbox.types import Tier
from tests.acceptance.docker_tier import LEASE_LABEL
from tests.acceptance.processes import GRANT_MICROCREDITS, Caller, Process, server_process
from tests.acceptance.running import (
    Json,
    RunningServer,
    User,
    client_for,
    eventually,
    reachable_directory,
    running,
    settings_for,
)
from tests.acceptance.shell import COMMAND_S_MAX
from tests.faults.load import all_runs
from tests.faults.matrix import NewRow, Row
from tests.support import docker_engine
from tests.support.database import Database
from tests.support.figures import Record

RUNS_EACH = 3  # as many containers as one user has for calls from outside
NAP_LIMITS = {"wall_ms_max": 120_000}
ORPHANS_S_MAX = 30
BACK_S_MAX = 10
ENGINE_START_S_MAX = 60
NAP = """
import time
def run(inputs):
    time.sleep(float(inputs["seconds"]))
    return {"slept": True}
"""
QUICK = "def run(inputs):\n    return 1"


@pytest.fixture
def engine() -> Iterator[DockerClient]:
    with docker_engine.engine() as client:
        docker_engine.guest_image(client)
        yield client


@pytest.fixture
def strangers_container(engine: DockerClient) -> Iterator[str]:
    """A container that carries the lease of a server of another database, which nobody here can judge."""
    made = engine.api.create_container(
        docker_engine.TAG, "sleep", labels={LEASE_LABEL: f"{'0' * 32}.{uuid4()}"}, entrypoint=["sleep"]
    )
    yield str(made["Id"])
    engine.api.remove_container(made["Id"], force=True)


def owner_of(database: Database) -> str:
    """How the leases of all servers of this database begin."""
    with psycopg.connect(database.login_url) as conn:
        (names,) = conn.execute("select glovebox.live_servers()").fetchone() or ([],)
    return str(names[0]).partition(".")[0]


def containers_of(engine: DockerClient, owner: str) -> set[str]:
    """The containers of all servers of a database, in whatever state."""
    found = engine.api.containers(all=True, filters={"label": LEASE_LABEL})
    return {str(row["Id"]) for row in found if str(row["Labels"][LEASE_LABEL]).startswith(f"{owner}.")}


@pytest.mark.parametrize("users", [1, pytest.param(7, marks=pytest.mark.long)])
async def test_successor_of_a_killed_server_destroys_its_containers_and_nothing_else(
    engine: DockerClient,
    strangers_container: str,
    database: Database,
    tmp_path: Path,
    users: int,
    record_property: Record,
) -> None:
    variables = {
        "DOCKER_HOST": docker_engine.engine_url() or "",
        "GLOVEBOX_DOCKER_IMAGE": docker_engine.TAG,
        "GLOVEBOX_DOCKER_POOL_SIZE": "1",
        "GLOVEBOX_DOCKER_CONTAINERS_MAX": "32",
        "GLOVEBOX_TIERS": '["restricted", "docker"]',
    }
    callers = [Caller.new() for _ in range(users)]
    record_property("runs at the kill", users * RUNS_EACH)
    with server_process(database, tmp_path, log=None, **variables) as first:
        async with AsyncExitStack() as clients, asyncio.TaskGroup() as calls:
            for user in callers:
                await begin_naps(await clients.enter_async_context(user.at(first)), user, calls)
            owner = owner_of(database)
            await eventually(lambda: all_live(engine, owner, database, users * RUNS_EACH))
            first.signal(signal.SIGKILL)
            await asyncio.to_thread(first.popen.wait, COMMAND_S_MAX)
    orphans = containers_of(engine, owner)
    assert len(orphans) >= users * RUNS_EACH

    with server_process(database, tmp_path, log=None, **variables) as second:
        up_at = time.monotonic()

        async def gone() -> bool:
            return not orphans & containers_of(engine, owner)

        await eventually(gone)
        assert time.monotonic() - up_at < ORPHANS_S_MAX
        for user in callers:
            await assert_settled_as_lost(second, user)

    assert engine.containers.get(strangers_container).id == strangers_container
    assert await audit_balances(database.owner_url) == []
    assert containers_of(engine, owner) == set()


async def begin_naps(client: httpx.AsyncClient, user: Caller, calls: asyncio.TaskGroup) -> None:
    """As many runs of a user as it may have containers, each of them long enough to be killed."""
    body = {"agent_name": "nap", "code": NAP, "tier": "docker", "limits": NAP_LIMITS}
    answer = await client.post("/agents", json=body)
    assert answer.status_code == 201, answer.text
    for _ in range(RUNS_EACH):
        calls.create_task(call(client, user.path("nap"), NAP_LIMITS["wall_ms_max"] / 1000 - 1))


async def all_live(engine: DockerClient, owner: str, database: Database, runs: int) -> bool:
    """Whether so many runs execute, and there are containers for all of them."""
    with psycopg.connect(database.superuser_url) as conn:
        (executing,) = conn.execute("select count(*) from public.runs where state = 'executing'").fetchone() or (0,)
    return bool(executing == runs) and len(containers_of(engine, owner)) >= runs


async def assert_settled_as_lost(server: Process, user: Caller) -> None:
    async with user.at(server) as client:

        async def settled() -> bool:
            return bool((await client.get("/credits")).json()["held_microcredits"] == 0)

        await eventually(settled)
        runs = (await client.get("/runs")).json()["items"]
        again = await client.get(user.path("nap"), params={"seconds": 0})
    assert Counter((run["state"], run["reason"]) for run in runs) == {("failed", "lost"): RUNS_EACH}
    assert again.json() == {"slept": True}


async def call(client: httpx.AsyncClient, path: str, seconds: float) -> int | None:
    with suppress(httpx.TransportError):  # the server died under this call
        return (await client.get(path, params={"seconds": seconds})).status_code
    return None


class OwnEngine:
    """An engine that a test may stop."""

    def __init__(self, home: Path) -> None:
        self.url = f"unix://{home}/docker.sock"
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        run_home = tempfile.mkdtemp(dir=self._home)  # a killed engine leaves mounts in its own
        with (self._home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *("dockerd", "--host", self.url, "--data-root", str(self._home / "data"), "--exec-root", run_home),
                    *("--pidfile", str(self._home / "pid"), "--bridge", "none", "--iptables=false"),
                    *("--shutdown-timeout", "2"),
                ],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + ENGINE_START_S_MAX
        while not self._answers():
            assert self._process.poll() is None, (self._home / "log").read_text()[-2000:]
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(COMMAND_S_MAX)

    def _answers(self) -> bool:
        return subprocess.run(["docker", "--host", self.url, "info"], capture_output=True, timeout=30).returncode == 0


@pytest.fixture
def own_engine(engine: DockerClient) -> Iterator[OwnEngine]:
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        if os.environ.get("CI"):  # noqa: TID251 - whether a test may skip is not a setting of the product
            pytest.fail("CI cannot start a Docker engine of its own")
        pytest.skip("only root can start a Docker engine")
    # Not below /tmp's own overlay of a container, and short: a socket's path holds 108 bytes.
    with tempfile.TemporaryDirectory(prefix="gb-engine-", ignore_cleanup_errors=True) as home:
        own = OwnEngine(Path(home))
        own.start()
        try:
            with closing(open_client(own.url, 120)) as client:
                image = engine.images.get(docker_engine.TAG).save(named=docker_engine.TAG)
                client.images.load(image)  # type: ignore[arg-type] # what it is sent may come in pieces
            yield own
        finally:
            own.stop()


@contextmanager
def served_by(engine_url: str) -> Iterator[RunningServer]:
    with reachable_directory() as data_dir:
        settings = settings_for(
            data_dir,
            tiers=(Tier.RESTRICTED, Tier.DOCKER),
            docker_host=engine_url,
            docker_image=docker_engine.TAG,
            docker_pool_size=1,
        )
        with running(settings) as server:
            yield server


@asynccontextmanager
async def load(user: User, agent_name: str) -> AsyncIterator[list[tuple[int, str]]]:
    """Calls one after the other while the block is on; the statuses and codes so far."""
    answers: list[tuple[int, str]] = []

    async def go_on() -> None:
        while True:
            answer = await user.http.get(user.path(agent_name), timeout=60)
            code = answer.json()["code"] if answer.status_code >= 400 else ""
            answers.append((answer.status_code, code))
            await asyncio.sleep(0.02)

    task = asyncio.create_task(go_on())
    try:
        yield answers
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


# The engine's client library leaves a socket open where nobody listens.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize("away_s", [3, pytest.param(30, marks=pytest.mark.long)])
async def test_engine_that_goes_away_takes_only_its_own_tier_along(
    own_engine: OwnEngine, away_s: float, new_row: NewRow
) -> None:
    row = new_row("Engine", f"Docker engine stopped for {away_s} s", "its tier 503 or `lost`, the others go on")
    with served_by(own_engine.url) as server:
        user_id = uuid4()
        async with client_for(server, server.token_for(user_id)) as client:
            user = User(user_id, client)
            await user.create("slow", QUICK, tier="docker")
            await user.create("fast", QUICK, tier="restricted")

            async def health() -> tuple[int, dict[str, str]]:
                answer = await client.get("/health/ready")
                return answer.status_code, answer.json().get("checks", {})

            async def degraded() -> bool:
                return await health() == (200, {"docker tier": "not available"})

            async def normal() -> bool:
                return (await client.get(user.path("slow"))).status_code == 200 and await health() == (200, {})

            await eventually(normal)
            async with load(user, "slow") as slow, load(user, "fast") as fast:
                await asyncio.sleep(0.5)
                await asyncio.to_thread(own_engine.stop)
                await eventually(degraded)
                await asyncio.sleep(away_s)
                refused = await client.get(user.path("slow"))
                await asyncio.to_thread(own_engine.start)
                back_at = time.monotonic()
                await eventually(normal)
                took_s = time.monotonic() - back_at

            async def settled() -> bool:
                return bool((await user.balance())["held_microcredits"] == 0)

            await eventually(settled)
            tell_balance(row, await user.balance(), await all_runs(client))

    gc.collect()  # while the filter above is in force
    assert set(fast) == {(200, "")}
    assert (200, "") in slow
    assert {code for status, code in slow if status != 200} <= {"lost", "tier_unavailable"}
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) >= 1
    assert took_s < BACK_S_MAX
    with closing(open_client(own_engine.url, 60)) as engine:
        assert engine.api.containers(all=True) == []
    row.left, row.back_after = "nothing: 0 containers", f"{took_s:.1f} s"
    row.callers = ", ".join(
        f"{status} {code or 'OK'} x {count}" for (status, code), count in sorted(Counter(slow).items())
    )
    row.others = f"restricted: 200 x {len(fast)}"


def tell_balance(row: Row, balance: Json, runs: list[Json]) -> None:
    """What the user's own view says: the database is the server's own."""
    charged, available = sum(run["charge_microcredits"] for run in runs), balance["available_microcredits"]
    assert all(run["state"] in ("completed", "failed") for run in runs)
    assert GRANT_MICROCREDITS - charged == available
    row.sums, row.holds = f"agree: {GRANT_MICROCREDITS:,} - {charged:,} - 0 = {available:,}", "0"
    row.runs = f"{len(runs)} ended, each once"
