from sandbox.errors import SandboxLostError
from sandbox.tiers import Tiers
from sandbox.types import Tier
from server.leases import Lease
from server.orphans import Orphans
from tests.unit.server.fakes import FakeSandbox, FakeStore


class Leasing(FakeSandbox):
    tier = Tier.DOCKER

    def __init__(self) -> None:
        super().__init__()
        self.told: list[frozenset[str]] = []
        self.error: Exception | None = None

    async def reap(self, live_leases: frozenset[str]) -> int:
        self.told.append(live_leases)
        if self.error is not None:
            raise self.error
        return 1


async def test_containers_are_judged_by_the_leases_that_live_now() -> None:
    store, docker = FakeStore(), Leasing()
    first, second = Lease(store), Lease(store)
    await first.open()
    await second.open()
    orphans = Orphans(Tiers([FakeSandbox(), docker]), store.live_servers)

    await orphans.sweep()
    await first.close()
    await orphans.sweep()

    assert docker.told == [frozenset({first.name, second.name}), frozenset({second.name})]
    await second.close()


async def test_what_does_not_answer_is_asked_again() -> None:
    store, docker = FakeStore(), Leasing()
    orphans = Orphans(Tiers([docker]), store.live_servers)

    store.down = 1
    await orphans.sweep()
    docker.error = SandboxLostError("the engine is gone")
    await orphans.sweep()
    docker.missing = ("no engine",)
    await orphans.sweep()

    assert len(docker.told) == 1


async def test_new_name_after_an_expired_lease_is_the_same_owners() -> None:
    store = FakeStore()
    lease = Lease(store)
    await lease.open()
    before = lease.name

    lease._expires_at = 1e-9
    await lease.beat()
    await lease.close()

    assert lease.name != before
    assert lease.name.partition(".")[0] == before.partition(".")[0] == "here"
