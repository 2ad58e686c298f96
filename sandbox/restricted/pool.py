"""Children forked ahead of need, and the zygote that they come from, which is started again when it dies."""

import asyncio
from collections import OrderedDict, deque

import structlog

from sandbox.errors import SandboxBusyError, SandboxError, TierUnavailableError
from sandbox.restricted.child import Child
from sandbox.restricted.zygote import Zygote
from sandbox.types import Tier, Wall

TAKE_S_MAX = 10.0
_RESTART_S = 0.5

log = structlog.get_logger(__name__)


class Pool:
    """Keeps `size` children ready. Each is given out once and never comes back."""

    def __init__(self, *, size: int, uid: int, language: str) -> None:
        self._size = size
        self._uid = uid
        self._language = language
        self._idle: deque[Child] = deque()
        self._waiting: OrderedDict[str | None, deque[asyncio.Future[Child]]] = OrderedDict()
        self._growing: set[asyncio.Task[None]] = set()
        self._zygote: Zygote | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def wall(self) -> Wall:
        """What the present zygote's children stand behind."""
        if self._zygote is None:
            raise TierUnavailableError(Tier.RESTRICTED, ("it is not open",))
        return self._zygote.wall

    @property
    def ready(self) -> int:
        """How many children stand ready."""
        return len(self._idle)

    async def open(self) -> None:
        """Start the zygote and prove with one child that the wall can be built. Raises TierUnavailableError."""
        self._zygote = await Zygote.start(self._uid, self._language)
        try:
            self._idle.append(await self._make(self._zygote))
        except BaseException:
            await self.close()
            raise
        self._keeper = asyncio.create_task(self._keep_zygote())
        self._refill()

    async def close(self) -> None:
        """Kill every child and the zygote. Idempotent."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        zygote, self._zygote = self._zygote, None
        for task in list(self._growing):
            task.cancel()
        await asyncio.gather(*self._growing, return_exceptions=True)
        if zygote is not None:
            await zygote.stop()
        self._drop_idle()
        for queue in self._waiting.values():
            for waiting in queue:
                waiting.cancel()
        self._waiting.clear()

    async def take(self, owner: str | None) -> Child:
        """A ready child, which the caller must use or kill. Owners who wait take turns.

        Raises SandboxBusyError after `TAKE_S_MAX`.
        """
        while self._idle:
            child = self._idle.popleft()
            if child.alive:
                self._refill()
                return child
            child.kill()
        waiting: asyncio.Future[Child] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(owner, deque()).append(waiting)
        self._refill()
        try:
            async with asyncio.timeout(TAKE_S_MAX):
                return await waiting
        except TimeoutError as error:
            raise SandboxBusyError from error
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled():
                waiting.result().kill()  # it was handed over in the very moment that the caller gave up
            raise

    def _refill(self) -> None:
        while self._zygote is not None and len(self._idle) + len(self._growing) < self._size:
            task = asyncio.create_task(self._grow(self._zygote))
            self._growing.add(task)
            task.add_done_callback(self._grown)

    def _grown(self, task: asyncio.Task[None]) -> None:
        self._growing.discard(task)
        if not task.cancelled():
            self._refill()  # whoever waited may have taken it

    async def _grow(self, zygote: Zygote) -> None:
        try:
            child = await self._make(zygote)
        except (SandboxError, OSError, TimeoutError) as error:
            log.warning("sandbox.child_not_made", error=repr(error))
            await asyncio.sleep(_RESTART_S)  # spares the machine when it has run out of something
            return
        while self._waiting:
            owner, queue = self._waiting.popitem(last=False)
            waiting = queue.popleft()
            if queue:
                self._waiting[owner] = queue  # behind everybody else
            if not waiting.done():
                waiting.set_result(child)
                return
        self._idle.append(child)

    @staticmethod
    async def _make(zygote: Zygote) -> Child:
        forked, channel = await zygote.fork()
        child = Child(forked, channel)
        try:
            await child.wait_ready()
        except BaseException:
            child.kill()
            raise
        return child

    async def _keep_zygote(self) -> None:
        while True:
            if self._zygote is not None:
                await self._zygote.died.wait()
                log.error("sandbox.zygote_died")
                await self._zygote.stop()
                self._zygote = None
                self._drop_idle()
            try:
                self._zygote = await Zygote.start(self._uid, self._language)
            except (SandboxError, OSError) as error:
                log.error("sandbox.zygote_not_started", error=repr(error))
                await asyncio.sleep(_RESTART_S)
            else:
                self._refill()

    def _drop_idle(self) -> None:
        while self._idle:
            self._idle.popleft().kill()
