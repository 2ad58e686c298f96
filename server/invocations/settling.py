"""The end of a run that began: settled as it ended, or released as soon as that can be done."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

import structlog

from agents_store.errors import StaleRunError, StoreError, StoreUnavailableError
from agents_store.store import Store
from agents_store.types import BegunRun, Charge, Principal, RunEnd
from sandbox.types import Result
from server.errors import RunLostError
from server.gloves.run import RunGloves
from server.invocations.endings import Lost, bare, end_of, lost_end, unusable
from server.invocations.live_log import LiveLog
from server.invocations.turns import Turns
from server.leases import Lease
from server.runs.followers import Followers

RELEASE_PAUSE_S = 2.0
FINISH_PAUSES_S = (0.05, 0.1, 0.25, 0.5, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0)

IN_DOUBT = "The database went away while the run's end was stored: look at the run to see how it ended."

log = structlog.get_logger("server.invocations")


@dataclass(frozen=True, slots=True)
class EndedIn:
    """The tier and the wall that a run ended in, where it did not begin in them."""

    tier: str
    wall: str
    wall_missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """How a run was settled. `result` is another than what it ended with where that could not be stored."""

    result: Result | Lost
    end: RunEnd
    charge: Charge


class Settling:
    """Ends runs in the store, whatever is in the way."""

    def __init__(self, store: Store, lease: Lease, followers: Followers, turns: Turns) -> None:
        self._store = store
        self._turns = turns
        self._lease = lease
        self._followers = followers
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Leave to the reaper what could not be released. Idempotent."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def finish(
        self,
        principal: Principal,
        run: BegunRun,
        result: Result | Lost,
        lines: LiveLog,
        gloves: RunGloves,
        ended_in: EndedIn | None = None,
    ) -> Settled:
        """Settle a run; `ended_in` says where it ended, None for where it began.

        Raises RunLostError when somebody else ended it, or it could not be stored as it ended.
        """
        place = {} if ended_in is None else asdict(ended_in)
        try:
            async with self._settling(principal, run):
                await gloves.close()
                effects, glove_calls = tuple(gloves.effects), dict(gloves.counts)
                if isinstance(result, Lost):
                    end = replace(lost_end(lines.lines), effects=effects, glove_calls=glove_calls, **place)
                    return Settled(result, end, await self._settle(principal, run, end, lines))
                try:
                    end = replace(await end_of(result, effects, glove_calls), **place)
                    return Settled(result, end, await self._settle(principal, run, end, lines))
                except (ValueError, TypeError, RecursionError):
                    # It is the program's that it cannot be stored, and a run that is lost is free.
                    log.exception("what a run came to cannot be stored")
                result = unusable(result)
                end = replace(await end_of(result, bare(effects), glove_calls), **place)
                return Settled(result, end, await self._settle(principal, run, end))
        finally:
            if lines.stored:  # then others may follow it elsewhere; of a shorter run they learn by looking
                self._keep(self._announce(run.run_id))

    async def settle(self, principal: Principal, run: BegunRun, end: RunEnd, lines: LiveLog) -> Charge:
        """Settle a run that no sandbox ran. Raises RunLostError as `finish` does."""
        async with self._settling(principal, run):
            return await self._settle(principal, run, end, lines)

    @asynccontextmanager
    async def _settling(self, principal: Principal, run: BegunRun) -> AsyncIterator[None]:
        """Around the end of a run: where it cannot be stored, its hold is released. Raises RunLostError."""
        try:
            yield
        except StaleRunError as exc:
            log.warning("run was ended by another process")
            raise RunLostError(run.run_id) from exc
        except RunLostError:
            raise
        # The boundary around one run's end: whatever is in the way of storing it must not keep its hold.
        except Exception as exc:
            log.exception("finish failed")
            if not await self._released(principal, run):
                self._keep(self._release_later(principal, run, self._lease.server_id))
            raise RunLostError(run.run_id) from exc
        finally:
            self._followers.tell(run.run_id)

    async def _settle(self, principal: Principal, run: BegunRun, end: RunEnd, lines: LiveLog | None = None) -> Charge:
        """Finish, again and again while the database is away and the lease may live.

        `lines` are those of the end, some of which are stored already; None where the end shall have none.
        """
        unanswered = False
        for pause_s in (*FINISH_PAUSES_S, None):
            try:
                return await self._store_end(principal, run, end, lines)
            except StoreUnavailableError as exc:
                if pause_s is None or self._lease.seconds_left <= pause_s:
                    return await self._give_up(principal, run, end, exc)
                unanswered = True
                await asyncio.sleep(pause_s)
            except StaleRunError:
                if not unanswered:
                    raise
                return await self._charged(principal, run, end)
        raise AssertionError("the last attempt returns or raises")

    async def _give_up(
        self, principal: Principal, run: BegunRun, end: RunEnd, unanswered: StoreUnavailableError
    ) -> Charge:
        """Release a run whose finish got no answer, unless that shows that it had been stored after all.

        Raises:
            RunLostError: it is lost, or nobody knows yet and the hold is released as soon as the database answers.
            StaleRunError: somebody else ended it.
        """
        log.warning("finish not answered")
        try:
            await self._store.finish(principal, run, lost_end())
        except StaleRunError:
            return await self._charged(principal, run, end)
        except StoreError as exc:
            log.warning("hold not released", error=type(exc).__name__)
            self._keep(self._release_later(principal, run, self._lease.server_id))
            raise RunLostError(run.run_id, IN_DOUBT) from unanswered
        raise RunLostError(run.run_id) from unanswered

    async def _store_end(self, principal: Principal, run: BegunRun, end: RunEnd, lines: LiveLog | None) -> Charge:
        """Finish with the lines that no batch has stored."""
        stored = 0 if lines is None else await lines.end()
        async with self._turns.taken(run.user_id):
            return await self._store.finish(principal, run, replace(end, logs=end.logs[stored:]) if stored else end)

    async def _charged(self, principal: Principal, run: BegunRun, end: RunEnd) -> Charge:
        """What a finish whose answer was lost did after all.

        Raises StaleRunError when it was somebody else's, or when what a free run would have cost cannot be told.
        """
        stored = await self._store.get_run(principal, run.run_id)
        if not run.hold_microcredits or (stored.state, stored.outcome, stored.reason) != (
            end.state,
            end.outcome,
            end.reason,
        ):
            raise StaleRunError(f"run {run.run_id} was ended by another process")
        return Charge(stored.charge_microcredits, stored.charge_microcredits)

    async def _released(self, principal: Principal, run: BegunRun) -> bool:
        """End a run as lost. False when the store cannot do it now."""
        try:
            await self._store.finish(principal, run, lost_end())
        except StaleRunError:
            return True
        except StoreError as exc:
            log.warning("hold not released", error=type(exc).__name__)
            return False
        return True

    async def _release_later(self, principal: Principal, run: BegunRun, server_id: UUID) -> None:
        """Release a hold as soon as the database answers; under another lease the run is being reaped anyway."""
        while self._lease.server_id == server_id:
            await asyncio.sleep(RELEASE_PAUSE_S)
            if await self._released(principal, run):
                return

    async def _announce(self, run_id: UUID) -> None:
        try:
            await self._store.announce_end(run_id)
        except StoreError as exc:  # whoever waits for it also looks
            log.debug("end not announced", error=type(exc).__name__)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
