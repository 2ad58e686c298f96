"""Effects: what a run asked of its gloves, claimed before what may be in doubt, and dry runs carried out."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from time import monotonic
from uuid import UUID

from psycopg.errors import CheckViolation, ObjectNotInPrerequisiteState, UniqueViolation
from psycopg.types.numeric import Int4

from agents_store.errors import (
    ApplyLiveError,
    EffectClaimedError,
    InsufficientCreditsError,
    MemoryMovedError,
    StaleRunError,
    StoreError,
    StoreUnavailableError,
    TooManyDryRunsError,
    UnknownAgentError,
    UnknownRunError,
    UnknownVersionError,
    VersionMovedError,
)
from agents_store.postgres.connection import Connection, Role, acting_as, claims_of
from agents_store.postgres.database import Params, bounded, execute, the, to_json
from agents_store.postgres.files import raise_too_many, send_file, stored_file
from agents_store.postgres.memory import raise_full, send_put, stored_entry
from agents_store.postgres.queries import query
from agents_store.postgres.rows import to_contents, to_effect
from agents_store.postgres.runs import ABANDONED_S_MAX, RunRoom
from agents_store.postgres.storable import storable_json
from agents_store.types import (
    ApplyStart,
    BegunRun,
    DryRunRate,
    EffectRecord,
    MemoryRead,
    NewFile,
    NewMemory,
    Principal,
    RecordedRun,
)


class EffectRoom(RunRoom):
    """The part of the store that keeps what runs asked of their gloves."""

    async def list_effects(
        self, principal: Principal, run_id: UUID, *, after_seq: int, limit: int
    ) -> list[EffectRecord]:
        """A run's effects with `seq > after_seq`, in order, at most `limit` (1 to 1,000).

        Raises:
            UnknownRunError: the caller has no such run.
            ValueError: `limit` is out of range.
        """
        params = {"run_id": run_id, "after_seq": Int4(after_seq), "rows_max": Int4(bounded(limit))}
        async with self.connection() as conn:
            async with acting_as(conn, Role.USER, claims_of(principal.user_id)):
                known = await execute(conn, "run_exists", params)
                found = await execute(conn, "list_effects", params)
            if await known.fetchone() is None:
                raise UnknownRunError(f"no run {run_id}")
            return [to_effect(row) for row in await found.fetchall()]

    async def claim_effect(self, principal: Principal, run: BegunRun, effect: EffectRecord) -> None:
        """Store an effect of a run that lives before it is tried.

        Raises:
            StaleRunError: the run has ended, or is somebody else's: it must perform nothing more.
            EffectClaimedError: it may have been carried out before.
        """
        async with self._claiming(principal, run, effect):
            pass

    async def conclude_effect(self, principal: Principal, run: BegunRun, effect: EffectRecord) -> None:
        """Store what became of an effect that was claimed."""
        await self.as_user(principal, "conclude_effect", {"run_id": run.run_id, **_effect_params(effect)})

    async def recorded_run(self, principal: Principal, run_id: UUID) -> RecordedRun:
        """Program and seed of a run. Raises UnknownRunError, UnknownVersionError where its agent is gone."""
        async with self.connection() as conn:
            async with acting_as(conn, Role.USER, claims_of(principal.user_id)):
                known = await execute(conn, "run_exists", {"run_id": run_id})
                found = await execute(conn, "recorded_run", {"run_id": run_id})
            if await known.fetchone() is None:
                raise UnknownRunError(f"no run {run_id}")
            row = await found.fetchone()
        if row is None:
            raise UnknownVersionError(f"the program of run {run_id} is gone")
        return RecordedRun(row["agent_id"], row["seed"], to_contents(row))

    async def take_dry_run(self, principal: Principal, per_hour_max: int) -> DryRunRate:
        """Count what is no stored run, but costs as much as a dry run.

        Raises:
            TooManyDryRunsError: the user's dry runs of this hour are spent.
        """
        params = {"user_id": principal.user_id, "per_hour_max": Int4(per_hour_max)}
        async with self.connection() as conn:
            taken = await (await conn.execute(query("take_dry_run"), params)).fetchone()
        admitted, *left = the(taken)
        rate = DryRunRate(per_hour_max, *left)
        if not admitted:
            raise TooManyDryRunsError(rate)
        return rate

    async def begin_apply(self, principal: Principal, start: ApplyStart) -> BegunRun:
        """Begin a run that carries out what a dry run listed: a hold, as of any live run of the agent's.

        Raises:
            UnknownAgentError, VersionMovedError: the agent is not what it was in the dry run.
            MemoryMovedError: what the dry run read from memory has changed since, and nothing is carried out yet.
            ApplyLiveError: another run carries it out now.
            InsufficientCreditsError: nothing was held.
            StoreUnavailableError: nothing was held, or `reap` will release it.
        """
        sent = False
        try:
            async with self.connection() as conn:
                params = _apply_params(principal, start)
                sent = True
                try:
                    begun = await (await conn.execute(query("begin_apply"), params)).fetchone()
                except ObjectNotInPrerequisiteState as exc:
                    raise MemoryMovedError(f"what run {start.dry_run_id} read has changed") from exc
                except UniqueViolation as exc:
                    if exc.diag.constraint_name == "runs_apply_alone":
                        raise ApplyLiveError(f"run {start.dry_run_id} is being carried out") from exc
                    raise
        except (StoreUnavailableError, asyncio.CancelledError):
            if sent:
                self._abandoned[start.run_id] = monotonic() + ABANDONED_S_MAX
            raise
        status, revision, hold, price_max, available, started_at = the(begun)
        match status:
            case "begun":
                return BegunRun(start.run_id, principal.user_id, revision, hold, started_at)
            case "unknown_agent":
                raise UnknownAgentError(start.agent_name)
            case "version_moved":
                raise VersionMovedError(f"version {start.version} of {start.agent_name!r} is not current")
            case "insufficient":
                raise InsufficientCreditsError(price_max, available)
        raise StoreError(f"begin_apply answered {status!r}")

    async def applied_effects(self, principal: Principal, dry_run_id: UUID) -> list[EffectRecord]:
        """What runs have carried out of a dry run, or may have: `seq` is the place in all that it listed."""
        rows = await self.as_user(principal, "applied_effects", {"source_run_id": dry_run_id})
        return [to_effect(row) for row in rows]

    async def apply_memory(
        self, principal: Principal, run: BegunRun, effect: EffectRecord, agent_id: UUID, entry: NewMemory | None
    ) -> None:
        """In one transaction: claim an effect as performed, and remember `entry`, or for None forget the effect's key.

        Raises:
            StaleRunError, EffectClaimedError, UnknownAgentError, MemoryFullError: nothing was changed.
        """
        async with self._claiming(principal, run, effect) as conn:
            if entry is None:
                await execute(conn, "delete_memory", {"agent_id": agent_id, "key": effect.request["key"]})
            else:
                await stored_entry(await send_put(conn, agent_id, entry), agent_id)

    async def apply_file(self, principal: Principal, run: BegunRun, effect: EffectRecord, file: NewFile) -> None:
        """In one transaction: claim an effect as performed, and let the run have the file.

        Raises:
            StaleRunError, EffectClaimedError, TooManyFilesError: nothing was changed.
        """
        async with self._claiming(principal, run, effect) as conn:
            await stored_file(await send_file(conn, run.run_id, file), run.run_id)

    @asynccontextmanager
    async def _claiming(self, principal: Principal, run: BegunRun, effect: EffectRecord) -> AsyncIterator[Connection]:
        """A transaction that begins with a claim; what the block sends is part of it."""
        params = {"run_id": run.run_id, "revision": Int4(run.revision), **_effect_params(effect)}
        async with self.connection() as conn:
            try:
                async with acting_as(conn, Role.USER, claims_of(principal.user_id)):
                    claimed = await execute(conn, "claim_effect", params)
                    # Known before anything else is sent: what follows must not happen for a run that has ended.
                    if await claimed.fetchone() is None:
                        raise StaleRunError(f"run {run.run_id} is not at revision {run.revision} any more")
                    yield conn
            except UniqueViolation as exc:
                if exc.diag.constraint_name in ("run_effects_applied_once", "run_effects_pkey"):
                    raise EffectClaimedError(f"effect {effect.seq} of run {run.run_id} was claimed") from exc
                raise
            except CheckViolation as exc:
                raise_full(exc)
                raise_too_many(exc)
                raise


def _effect_params(effect: EffectRecord) -> Params:
    return {
        **asdict(effect),
        "seq": Int4(effect.seq),
        "request": storable_json(effect.request),
        "response": None if effect.response is None else storable_json(effect.response),
        "error": None if effect.error is None else storable_json(effect.error),
        "status": effect.status.value,
        "at_ms": Int4(effect.at_ms),
        "duration_ms": Int4(effect.duration_ms),
    }


def _apply_params(principal: Principal, start: ApplyStart) -> Params:
    return {
        "claims": claims_of(principal.user_id),
        "run_id": start.run_id,
        "source_run_id": start.dry_run_id,
        "reads": to_json(_reads(start.reads)),
        "agent_id": start.agent_id,
        "version": Int4(start.version),
        "inputs": to_json({"run_id": str(start.dry_run_id)}),
        "wall": start.wall,
        "wall_missing": list(start.wall_missing),
        "server_id": start.server_id,
    }


def _reads(reads: Sequence[MemoryRead]) -> list[dict[str, object]]:
    return [{"agent_id": str(read.agent_id), "key": read.key, "revision": read.revision} for read in reads]
