"""What the routes are wired with, and the order in which it is opened and closed."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import structlog

from agents_store.store import Store
from sandbox.tiers import Tiers
from server.agents.service import Agents
from server.auth.api_keys import ApiKeys
from server.auth.callers import Callers
from server.auth.verifier import Verifier
from server.bodies import BodyBudget
from server.codegen.loop import Loop
from server.codegen.provider import MessagesApi
from server.codegen.service import Generations
from server.codegen.workshop import TierWorkshop
from server.gloves.fitting import Fitting
from server.health.readiness import Readiness
from server.idempotency import Idempotency
from server.invocations.admission import Admission
from server.invocations.answers import answer_from_run
from server.invocations.contracts import Contracts
from server.invocations.live import LiveRuns
from server.invocations.rates import DryRunRates
from server.invocations.reserve import Reserve
from server.invocations.seats import Seats
from server.invocations.service import Invocations
from server.invocations.settling import Settling
from server.invocations.turns import Turns
from server.leases import Lease
from server.observability.gauges import Gauges
from server.observability.metrics import Metrics
from server.operator_limits import OperatorLimits
from server.orphans import Orphans
from server.runs.applying import Applying
from server.runs.followers import Followers
from server.runs.following import Following
from server.runs.notices import Notices
from server.runs.replaying import Replaying
from server.settings import Settings

LAST_WORDS_S = 10.0  # for interrupted runs to be settled

log = structlog.get_logger("server.services")


@dataclass(slots=True)
class Services:
    """Everything that one server process works with. The store and the verifier come open.

    The tiers are opened by whoever made them, after the lease, whose name their containers carry.
    """

    settings: Settings
    store: Store
    tiers: Tiers
    callers: Callers
    lease: Lease
    fitting: Fitting
    orphans: Orphans
    admission: Admission
    bodies: BodyBudget
    live: LiveRuns
    readiness: Readiness
    metrics: Metrics
    agents: Agents
    generations: Generations
    invocations: Invocations
    followers: Followers
    following: Following
    notices: Notices
    limits: OperatorLimits
    idempotency: Idempotency
    settling: Settling
    applying: Applying
    replaying: Replaying
    _stopping: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Take the lease. Raises StoreUnavailableError."""
        await self.lease.open()
        self.orphans.open()
        self.notices.open()
        self.limits.open()

    def stop_admitting(self) -> None:
        """Begin to stop: turn away whoever waits or comes, and give live runs their grace from now. Idempotent.

        Called when the signal comes, so that waiting callers are answered while their connections still are open.
        """
        if self._stopping is None:
            self.admission.close()
            self.readiness.stop()
            log.info("stopping", live_runs=len(self.live), grace_s=self.settings.shutdown_grace_s)
            self._stopping = asyncio.get_running_loop().create_task(self._end_live_runs(), name="end-live-runs")

    async def close(self) -> None:
        """Stop, see live runs end within the grace, then give up the lease. Idempotent."""
        self.stop_admitting()
        if self._stopping is not None:
            await self._stopping
        await self.limits.close()
        await self.notices.close()
        await self.invocations.close()
        await self.settling.close()
        await self.generations.close()
        await self.callers.close()
        await self.orphans.close()
        await self.lease.close()

    async def _end_live_runs(self) -> None:
        """Let live runs end within the grace, interrupt what is left, see all of them settled, then end all streams."""
        if not await self.live.wait(self.settings.shutdown_grace_s):
            log.warning("live runs interrupted", runs=self.live.interrupt_all())
            if not await self.live.wait(LAST_WORDS_S):
                log.error("runs left to be reaped", runs=len(self.live))
        self.followers.close()


def wire(settings: Settings, store: Store, tiers: Tiers, verifier: Verifier, fitting: Fitting) -> Services:
    """Put together what one server process works with; nothing is opened."""
    callers = Callers(verifier, ApiKeys(store))
    lease = Lease(store, retention=timedelta(days=settings.retention_days))
    live = LiveRuns()
    followers = Followers(settings.user_streams_max)
    contracts = Contracts(store)
    admission = Admission(
        runs_live_max=settings.runs_live_max,
        runs_waiting_max=settings.runs_waiting_max,
        run_wait_ms_max=settings.run_wait_ms_max,
        user_runs_live_max=settings.user_runs_live_max,
        user_dry_runs_live_max=settings.user_dry_runs_live_max,
    )
    rates = DryRunRates(settings.user_dry_runs_per_hour_max)
    # The other half of the connections is for reading.
    turns = Turns(max(1, settings.database_pool_max // 2))
    settling = Settling(store, lease, followers, turns)
    metrics = Metrics()
    metrics.add(Gauges(metrics, lease, admission, store, tiers))
    agents = Agents(
        store=store,
        tiers=tiers,
        fitting=fitting,
        admission=admission,
        contracts=contracts,
        ceilings=settings.ceilings,
    )
    generations = _generations(settings, store, tiers, fitting, lease, admission, live, contracts, agents)
    limits = OperatorLimits(settings, store, admission, rates, (agents, generations))
    return Services(
        settings=settings,
        store=store,
        tiers=tiers,
        callers=callers,
        lease=lease,
        fitting=fitting,
        orphans=Orphans(tiers, store.live_servers),
        admission=admission,
        bodies=BodyBudget(user_bytes_max=settings.user_body_bytes_max, bytes_max=settings.body_bytes_max),
        live=live,
        readiness=Readiness(store, lease, tiers, verifier),
        metrics=metrics,
        agents=agents,
        generations=generations,
        invocations=Invocations(
            callers=callers,
            store=store,
            tiers=tiers,
            lease=lease,
            admission=admission,
            reserve=Reserve(settings.calls_live_max),
            seats=Seats(settings.docker_user_containers_max, settings.docker_containers_max),
            fitting=fitting,
            contracts=contracts,
            live=live,
            rates=rates,
            metrics=metrics,
            followers=followers,
            turns=turns,
        ),
        followers=followers,
        following=Following(store, followers, live),
        notices=Notices(store, lease, live, followers, limits),
        limits=limits,
        idempotency=Idempotency(store, lease, answer_from_run),
        settling=settling,
        applying=Applying(store=store, fitting=fitting, admission=admission, lease=lease, live=live, settling=settling),
        replaying=Replaying(store=store, tiers=tiers, admission=admission, rates=rates, live=live),
    )


def _generations(
    settings: Settings,
    store: Store,
    tiers: Tiers,
    fitting: Fitting,
    lease: Lease,
    admission: Admission,
    live: LiveRuns,
    contracts: Contracts,
    agents: Agents,
) -> Generations:
    key = settings.anthropic_api_key
    model = MessagesApi(
        api_key=None if key is None else key.get_secret_value(), base_url=str(settings.anthropic_base_url)
    )
    return Generations(
        store=store,
        model=model,
        loop=Loop(model, TierWorkshop(tiers, fitting, admission, agents)),
        lease=lease,
        admission=admission,
        live=live,
        contracts=contracts,
        ceilings=settings.ceilings,
        generations_live_max=settings.generations_live_max,
    )
