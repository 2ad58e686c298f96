"""The containers of one process: started ahead of need, lent for one run at a time, each to one owner only."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

import structlog

from sandbox.docker.container import Container, Recipe
from sandbox.docker.engine import Engine, EngineError
from sandbox.docker.spec import Shape
from sandbox.docker.wishes import Wish, Wishes
from sandbox.errors import SandboxBusyError, SandboxError
from sandbox.types import Limits

TAKE_S_MAX = 60.0
WISHES_MAX = 1000
# How many containers that somebody waits for are started at once: more would only take processor time from each other.
STARTING_MAX = 3
# Starting ahead of need waits until nothing has run for so long, but not longer than that.
QUIET_S, QUIET_WAIT_S_MAX = 0.1, 2.0
# An owner that keeps its containers busy gives one up when somebody with fewer has waited for so long.
PATIENCE_S = 0.25
# A container that was not used for so long makes way for one that is started ahead of need.
SPARE_IDLE_S = 5.0
_AGAIN_S = 1.0
_TEND_S = 1.0
CLOSE_S_MAX = 4.0
WARM_S_MAX = 60.0

Key: TypeAlias = tuple[str | None, Shape]
Ending: TypeAlias = Callable[[], Awaitable[None]]
T = TypeVar("T")

log = structlog.get_logger(__name__)


class Pool:
    """Lends containers.

    Args:
        engine: makes them.
        recipe: what they have in common.
        size: how many unowned ones to keep ready.
        containers_max: how many there are at most.
        owner_containers_max: how many of them one owner has at most.
        idle_s: after how many seconds without a run an owned one is destroyed.
    """

    def __init__(
        self,
        engine: Engine,
        recipe: Recipe,
        *,
        size: int,
        containers_max: int,
        owner_containers_max: int,
        idle_s: float,
    ) -> None:
        self._engine = engine
        self._recipe = recipe
        self._containers_max = containers_max
        self._owner_containers_max = owner_containers_max
        self._idle_s = idle_s
        self._wanted = {
            Shape.of(Limits(), packages=True): size - size // 2,
            Shape.of(Limits(), packages=False): size // 2,
        }
        self._containers: set[Container] = set()
        self._idle: dict[Key, list[Container]] = {}
        self._returning: Counter[Key] = Counter()
        self._starting: Counter[Shape] = Counter()
        self._wishes = Wishes()
        self._tasks: set[asyncio.Task[None]] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        self._filling: asyncio.Task[None] | None = None
        self._live = 0
        self._quiet_since = time.monotonic()
        self._closed: SandboxError | None = None
        self.suspect = asyncio.Event()
        """Set when the engine may be gone: a container ended by itself, or the engine refused."""

    @property
    def counts(self) -> dict[str, int]:
        """Containers by state: `ready` and unowned, `idle` with an owner, `live` with a program."""
        idle = {
            owned: sum(len(row) for key, row in self._idle.items() if (key[0] is not None) == owned)
            for owned in (True, False)
        }
        return {"ready": idle[False], "idle": idle[True], "live": self._live}

    @property
    def image_id(self) -> str:
        """The image that its containers are made from."""
        return self._recipe.image_id

    async def open(self) -> None:
        """Prove with one container that they can be made. Raises EngineError, SandboxError."""
        self._add(await Container.start(self._engine, self._recipe, next(iter(self._wanted))))
        self._spawn(self._tend())
        self._arrange()

    async def close(self, why: SandboxError) -> None:
        """Destroy every container; whoever waits gets `why`. Idempotent."""
        self._closed = why
        for container in self._containers:
            container.on_death = None
        for wish in list(self._wishes):
            self._wishes.remove(wish)
            if not wish.lent.done():
                wish.lent.set_exception(why)
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for container in self._containers:
            self._destroy(container)
        if self._leaving:
            await asyncio.wait(set(self._leaving), timeout=CLOSE_S_MAX)
        self._containers.clear()
        self._idle.clear()

    async def take(self, owner: str, shape: Shape) -> Container:
        """A container of the shape that is the owner's alone, to be given back with `give_back`.

        Raises:
            SandboxBusyError: none came free within `TAKE_S_MAX`, or too many wait already.
            SandboxError: what `close` was told.
        """
        if self._closed is not None:
            raise self._closed
        if len(self._wishes) >= WISHES_MAX:
            raise SandboxBusyError
        wish = Wish(owner, shape)
        self._wishes.add(wish)
        self._arrange()
        try:
            async with asyncio.timeout(TAKE_S_MAX):
                return await wish.lent
        except (TimeoutError, asyncio.CancelledError) as error:
            if wish.lent.done() and not wish.lent.cancelled() and wish.lent.exception() is None:
                self.give_back(wish.lent.result(), _nothing_to_end)  # lent in the very moment that it was given up
            if isinstance(error, TimeoutError):
                raise SandboxBusyError from error
            raise
        finally:
            self._wishes.remove(wish)

    def give_back(self, container: Container, ending: Ending) -> None:
        """Return a container; it is lent again when `ending` has made it fresh."""
        self._returning[_key(container)] += 1
        self._spawn(self._return(container, ending))

    async def _return(self, container: Container, ending: Ending) -> None:
        try:
            await ending()
        except BaseException:
            container.destroy()
            raise
        finally:
            _count_down(self._returning, _key(container))
            self._live -= 1
            self._quiet_since = time.monotonic()
            self._put_idle(container)

    def _add(self, container: Container) -> None:
        container.on_death = self._forget
        self._containers.add(container)
        self._put_idle(container)

    def _put_idle(self, container: Container) -> None:
        if container.dead:
            self._containers.discard(container)
        else:
            self._idle.setdefault(_key(container), []).append(container)
        self._arrange()

    def _take_idle(self, container: Container) -> None:
        row = self._idle[_key(container)]
        row.remove(container)
        if not row:
            del self._idle[_key(container)]

    def _forget(self, container: Container) -> None:
        """It ended by itself, or by its own decision."""
        log.warning("docker.container_ended", container=container.id[:12], stderr=container.errors)
        self._containers.discard(container)
        if container in self._idle.get(_key(container), ()):
            self._take_idle(container)
        self._destroy(container)
        self.suspect.set()
        self._arrange()

    def _drop(self, container: Container) -> None:
        """Make room: destroy an idle one."""
        self._take_idle(container)
        self._containers.discard(container)
        container.on_death = None
        self._destroy(container)

    def _destroy(self, container: Container) -> None:
        leaving = container.destroy()
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    def _arrange(self) -> None:
        """Lend what there is, then start what is missing. Called whenever anything changed."""
        if self._closed is not None:
            return
        self._yield_to_the_patient()
        owned = Counter(container.owner for container in self._containers)
        returning = Counter(self._returning)
        unserved = []
        for wish in self._wishes:
            if wish.lent.done():
                continue
            keys = [(wish.owner, shape) for shape in wish.shape.fitting]
            if own := next((self._idle[key] for key in keys if key in self._idle), None):
                self._lend(own[-1], wish)
            elif (key := next(filter(returning.get, keys), None)) and wish.waited_s < PATIENCE_S:
                returning[key] -= 1  # that one is fresh in a moment
            elif container := self._find_unowned(wish, owned):
                self._lend(container, wish)
            else:
                unserved.append(wish)
        self._start_for(unserved, owned)
        if not unserved:
            self._fill_up()

    def _find_unowned(self, wish: Wish, owned: Counter[str | None]) -> Container | None:
        if owned[wish.owner] >= self._owner_containers_max:
            other = self._least_recent(lambda container: container.owner == wish.owner)
            if other is None:
                return None
            self._drop(other)  # of another shape
            owned[wish.owner] -= 1
        unowned = [container for shape in wish.shape.fitting for container in self._idle.get((None, shape), ())]
        if unowned:
            owned[wish.owner] += 1
        return next((container for container in unowned if container.warm), next(iter(unowned), None))

    def _lend(self, container: Container, wish: Wish) -> None:
        self._take_idle(container)
        container.owner = wish.owner
        self._live += 1
        wish.lent.set_result(container)

    def _yield_to_the_patient(self) -> None:
        """Where every container is taken, an idle one of an owner with more of them makes way for who waits long."""
        if self._has_room or not self._wishes:
            return
        owned = Counter(container.owner for container in self._containers)
        patient = [wish for wish in self._wishes if not wish.lent.done() and wish.waited_s > PATIENCE_S]
        for wish in patient[self._starting.total() :]:
            fewer = owned[wish.owner]
            victim = self._least_recent(lambda container, fewer=fewer: owned[container.owner] > max(1, fewer))  # type: ignore[misc]
            if victim is not None:
                self._drop(victim)
                return

    @property
    def _has_room(self) -> bool:
        return len(self._containers) + self._starting.total() < self._containers_max

    def _make_room(self, idle_s_min: float = 0.0) -> bool:
        """Whether one more may be started, having destroyed the least recently used one where that was needed."""
        if self._has_room:
            return True
        before = time.monotonic() - idle_s_min
        victim = self._least_recent(lambda container: container.idle_since <= before)
        if victim is None:
            return False
        self._drop(victim)
        return True

    def _least_recent(self, fits: Callable[[Container], bool]) -> Container | None:
        idle = (container for row in self._idle.values() for container in row if fits(container))
        # Those without an owner go last: somebody's first call wants one.
        return min(idle, key=lambda container: (container.owner is None, container.idle_since), default=None)

    def _start_for(self, unserved: list[Wish], owned: Counter[str | None]) -> None:
        coming = Counter(self._starting)
        for wish in unserved:
            if owned[wish.owner] >= self._owner_containers_max:
                continue
            owned[wish.owner] += 1
            if coming[wish.shape] > 0:
                coming[wish.shape] -= 1
            elif self._starting.total() >= STARTING_MAX or not self._make_room():
                return
            else:
                self._starting[wish.shape] += 1
                self._spawn(self._start_one(wish.shape))

    async def _start_one(self, shape: Shape) -> Container | None:
        container = None
        try:
            container = await Container.start(self._engine, self._recipe, shape)
        except (EngineError, SandboxError) as error:
            log.warning("docker.container_not_made", error=str(error))
            self.suspect.set()
            await asyncio.sleep(_AGAIN_S)  # spares a machine that has run out of something
        finally:
            _count_down(self._starting, shape)
        if container is not None:
            self._add(container)
        else:
            self._arrange()
        return container

    def _fill_up(self) -> None:
        """Start one ahead of need, one after the other."""
        if self._filling is not None and not self._filling.done():
            return
        missing = {shape: wanted - len(self._idle.get((None, shape), ())) for shape, wanted in self._wanted.items()}
        shape, count = max(missing.items(), key=lambda item: item[1])
        if count > 0:
            self._filling = self._spawn(self._fill_one(shape))

    async def _fill_one(self, shape: Shape) -> None:
        waited_until = time.monotonic() + QUIET_WAIT_S_MAX
        while time.monotonic() < waited_until and (  # noqa: ASYNC110 - it is silence that is waited for, not an event
            self._live or time.monotonic() - self._quiet_since < QUIET_S
        ):
            await asyncio.sleep(QUIET_S / 2)
        if self._starting.total() or not self._make_room(SPARE_IDLE_S):
            return  # `_tend` comes back to it
        self._starting[shape] += 1
        container = await self._start_one(shape)
        with suppress(ConnectionError, TimeoutError):
            if container is not None:
                async with asyncio.timeout(WARM_S_MAX):
                    await container.until_warm()

    async def _tend(self) -> None:
        """Destroy what was not used for long, and look again whether anything is missing."""
        while True:
            await asyncio.sleep(_TEND_S)
            before = time.monotonic() - self._idle_s
            for row in list(self._idle.values()):
                for container in list(row):
                    if container.owner is not None and container.idle_since < before:
                        self._drop(container)
            self._arrange()

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _key(container: Container) -> Key:
    return container.owner, container.shape


def _count_down(counter: Counter[T], key: T) -> None:
    """One less; what comes to nothing is forgotten: owners and shapes are many."""
    counter[key] -= 1
    if not counter[key]:
        del counter[key]


async def _nothing_to_end() -> None:
    """What ends a run that never began."""
