from collections.abc import Callable, Mapping
from typing import cast

import pytest
from structlog.testing import capture_logs

from sandbox.tiers import Tiers
from sandbox.types import Tier
from server.auth.verifier import Verifier
from server.errors import NotReadyError
from server.health.readiness import Readiness
from server.leases import Lease
from tests.unit.server.fakes import FakeSandbox, FakeStore, FakeVerifier

FINE = {"database": "ok", "lease": "ok", "restricted tier": "ok", "issuer": "ok", "process": "ok"}


class StockedSandbox(FakeSandbox):
    def __init__(self) -> None:
        super().__init__()
        self.children: Mapping[str, int] = {"ready": 1, "live": 0}


class NoSandbox(FakeSandbox):
    missing = ("it is not open",)


class Docker(FakeSandbox):
    tier = Tier.DOCKER


class AskingVerifier(FakeVerifier):
    issuer_failing = False


class Parts:
    def __init__(self, sandbox: FakeSandbox | None = None, *others: FakeSandbox) -> None:
        self.store = FakeStore()
        self.sandbox = sandbox or StockedSandbox()
        self.verifier = AskingVerifier()
        self.lease = Lease(self.store)
        tiers = Tiers([self.sandbox, *others])
        self.readiness = Readiness(self.store, self.lease, tiers, cast("Verifier", self.verifier))


@pytest.fixture
async def parts() -> Parts:
    made = Parts()
    await made.lease.beat()
    return made


async def test_all_is_well(parts: Parts) -> None:
    assert await parts.readiness.check() == {}


def no_child_is_ready(parts: Parts) -> None:
    cast("StockedSandbox", parts.sandbox).children = {"ready": 0, "live": 3}


def the_issuer_is_silent(parts: Parts) -> None:
    parts.verifier.issuer_failing = True


@pytest.mark.parametrize(
    ("trouble", "told"),
    [(no_child_is_ready, {"restricted tier": "busy"}), (the_issuer_is_silent, {"issuer": "not answering"})],
)
async def test_what_passes_by_itself_degrades_and_serves(
    parts: Parts, trouble: Callable[[Parts], None], told: dict[str, str]
) -> None:
    trouble(parts)

    assert await parts.readiness.check() == told


def the_database_is_away(parts: Parts) -> None:
    parts.store.down = 1


def the_process_stops(parts: Parts) -> None:
    parts.readiness.stop()


@pytest.mark.parametrize(
    ("trouble", "told"),
    [(the_database_is_away, {"database": "unreachable"}), (the_process_stops, {"process": "stopping"})],
)
async def test_what_does_not_is_not_ready(parts: Parts, trouble: Callable[[Parts], None], told: dict[str, str]) -> None:
    trouble(parts)

    with pytest.raises(NotReadyError) as raised:
        await parts.readiness.check()
    assert raised.value.checks == FINE | told


async def test_without_a_lease_or_a_wall_nothing_is_ready() -> None:
    parts = Parts(NoSandbox())

    with pytest.raises(NotReadyError) as raised:
        await parts.readiness.check()
    assert raised.value.checks == FINE | {"lease": "expired", "restricted tier": "unavailable"}


async def test_a_tier_that_goes_away_degrades_until_it_is_back() -> None:
    docker = Docker()
    parts = Parts(None, docker)
    await parts.lease.beat()
    told = []
    for missing in ((), ("no engine",), ()):
        docker.missing = missing
        told.append(await parts.readiness.check())

    assert told == [{}, {"docker tier": "not available"}, {}]


async def test_a_tier_that_was_never_there_is_nothing_new() -> None:
    docker = Docker()
    docker.missing = ("no engine",)
    parts = Parts(None, docker)
    await parts.lease.beat()

    assert await parts.readiness.check() == {}


async def test_a_sandbox_that_keeps_no_children_is_never_busy() -> None:
    parts = Parts(FakeSandbox())
    await parts.lease.beat()

    assert await parts.readiness.check() == {}


async def test_each_change_is_logged_once(parts: Parts) -> None:
    with capture_logs() as lines:
        for _ in range(3):
            await parts.readiness.check()
        the_issuer_is_silent(parts)
        for _ in range(3):
            await parts.readiness.check()
        parts.verifier.issuer_failing = False
        await parts.readiness.check()

    assert [line["wrong"] for line in lines] == [{"issuer": "not answering"}, {}]
    assert [line["log_level"] for line in lines] == ["info", "info"]
