"""Effects on a project: what runs asked of their gloves, claimed before it is in doubt, and dry runs carried out."""

import asyncio
from time import monotonic
from typing import Any
from uuid import UUID

from agents_store.errors import (
    ApplyLiveError,
    EffectClaimedError,
    InsufficientCreditsError,
    MemoryMovedError,
    StaleRunError,
    StoreError,
    StoreUnavailableError,
    UnknownAgentError,
    UnknownRunError,
    UnknownVersionError,
    VersionMovedError,
)
from agents_store.postgres.database import bounded, to_json
from agents_store.postgres.rows import to_contents, to_effect
from agents_store.postgres.runs import ABANDONED_S_MAX, effect_row
from agents_store.postgres.storable import storable_json
from agents_store.supabase_store.data_api import Arguments
from agents_store.supabase_store.files import file_arguments, raise_too_many
from agents_store.supabase_store.memory import memory_arguments, raise_full
from agents_store.supabase_store.runs import RunRoom, begun_run
from agents_store.supabase_store.translate import RefusedValueError
from agents_store.types import ApplyStart, BegunRun, EffectRecord, NewFile, NewMemory, Principal, RecordedRun

_EFFECT = "seq,glove,request,response,error,status,at_ms,duration_ms"
_CLAIMED_ONCE = ("run_effects_applied_once", "run_effects_pkey")


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
        select = self.table(principal, "run_effects").select(_EFFECT).eq("run_id", run_id)
        rows = await self.rows(select.gt("seq", after_seq).order("seq").limit(bounded(limit)))
        if not rows:
            await self.find_run(principal, run_id)
        return [to_effect(row) for row in rows]

    async def claim_effect(self, principal: Principal, run: BegunRun, effect: EffectRecord) -> None:
        """Store an effect of a run that lives before it is tried.

        Raises:
            StaleRunError: the run has ended, or is somebody else's: it must perform nothing more.
            EffectClaimedError: it may have been carried out before.
        """
        try:
            claimed = await self.call(principal, "claim_effect", _effect_arguments(run, effect))
        except RefusedValueError as exc:
            _raise_claimed(exc, run, effect)
            raise
        if not claimed:
            raise StaleRunError(f"run {run.run_id} is not at revision {run.revision} any more")

    async def conclude_effect(self, principal: Principal, run: BegunRun, effect: EffectRecord) -> None:
        """Store what became of an effect that was claimed."""
        await self.call(principal, "conclude_effect", _effect_arguments(run, effect))

    async def recorded_run(self, principal: Principal, run_id: UUID) -> RecordedRun:
        """Program and seed of a run. Raises UnknownRunError, UnknownVersionError where its agent is gone."""
        found = await self.call(principal, "recorded_run", {"run_id": str(run_id)})
        if found is None:
            raise UnknownRunError(f"no run {run_id}")
        if (program := found["program"]) is None:
            raise UnknownVersionError(f"the program of run {run_id} is gone")
        return RecordedRun(UUID(program["agent_id"]), program["seed"], to_contents(program))

    async def begin_apply(self, principal: Principal, start: ApplyStart) -> BegunRun:
        """Begin a run that carries out what a dry run listed: a hold, as of any live run of the agent's.

        Raises:
            UnknownAgentError, VersionMovedError: the agent is not what it was in the dry run.
            MemoryMovedError: what the dry run read from memory has changed since, and nothing is carried out yet.
            ApplyLiveError: another run carries it out now.
            InsufficientCreditsError: nothing was held.
            StoreUnavailableError: nothing was held, or `reap` will release it.
        """
        try:
            begun = await self.call(principal, "begin_apply", _apply_arguments(start))
        except RefusedValueError as exc:
            if exc.constraint == "agent_memory_as_read":
                raise MemoryMovedError(f"what run {start.dry_run_id} read has changed") from exc
            if exc.constraint == "runs_apply_alone":
                raise ApplyLiveError(f"run {start.dry_run_id} is being carried out") from exc
            raise
        except (StoreUnavailableError, asyncio.CancelledError):
            self._abandoned[start.run_id] = monotonic() + ABANDONED_S_MAX
            raise
        match begun["status"]:
            case "begun":
                return begun_run(principal, start.run_id, begun)
            case "unknown_agent":
                raise UnknownAgentError(start.agent_name)
            case "version_moved":
                raise VersionMovedError(f"version {start.version} of {start.agent_name!r} is not current")
            case "insufficient":
                raise InsufficientCreditsError(begun["price_microcredits_max"], begun["available_microcredits"])
        raise StoreError(f"begin_apply answered {begun['status']!r}")

    async def applied_effects(self, principal: Principal, dry_run_id: UUID) -> list[EffectRecord]:
        """What runs have carried out of a dry run, or may have: `seq` is the place in all that it listed."""
        found = await self.call(principal, "applied_effects", {"source_run_id": str(dry_run_id)})
        return [to_effect(row) for row in found]

    async def apply_memory(
        self, principal: Principal, run: BegunRun, effect: EffectRecord, agent_id: UUID, entry: NewMemory | None
    ) -> None:
        """In one transaction: claim an effect as performed, and remember `entry`, or for None forget the effect's key.

        Raises:
            StaleRunError, EffectClaimedError, UnknownAgentError, MemoryFullError: nothing was changed.
        """
        if entry is None:
            forgotten = {"agent_id": str(agent_id), "key": effect.request["key"]}
            await self._apply(principal, run, effect, {"action": "delete_memory", "memory": forgotten})
            return
        remembered = {"action": "put_memory", "memory": memory_arguments(agent_id, entry)}
        try:
            await self._apply(principal, run, effect, remembered)
        except RefusedValueError as exc:
            raise_full(exc)
            if exc.constraint == "run_effects_without_target":
                raise UnknownAgentError(str(agent_id)) from exc
            raise

    async def apply_file(self, principal: Principal, run: BegunRun, effect: EffectRecord, file: NewFile) -> None:
        """In one transaction: claim an effect as performed, and let the run have the file.

        Raises:
            StaleRunError, EffectClaimedError, TooManyFilesError: nothing was changed.
        """
        try:
            await self._apply(principal, run, effect, {"action": "add_file", "file": file_arguments(run.run_id, file)})
        except RefusedValueError as exc:
            raise_too_many(exc)
            raise

    async def _apply(self, principal: Principal, run: BegunRun, effect: EffectRecord, what: Arguments) -> None:
        arguments = {"effect": _effect_arguments(run, effect), **what}
        try:
            applied = await self.call(principal, "apply_effect", arguments)
        except RefusedValueError as exc:
            _raise_claimed(exc, run, effect)
            raise
        if not applied["claimed"]:
            raise StaleRunError(f"run {run.run_id} is not at revision {run.revision} any more")


def _raise_claimed(refused: RefusedValueError, run: BegunRun, effect: EffectRecord) -> None:
    if refused.constraint in _CLAIMED_ONCE:
        raise EffectClaimedError(f"effect {effect.seq} of run {run.run_id} was claimed") from refused


def _effect_arguments(run: BegunRun, effect: EffectRecord) -> dict[str, Any]:
    return {
        **effect_row(effect),
        "run_id": str(run.run_id),
        "revision": run.revision,
        "request": storable_json(effect.request),
        "response": None if effect.response is None else storable_json(effect.response),
        "error": None if effect.error is None else storable_json(effect.error),
        "status": effect.status.value,
    }


def _apply_arguments(start: ApplyStart) -> Arguments:
    reads = [{"agent_id": str(read.agent_id), "key": read.key, "revision": read.revision} for read in start.reads]
    return {
        "run_id": str(start.run_id),
        "source_run_id": str(start.dry_run_id),
        "reads": to_json(reads),
        "agent_id": str(start.agent_id),
        "version": start.version,
        "inputs": to_json({"run_id": str(start.dry_run_id)}),
        "wall": start.wall,
        "wall_missing": list(start.wall_missing),
        "server_id": str(start.server_id),
    }
