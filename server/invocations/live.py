"""The runs that this process executes now: kept until they end, interruptible, waited for at shutdown."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import UUID

T = TypeVar("T")


class RunInterruptedError(Exception):
    """The run was ended from this side before its program was done. Never leaves this package."""


class RunCancelledError(RunInterruptedError):
    """The run's owner asked to end it."""


class LiveRuns:
    """Owns the tasks that carry invocations, so that no client and no server loop ends one half-way."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._running: dict[UUID, asyncio.Task[Any]] = {}
        self._interrupted: dict[UUID, type[RunInterruptedError]] = {}
        self._unwanted: set[UUID] = set()

    def __len__(self) -> int:
        """How many tasks have not ended."""
        return len(self._tasks)

    @property
    def executing(self) -> bool:
        """Whether any program is executing here."""
        return bool(self._running)

    def executes(self, run_id: UUID) -> bool:
        """Whether this run's program is executing here."""
        return run_id in self._running

    async def carry(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work` in a task of its own, to its end, whatever becomes of the caller."""
        return await asyncio.shield(self.start(work))

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Do `work` in a task of its own without waiting for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def carry_called(self, run_id: UUID, work: Coroutine[Any, Any, T]) -> T:
        """Do `work`, which is a run that another one called, in a task of its own.

        Where the caller is cancelled, so is the run, executing already or not yet, and its end is waited for: it is
        settled before the caller's run is.
        """
        task = self.start(work)
        interruption: asyncio.CancelledError | None = None
        try:
            while not task.done():
                try:
                    await asyncio.wait({task})  # which leaves it alone, however often the caller is cancelled
                except asyncio.CancelledError as exc:
                    interruption = exc
                    if not self.cancel(run_id):
                        self._unwanted.add(run_id)
        finally:
            self._unwanted.discard(run_id)
        if interruption is None:
            return task.result()
        if not task.cancelled():
            task.exception()  # nobody else looks at it
        raise interruption

    @contextmanager
    def interruptible(self, run_id: UUID) -> Iterator[None]:
        """Let others end what the current task awaits in this block.

        Raises:
            RunInterruptedError: `interrupt` ended it.
            RunCancelledError: `cancel` ended it.
        """
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can run a program")
        if run_id in self._unwanted:
            raise RunCancelledError
        self._running[run_id] = task
        try:
            yield
        except asyncio.CancelledError as exc:
            if run_id not in self._interrupted or task.uncancel() > 0:
                raise
            raise self._interrupted[run_id] from exc
        finally:
            del self._running[run_id]
            self._interrupted.pop(run_id, None)

    def interrupt(self, run_id: UUID) -> bool:
        """End a run from this side. False when its program is not executing here."""
        return self._end(run_id, RunInterruptedError)

    def cancel(self, run_id: UUID) -> bool:
        """End a run as its owner asked. False when its program is not executing here."""
        return self._end(run_id, RunCancelledError)

    def _end(self, run_id: UUID, why: type[RunInterruptedError]) -> bool:
        task = self._running.get(run_id)
        if task is None or run_id in self._interrupted:
            return False
        self._interrupted[run_id] = why
        task.cancel()
        return True

    def interrupt_all(self) -> int:
        """End every run from this side. How many there were."""
        return sum([self.interrupt(run_id) for run_id in list(self._running)])

    async def wait(self, seconds: float) -> bool:
        """Wait until every task has ended, at most `seconds`. Whether they have."""
        if not self._tasks:
            return True
        _, pending = await asyncio.wait(list(self._tasks), timeout=max(0.0, seconds))
        return not pending and not self._tasks
