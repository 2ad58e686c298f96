from datetime import timedelta

from sandbox.tiers import Tiers
from server.leases import RETENTION, Lease
from server.services import wire
from server.settings import Settings
from tests.unit.server.fakes import FakeSandbox, FakeStore, FakeVerifier, fake_fitting


async def test_each_round_purges_by_the_retention_that_is_set() -> None:
    store = FakeStore()

    await Lease(store, retention=timedelta(days=3)).purge()
    await Lease(store).purge()

    assert store.retentions == [timedelta(days=3), RETENTION]


async def test_retention_is_a_setting() -> None:
    store = FakeStore()
    settings = Settings(_env_file=None, retention_days=7)
    services = wire(
        settings,
        store,
        Tiers([FakeSandbox()]),
        FakeVerifier(),  # type: ignore[arg-type]
        fake_fitting(store),
    )

    await services.lease.purge()

    assert store.retentions == [timedelta(days=7)]
    assert timedelta(days=Settings(_env_file=None).retention_days) == RETENTION
