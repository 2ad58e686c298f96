"""Containers: whose they are, how many, who waits for them, and that none is left."""

import asyncio
import os
import time
from collections.abc import Iterator

import pytest
from docker import DockerClient
from docker.models.containers import Container

from sandbox.docker import DockerSandbox, pool
from sandbox.errors import SandboxBusyError, SandboxLostError
from sandbox.types import Outcome, Result
from tests.integration.docker.test_engine import until
from tests.support.docker_engine import TAG, engine
from tests.support.docker_sandbox import LIMITS, docker_sandbox, new_lease, runner
from tests.support.figures import Record
from tests.support.processes import resident_bytes

WHERE = "import os\ndef run():\n    return os.readlink('/proc/self/ns/pid')"
RESIDENT_GROWTH_MAX = 0.10
SLEEP = "import time\ndef run(inputs):\n    time.sleep(inputs['seconds'])\n    return 'slept'"


@pytest.fixture
def client() -> Iterator[DockerClient]:
    with engine() as opened:
        yield opened


def containers(client: DockerClient, lease: str) -> list[Container]:
    return client.containers.list(all=True, filters={"label": f"glovebox.lease={lease}"}, ignore_removed=True)


async def test_container_that_is_killed_from_outside_is_lost_and_replaced(client: DockerClient) -> None:
    lease = new_lease()
    async with docker_sandbox(lease=lambda: lease, pool_size=0) as sandbox:
        run = runner(sandbox)
        sleeper = asyncio.ensure_future(run(SLEEP, {"seconds": 60}))
        await until(lambda: sandbox.children["live"] == 1, 10)

        for container in containers(client, lease):
            container.kill()

        with pytest.raises(SandboxLostError):
            await sleeper
        assert (await run("def run():\n    return 1")).value == 1


async def test_reaping_destroys_what_dead_processes_left_and_nothing_else(client: DockerClient) -> None:
    owner, stranger = new_lease(), new_lease()
    labels = {
        "dead": {"glovebox.lease": f"{owner}.dead"},
        "alive": {"glovebox.lease": f"{owner}.alive"},
        "of another installation": {"glovebox.lease": f"{stranger}.dead"},
        "unrelated": {"other": "label"},
    }
    made = {
        name: client.containers.create(TAG, entrypoint=["sleep", "600"], labels=label) for name, label in labels.items()
    }
    made["dead"].start()
    try:
        async with docker_sandbox(lease=lambda: f"{owner}.own", pool_size=1) as sandbox:
            before = (await runner(sandbox)(WHERE)).value
            reaped = await sandbox.reap(frozenset({f"{owner}.alive"}))
            after = (await runner(sandbox)(WHERE)).value
        left = {str(container.id) for container in client.containers.list(all=True, ignore_removed=True)}
    finally:
        for container in made.values():
            if container.id in {other.id for other in client.containers.list(all=True, ignore_removed=True)}:
                container.remove(force=True)

    assert reaped == 1
    assert before == after
    assert {name for name, container in made.items() if container.id in left} == made.keys() - {"dead"}


async def test_closing_leaves_no_container(client: DockerClient) -> None:
    lease = new_lease()
    async with docker_sandbox(lease=lambda: lease) as sandbox:
        await runner(sandbox)(WHERE)
        assert containers(client, lease)

    assert containers(client, lease) == []


async def test_cancelled_run_stops_and_leaves_its_container_fresh() -> None:
    async with docker_sandbox(pool_size=0) as sandbox:
        run = runner(sandbox)
        where = (await run(WHERE)).value
        linger = "import time\ndef run(inputs):\n    open('/tmp/left', 'w').close()\n    time.sleep(60)"
        lingering = asyncio.ensure_future(run(linger))
        await until(lambda: sandbox.children["live"] == 1, 10)
        lingering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await lingering

        assert (await run("import os\ndef run():\n    return os.listdir('/tmp')")).value == []
        assert (await run(WHERE)).value == where


async def test_parallel_runs_of_one_owner_use_several_containers_up_to_the_cap() -> None:
    async with docker_sandbox(user_containers_max=2, pool_size=1) as sandbox:
        run = runner(sandbox)
        where = WHERE.replace("return", "import time; time.sleep(0.3); return")

        found = await asyncio.gather(*(run(where) for _ in range(5)))

        assert {result.outcome for result in found} == {Outcome.SUCCEEDED}
        assert len({str(result.value) for result in found}) == 2


async def test_owner_with_many_runs_does_not_keep_others_waiting() -> None:
    async with docker_sandbox(containers_max=2, user_containers_max=2, pool_size=0) as sandbox:
        run = runner(sandbox)
        many = [asyncio.ensure_future(run(SLEEP, {"seconds": 0.4}, owner="many")) for _ in range(16)]
        await asyncio.sleep(0.2)

        one = await run(SLEEP, {"seconds": 0}, owner="one")
        unfinished = sum(not each.done() for each in many)
        results = await asyncio.gather(*many)

        assert one.value == "slept"
        assert unfinished > 2
        assert {result.value for result in results} == {"slept"}


async def test_who_waits_too_long_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "TAKE_S_MAX", 0.5)
    async with docker_sandbox(containers_max=1, pool_size=0) as sandbox:
        run = runner(sandbox)
        sleeper = asyncio.ensure_future(run(SLEEP, {"seconds": 3}, owner="alice"))
        await until(lambda: sandbox.children["live"] == 1, 10)

        with pytest.raises(SandboxBusyError):
            await run(WHERE, owner="bob")

        assert (await sleeper).value == "slept"


async def test_idle_containers_are_destroyed_and_the_pool_filled_again(client: DockerClient) -> None:
    lease = new_lease()
    async with docker_sandbox(lease=lambda: lease, idle_s=0.5, pool_size=1) as sandbox:
        await until(lambda: sandbox.children["ready"] == 1, 20)
        await runner(sandbox)(WHERE)
        await until(lambda: sandbox.children["live"] == 0, 10)

        await until(lambda: sandbox.children["idle"] == 0, 10)
        await until(lambda: sandbox.children["ready"] == 1, 20)
        await until(lambda: len(containers(client, lease)) == 1, 10)


async def first_calls(owners: int, pool_size: int) -> tuple[list[Result], float]:
    async with docker_sandbox(pool_size=pool_size) as sandbox:
        await until(lambda: sandbox.children["ready"] == pool_size, 60)
        run = runner(sandbox)
        started = time.monotonic()
        results = await asyncio.gather(*(run(WHERE, owner=f"owner {number}") for number in range(owners)))
        return results, time.monotonic() - started


async def test_first_calls_of_many_owners_at_once_all_succeed() -> None:
    results, _ = await first_calls(12, pool_size=2)

    assert {result.outcome for result in results} == {Outcome.SUCCEEDED}
    assert len({str(result.value) for result in results}) == 12


@pytest.mark.long
async def test_first_calls_of_a_hundred_owners_at_once_take_less_than_half_a_minute() -> None:
    results, seconds = await first_calls(100, pool_size=8)

    assert {result.outcome for result in results} == {Outcome.SUCCEEDED}
    assert seconds < 30


@pytest.mark.parametrize("rounds", [4, pytest.param(100, marks=pytest.mark.long)])
async def test_nothing_of_many_mixed_runs_is_left(client: DockerClient, rounds: int, record_property: Record) -> None:
    programs = (
        WHERE,
        "import os\ndef run():\n    os._exit(3)",
        "def run():\n    while True:\n        print('x' * 1000)",
        "import os, time\ndef run():\n    os.fork() or time.sleep(600)\n    return 1",
        "def run():\n    return [bytearray(b'x' * 1_000_000) for _ in range(10_000)]",
    )
    lease = new_lease()
    async with docker_sandbox(lease=lambda: lease, pool_size=1) as sandbox:
        run = runner(sandbox)
        await asyncio.gather(*(run(program, limits=LIMITS, owner="many") for program in programs))
        descriptors, resident = _descriptors(), resident_bytes()
        for _ in range(rounds):
            await asyncio.gather(*(run(program, limits=LIMITS, owner="many") for program in programs))

        # One more container is seven; those that are being destroyed keep theirs for a moment.
        await until(lambda: _descriptors() <= descriptors + 30, 10)
        growth = resident_bytes() / resident - 1
        record_property("docker_runs", (1 + rounds) * len(programs))
        record_property("docker_memory_growth_percent", round(100 * growth, 1))
        record_property("docker_descriptors_more", _descriptors() - descriptors)
        assert growth <= RESIDENT_GROWTH_MAX
        (left,) = [each for each in containers(client, lease) if each.status == "running"][:1]
        processes = client.api.top(str(left.id))["Processes"]
        assert all("defunct" not in " ".join(row) for row in processes)
    assert containers(client, lease) == []


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - there is no path to speak of


async def test_sandbox_that_is_closed_refuses_runs() -> None:
    async with docker_sandbox(pool_size=0) as sandbox:
        pass

    assert isinstance(sandbox, DockerSandbox)
    assert sandbox.missing == ("it is closed",)
