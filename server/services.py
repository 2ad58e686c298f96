"""What the routes are wired with, and the order in which it is opened and closed."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import structlog

from agents_store.store import Store
from sandbox.backend import Sandbox
from server.agents.service import Agents
from server.auth.api_keys import ApiKeys
from server.auth.callers import Callers
from server.auth.verifier import Verifier
from server.bodies import BodyBudget
from server.health.readiness import Readiness
from server.idempotency import Idempotency
from server.invocations.admission import Admission
from server.invocations.answers import answer_from_run
from server.invocations.contracts import Contracts
from server.invocations.live import LiveRuns
from server.invocations.rates import DryRunRates
from server.invocations.service import Invocations
from server.leases import Lease
from server.observability.gauges import Gauges
from server.observability.metrics import Metrics
from server.runs.followers import Followers
from server.runs.following import Following
from server.runs.notices import Notices
from server.settings import Settings

LAST_WORDS_S = 10.0  # for interrupted runs to be settled

log = structlog.get_logger("server.services")


@dataclass(slots=True)
class Services:
    """Everything that one server process works with. The store, the sandbox and the verifier come open."""

    settings: Settings
    store: Store
    sandbox: Sandbox
    callers: Callers
    lease: Lease
    admission: Admission
    bodies: BodyBudget
    live: LiveRuns
    readiness: Readiness
    metrics: Metrics
    agents: Agents
    invocations: Invocations
    followers: Followers
    following: Following
    notices: Notices
    idempotency: Idempotency
    _stopping: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Take the lease. Raises StoreUnavailableError."""
        await self.lease.open()
        self.notices.open()

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
        await self.notices.close()
        await self.invocations.close()
        await self.callers.close()
        await self.lease.close()

    async def _end_live_runs(self) -> None:
        """Let live runs end within the grace, interrupt what is left, see all of them settled, then end all streams."""
        if not await self.live.wait(self.settings.shutdown_grace_s):
            log.warning("live runs interrupted", runs=self.live.interrupt_all())
            if not await self.live.wait(LAST_WORDS_S):
                log.error("runs left to be reaped", runs=len(self.live))
        self.followers.close()


def wire(settings: Settings, store: Store, sandbox: Sandbox, verifier: Verifier) -> Services:
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
    metrics = Metrics()
    metrics.add(Gauges(metrics, lease, admission, store, sandbox))
    return Services(
        settings=settings,
        store=store,
        sandbox=sandbox,
        callers=callers,
        lease=lease,
        admission=admission,
        bodies=BodyBudget(user_bytes_max=settings.user_body_bytes_max, bytes_max=settings.body_bytes_max),
        live=live,
        readiness=Readiness(store, lease, sandbox, verifier),
        metrics=metrics,
        agents=Agents(
            store=store, sandbox=sandbox, admission=admission, contracts=contracts, ceilings=settings.ceilings
        ),
        invocations=Invocations(
            callers=callers,
            store=store,
            sandbox=sandbox,
            lease=lease,
            admission=admission,
            contracts=contracts,
            live=live,
            rates=DryRunRates(settings.user_dry_runs_per_hour_max),
            metrics=metrics,
            followers=followers,
        ),
        followers=followers,
        following=Following(store, followers, live),
        notices=Notices(store, lease, live, followers),
        idempotency=Idempotency(store, lease, answer_from_run),
    )
