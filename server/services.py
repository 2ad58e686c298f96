"""What the routes are wired with, and the order in which it is opened and closed."""

import asyncio
from dataclasses import dataclass

import structlog

from agents_store.store import Store
from sandbox.backend import Sandbox
from server.agents.service import Agents
from server.auth.verifier import Verifier
from server.health.readiness import Readiness
from server.invocations.admission import Admission
from server.invocations.contracts import Contracts
from server.invocations.live import LiveRuns
from server.invocations.service import Invocations
from server.leases import Lease
from server.settings import Settings

LAST_WORDS_S = 10.0  # for interrupted runs to be settled

log = structlog.get_logger("server.services")


@dataclass(slots=True)
class Services:
    """Everything that one server process works with. The store, the sandbox and the verifier come open."""

    settings: Settings
    store: Store
    sandbox: Sandbox
    verifier: Verifier
    lease: Lease
    admission: Admission
    live: LiveRuns
    readiness: Readiness
    agents: Agents
    invocations: Invocations
    _stopping: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Take the lease. Raises StoreUnavailableError."""
        await self.lease.open()

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
        await self.invocations.close()
        await self.lease.close()

    async def _end_live_runs(self) -> None:
        """Let live runs end within the grace, interrupt what is left, and see all of them settled."""
        if not await self.live.wait(self.settings.shutdown_grace_s):
            log.warning("live runs interrupted", runs=self.live.interrupt_all())
            if not await self.live.wait(LAST_WORDS_S):
                log.error("runs left to be reaped", runs=len(self.live))


def wire(settings: Settings, store: Store, sandbox: Sandbox, verifier: Verifier) -> Services:
    """Put together what one server process works with; nothing is opened."""
    lease = Lease(store)
    live = LiveRuns()
    contracts = Contracts(store)
    admission = Admission(
        runs_live_max=settings.runs_live_max,
        runs_waiting_max=settings.runs_waiting_max,
        run_wait_ms_max=settings.run_wait_ms_max,
        user_runs_live_max=settings.user_runs_live_max,
        user_dry_runs_live_max=settings.user_dry_runs_live_max,
    )
    return Services(
        settings=settings,
        store=store,
        sandbox=sandbox,
        verifier=verifier,
        lease=lease,
        admission=admission,
        live=live,
        readiness=Readiness(store, lease),
        agents=Agents(
            store=store, sandbox=sandbox, admission=admission, contracts=contracts, ceilings=settings.ceilings
        ),
        invocations=Invocations(
            verifier=verifier,
            store=store,
            sandbox=sandbox,
            lease=lease,
            admission=admission,
            contracts=contracts,
            live=live,
        ),
    )
