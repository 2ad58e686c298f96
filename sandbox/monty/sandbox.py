"""MontySandbox: checks and runs programs in sessions of walled workers."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256

from pydantic_monty import MontyError

from sandbox.errors import SandboxBusyError, SandboxLostError, TierUnavailableError
from sandbox.monty import assembly
from sandbox.monty.check import Checker
from sandbox.monty.endings import to_result
from sandbox.monty.load import LONG_S, Load, unmetered
from sandbox.monty.session import Heard, Run, alone
from sandbox.monty.workers import Workers
from sandbox.offload import compute
from sandbox.types import CEILINGS, Gloves, Inputs, Limits, Outcome, Program, Refusal, Result, Tier, Wall
from sandbox.watch import Watch

TAKE_S_MAX = 10.0
END_S_MAX = 5.0
_ARITIES_MAX = 10_000


class MontySandbox:
    """The monty tier. See `sandbox.backend.Sandbox` for the contract.

    Args:
        uid: what sandboxed code runs as when this process is root.
        workers: interpreters kept started.
        live_max: runs at once; a run that waits for a glove keeps its interpreter.
        memory_bytes_max: the highest `memory_bytes_max` that a run may ask for.
    """

    def __init__(
        self, *, uid: int, workers: int = 4, live_max: int = 64, memory_bytes_max: int = CEILINGS.memory_bytes_max
    ) -> None:
        self._workers = Workers(uid=uid, ready=workers, live_max=live_max, memory_bytes_max=memory_bytes_max)
        self._ready = workers
        self._places = asyncio.Semaphore(live_max)
        self._checker = Checker(uid)
        self._watch = Watch()
        self._arities: OrderedDict[bytes, int] = OrderedDict()
        self._live: set[Run] = set()
        self._performing: set[asyncio.Future[Heard]] = set()

    @property
    def tier(self) -> Tier:
        """Always monty."""
        return Tier.MONTY

    @property
    def missing(self) -> tuple[str, ...]:
        """Nothing, once it is open: what this machine lacks shows there."""
        return ()

    @property
    def wall(self) -> Wall:
        """What this machine gives. Raises TierUnavailableError before `open`."""
        return self._workers.wall

    @property
    def children(self) -> Mapping[str, int]:
        """Interpreters by state: `ready` ahead of need, and `live` with a program."""
        return {"ready": max(0, self._ready - len(self._live)), "live": len(self._live)}

    async def open(self) -> None:
        """Start the first workers and prove the wall with one. Raises TierUnavailableError."""
        await self._workers.open()

    async def close(self) -> None:
        """End every run and every worker. Idempotent."""
        for run in list(self._live):
            run.condemn(Outcome.CANCELLED)
        if self._performing:
            await asyncio.wait(set(self._performing), timeout=END_S_MAX)
        await self._workers.close()
        await self._watch.close()

    async def check(self, program: Program) -> tuple[Refusal, ...]:
        """See `sandbox.backend.Sandbox.check`. What the interpreter lacks, as far as it shows in the source."""
        async with self._place():
            return await self._checker.check(program.source, self._perform)

    async def run(self, program: Program, inputs: Inputs, limits: Limits, gloves: Gloves) -> Result:
        """See `sandbox.backend.Sandbox.run`."""
        async with self._place():
            key = sha256(program.source.encode()).digest()
            arity = self._arities.get(key, assembly.ARITY_MAX)
            heard = await self._perform(Run(program.source, inputs, limits, gloves, arity=arity), limits)
            self._remember(key, heard.arity)
            await self._watch.logged(gloves.owner, heard.output_bytes)
            answer = heard.answer[0] if heard.answer is not None else None
            return await compute(lambda: to_result(heard, limits, self._workers.kernel_killed), len(answer or ""))

    async def _perform(self, run: Run, limits: Limits) -> Heard:
        threads, loop = self._workers.threads, asyncio.get_running_loop()
        if threads is None:
            raise TierUnavailableError(Tier.MONTY, ("it is not open",))
        timer = _Timer(run, limits.wall_ms_max / 1000)
        load = Load(run, self._workers.idle_group)
        long = loop.call_later(LONG_S, self._watch.add, load, unmetered(limits), run.condemn, run.owner)
        self._live.add(run)
        performed = loop.run_in_executor(threads, run.perform, self._workers.pool)
        self._performing.add(performed)
        performed.add_done_callback(self._performing.discard)
        try:
            return await asyncio.shield(performed)
        except asyncio.CancelledError:
            run.condemn(Outcome.CANCELLED)
            await asyncio.wait({performed}, timeout=END_S_MAX)
            raise
        except (MontyError, RuntimeError, TimeoutError, OSError) as error:  # the library has no worker to give
            raise SandboxLostError(f"no worker: {error}") from alone(error)
        finally:
            timer.cancel()
            long.cancel()
            self._watch.remove(load)
            self._live.discard(run)

    def _place(self) -> "_Place":
        return _Place(self._places)

    def _remember(self, key: bytes, arity: int) -> None:
        self._arities[key] = arity
        self._arities.move_to_end(key)
        if len(self._arities) > _ARITIES_MAX:
            self._arities.popitem(last=False)


class _Timer:
    """Ends a run at its wall limit, which counts from when it has a worker."""

    def __init__(self, run: Run, limit_s: float) -> None:
        self._run = run
        self._limit_s = limit_s
        self._loop = asyncio.get_running_loop()
        self._handle = self._loop.call_later(limit_s, self._ring)

    def cancel(self) -> None:
        self._handle.cancel()

    def _ring(self) -> None:
        left_s = self._limit_s - self._run.elapsed_s
        if left_s > 0:
            self._handle = self._loop.call_later(left_s, self._ring)
        else:
            self._run.condemn(Outcome.TIMED_OUT, "wall_ms_max")


class _Place:
    """One of the places for runs. Raises SandboxBusyError when none comes free within `TAKE_S_MAX`."""

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places = places

    async def __aenter__(self) -> None:
        try:
            async with asyncio.timeout(TAKE_S_MAX):
                await self._places.acquire()
        except TimeoutError as error:
            raise SandboxBusyError from error

    async def __aexit__(self, *_: object) -> None:
        self._places.release()
