"""What the servers of one database tell each other about runs: new log lines, and requests to cancel."""

import asyncio

import structlog

from agents_store.errors import StoreError
from agents_store.store import Store
from agents_store.types import Notice, NoticeKind
from server.invocations.live import LiveRuns
from server.leases import Lease
from server.operator_limits import OperatorLimits
from server.runs.followers import Followers

LOOK_S = 1.0  # how late a request to cancel is found where its notice did not come through
RECONNECT_S = 5.0

log = structlog.get_logger("server.runs")


class Notices:
    """Acts on what other servers tell this one, and looks by itself while it executes runs.

    The connection that listens is opened with the first run or follower that needs it.
    """

    def __init__(
        self, store: Store, lease: Lease, live: LiveRuns, followers: Followers, limits: OperatorLimits
    ) -> None:
        self._store = store
        self._lease = lease
        self._live = live
        self._followers = followers
        self._limits = limits
        self._asked = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def open(self) -> None:
        """Begin to look."""
        self._tasks = [asyncio.get_running_loop().create_task(self._look_on(), name="cancel-requests")]

    async def close(self) -> None:
        """Stop looking and listening. Idempotent."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look_on(self) -> None:
        while True:
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._asked.wait()
            except TimeoutError:
                pass
            self._asked.clear()
            if len(self._tasks) == 1 and (self._live.executing or self._followers.any):
                self._tasks.append(asyncio.get_running_loop().create_task(self._listen(), name="notices"))
            if self._live.executing:
                await self._look()

    async def _look(self) -> None:
        try:
            for run_id in await self._store.cancel_requests(self._lease.server_id):
                self._live.cancel(run_id)
        except StoreError as exc:
            log.warning("requests to cancel not read", error=type(exc).__name__)
        # A worker loop: a defect in one round must not leave every later run of this process without cancellation.
        except Exception:
            log.exception("requests to cancel not read")

    async def _listen(self) -> None:
        while True:
            try:
                async for notice in self._store.notices():
                    self._take(notice)
            except StoreError as exc:
                log.warning("not listening for notices", error=type(exc).__name__)
                await asyncio.sleep(RECONNECT_S)
            else:
                log.info("notices do not come through here: looking instead")
                return

    def _take(self, notice: Notice) -> None:
        if notice.kind is NoticeKind.LIMITS:
            self._limits.look_now()
            return
        executed_here = self._live.executes(notice.run_id)
        if notice.kind is NoticeKind.CANCEL and executed_here:
            self._asked.set()
        elif notice.kind is NoticeKind.LOGS and not executed_here:  # else they were told directly
            self._followers.tell(notice.run_id)
