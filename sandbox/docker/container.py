"""One container: started, given one run at a time, wiped between runs, destroyed."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog

from sandbox.docker.cgroup import Meter, NoCgroupError, find_counters
from sandbox.docker.engine import Attachment, Engine, EngineError
from sandbox.docker.near import NearStream, open_pipes
from sandbox.docker.spec import Runtime, Shape, container_config, guest_command
from sandbox.docker.stream import Stream
from sandbox.errors import SandboxLostError, TierUnavailableError
from sandbox.guest.container_frames import Order, Word
from sandbox.types import Tier

START_S_MAX = 60.0
# Killing up to 128 processes and removing up to a million files takes the guest less than this; else it is replaced.
RESET_S_MAX = 10.0
# The guest's own pipe tells its end before the engine knows how it ended.
NOTICE_S_MAX = 2.0
_HELD_BYTES_MAX = 512 * 1024
_OF_A_RUN = frozenset({Word.SAID, Word.PRINTED, Word.ENDED})

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What all containers of a pool have in common."""

    image_id: str
    runtime: Runtime
    lease: Callable[[], str]


class Container:
    """A running container. `owner` is None until it belongs to somebody, and never changes then."""

    def __init__(self, engine: Engine, container_id: str, shape: Shape, recipe: Recipe) -> None:
        self._engine = engine
        self.id = container_id
        self.shape = shape
        self.recipe = recipe
        self.owner: str | None = None
        self.idle_since = time.monotonic()
        self.dead = False
        self.warm = False
        self.out_of_memory = False
        """Whether the kernel ended its guest for memory: known when `destroy` is done."""
        self.on_death: Callable[[Container], None] | None = None
        self._ready = self._begun = self._discarding = False
        self._changed = asyncio.Event()
        self._hung_up = asyncio.Event()
        self._stream: Stream | None = None
        self._way: Stream | NearStream | None = None
        self._meter: Meter | None = None
        self._held: deque[tuple[Word, bytes]] = deque()
        self._held_bytes = 0
        self._removing: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, engine: Engine, recipe: Recipe, shape: Shape) -> "Container":
        """Make a container and wait until its guest is ready, which is before it has imported everything.

        Raises:
            EngineError: the engine did not start it.
            SandboxLostError: its guest does not come up.
            TierUnavailableError: it cannot be metered from here.
        """
        container_id = await engine.call(_create, engine, recipe, shape, undo=engine.remove)
        container = cls(engine, container_id, shape, recipe)
        try:
            async with asyncio.timeout(START_S_MAX):
                attachment = await engine.call(engine.attach, container.id, undo=Attachment.close)
                container._way = container._stream = Stream(attachment, container._on_word, container._on_hang_up)
                await engine.call(engine.client.api.start, container.id)
                await container._until(lambda: container._ready)
                container._meter = await container._find_meter()
                if not container.warm:
                    container._meter.lower()  # nobody waits for what it imports ahead
                await container._come_near()
        except (TimeoutError, ConnectionError) as error:
            log.error("docker.container_not_started", stderr=container.errors)
            container.destroy()
            raise SandboxLostError("a container does not come up") from error
        except BaseException:
            container.destroy()
            raise
        return container

    @property
    def meter(self) -> Meter:
        """What the kernel counts for it."""
        assert self._meter is not None  # noqa: S101 - `start` sets it
        return self._meter

    @property
    def errors(self) -> str:
        """The end of what its guest wrote to standard error: for the operator."""
        return self._stream.errors if self._stream is not None else ""

    async def until_warm(self) -> None:
        """Wait until everything is imported. Raises ConnectionError when the container ends first."""
        await self._until(lambda: self.warm)

    async def prepare(self) -> None:
        """Be ready for the first bytes of a run; the meter counts from here. Raises ConnectionError."""
        self._discarding = self._begun = False
        self._held.clear()
        self._held_bytes = 0
        if not self.warm:
            # It may be in the middle of importing ahead, which is not the run's doing.
            self.meter.restore()
            try:
                async with asyncio.timeout(START_S_MAX):
                    await self._order(Order.PREPARE)
                    await self._until(lambda: self._begun)
            except TimeoutError as error:
                self.destroy()
                raise ConnectionResetError from error
            self.meter.begin()
        self._ready = False

    async def send(self, data: bytes) -> None:
        """Send bytes to the program's channel. Raises ConnectionError, also once the run is being ended."""
        if self._discarding:
            raise ConnectionResetError  # they would reach the next run's program
        await self._order(Order.FEED, data)

    async def receive(self) -> tuple[Word, bytes]:
        """The next word of the run; READY once it is being ended. Raises ConnectionError when the container is gone."""
        await self._until(lambda: bool(self._held))
        word, payload = self._held.popleft()
        self._held_bytes -= len(payload)
        if self._held_bytes <= _HELD_BYTES_MAX // 2 and self._way is not None:
            self._way.resume()
        return word, payload

    async def end(self) -> None:
        """End whatever runs and wait until nothing of it is left; the meter counts afresh from there.

        The container destroys itself when that takes longer than `RESET_S_MAX`.
        """
        self._discarding = True
        self._held.clear()
        self._held.append((Word.READY, b""))  # whoever still listens need not wait for the wiping
        self._changed.set()
        if self._way is not None:
            self._way.resume()
        try:
            async with asyncio.timeout(RESET_S_MAX):
                await self._order(Order.END)
                await self._until(lambda: self._ready)
        except TimeoutError:
            log.warning("docker.container_stuck", container=self.id[:12])
            self.destroy()
        except ConnectionError:
            self.destroy()
        else:
            self.meter.begin()
        self.idle_since = time.monotonic()

    def destroy(self) -> asyncio.Task[None]:
        """Kill and remove it. Idempotent; returns what finishes that."""
        if self._removing is None:
            by_itself = self.dead
            self._removing = asyncio.get_running_loop().create_task(self._remove(by_itself=by_itself))
            if self._way is not None:
                self._way.close()
            if self._stream is not None and not by_itself:
                self._stream.close()  # upon which the guest ends by itself, even where the engine is gone
            self._on_end()
            if self._meter is not None:
                self._meter.close()
        return self._removing

    async def be_gone(self) -> None:
        """Destroy it and wait for that."""
        self.on_death = None
        await asyncio.shield(self.destroy())

    async def _remove(self, *, by_itself: bool) -> None:
        try:
            if by_itself:
                with suppress(TimeoutError):
                    async with asyncio.timeout(NOTICE_S_MAX):
                        await self._hung_up.wait()
                self.out_of_memory = await self._engine.call(self._engine.ended_out_of_memory, self.id)
            await self._engine.call(self._engine.remove, self.id)
        except EngineError as error:  # the reaper finds it again
            log.warning("docker.container_not_removed", container=self.id[:12], error=str(error))
        finally:
            if self._stream is not None:
                self._stream.close()

    async def _find_meter(self) -> Meter:
        with suppress(NoCgroupError):
            return Meter(find_counters(self.id))
        pid = await self._engine.call(self._engine.process_id, self.id)
        try:
            return Meter(find_counters(self.id, pid))
        except NoCgroupError as error:
            missing = f"the control groups of containers are not visible to this process ({error})"
            raise TierUnavailableError(Tier.DOCKER, (missing,)) from error

    async def _come_near(self) -> None:
        """Go to the guest by the short way from here on, where there is one."""
        if self.recipe.runtime.is_gvisor:
            return  # what is to be seen of its guest on this machine is gVisor itself
        pipes = open_pipes(self.meter.members, guest_command(self.shape))
        if pipes is not None:
            self._way = NearStream(pipes, self._on_word, self._on_end)
            await self._order(Order.NEAR)

    async def _order(self, order: Order, payload: bytes = b"") -> None:
        if self._way is None:
            raise ConnectionResetError
        await self._way.send(order, payload)

    async def _until(self, happened: Callable[[], bool]) -> None:
        """Wait for a word of the guest. Raises ConnectionError when the container ends first."""
        while not happened():
            if self.dead:
                raise ConnectionResetError
            self._changed.clear()
            await self._changed.wait()

    def _on_word(self, word: Word, payload: bytes) -> None:
        self._ready = self._ready or word == Word.READY
        if word == Word.WARM:
            self.warm = True
            if self._meter is not None:
                self._meter.restore()
            if self._ready and self._meter is not None:
                self._meter.begin()  # importing ahead is not the next run's doing
        self._begun = self._begun or word == Word.STARTED
        if word in _OF_A_RUN and not self._discarding:
            self._held.append((word, payload))
            self._held_bytes += len(payload)
            if self._held_bytes > _HELD_BYTES_MAX and self._way is not None:
                self._way.pause()
        self._changed.set()

    def _on_hang_up(self) -> None:
        """The engine says that it ended, or the attached stream was closed."""
        self._hung_up.set()
        self._on_end()

    def _on_end(self) -> None:
        if not self.dead:
            self.dead = True
            self._changed.set()
            if self.on_death is not None:
                self.on_death(self)


def _create(engine: Engine, recipe: Recipe, shape: Shape) -> str:
    api = engine.client.api
    config = container_config(api, image_id=recipe.image_id, runtime=recipe.runtime, shape=shape, lease=recipe.lease())
    return str(api.create_container(**config)["Id"])
