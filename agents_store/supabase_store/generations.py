"""Generations on a project: begun and finished in one call each, listed, shown, reaped."""

import asyncio
from time import monotonic
from uuid import UUID

from agents_store.errors import (
    GenerationUnaffordableError,
    StaleGenerationError,
    StoreError,
    StoreUnavailableError,
    UnknownEngineError,
    UnknownGenerationError,
)
from agents_store.generations import Engine, Generation, GenerationEnd, GenerationStart
from agents_store.postgres.cursors import decode_cursor
from agents_store.postgres.database import to_page
from agents_store.postgres.generation import REAP_BATCH_GENERATIONS, to_generation, token_counts
from agents_store.postgres.runs import ABANDONED_S_MAX
from agents_store.postgres.storable import storable_json, storable_text
from agents_store.supabase_store.runs import RunRoom
from agents_store.types import Page, Principal

_LISTED = (
    "id,kind,agent_name,request,state,reason,model,prompt_version,hold_microcredits,charge_microcredits,input_tokens,"
    "output_tokens,cache_read_tokens,cache_write_tokens,version,created_at,finished_at"
)


class GenerationRoom(RunRoom):
    """The part of the store that keeps generations: held, settled and reaped as runs are."""

    _abandoned_generations: dict[UUID, float]

    async def open(self) -> None:
        """See `DataApi.open`."""
        self._abandoned_generations = {}
        await super().open()

    async def read_engine(self, principal: Principal) -> Engine:
        """The rows that generations go by, as they are now. Raises UnknownEngineError."""
        found = await self.call(principal, "read_engine", {})
        if found is None:
            raise UnknownEngineError("the table prompts has no row `generation`")
        return Engine(**found)

    async def begin_generation(self, principal: Principal, start: GenerationStart) -> int:
        """In one call: hold the worst case at the model's prices, insert the generation. The hold.

        Raises:
            GenerationUnaffordableError, UnknownEngineError: nothing was held.
            StoreUnavailableError: nothing was held, or `reap` will release it.
        """
        arguments = {
            "generation_id": str(start.generation_id),
            "kind": start.kind.value,
            "agent_name": start.agent_name,
            "request": start.request,
            "model": start.model,
            "prompt_version": start.prompt_version,
            "attempts_max": start.attempts_max,
            "input_tokens_max": start.input_tokens_max,
            "output_tokens_max": start.output_tokens_max,
            "server_id": str(start.server_id),
        }
        try:
            begun = await self.call(principal, "begin_generation", arguments)
        except (StoreUnavailableError, asyncio.CancelledError):
            # It may have committed, and this server lives on: nobody else would ever end it.
            self._abandoned_generations[start.generation_id] = monotonic() + ABANDONED_S_MAX
            raise
        match begun["status"]:
            case "begun":
                return int(begun["hold_microcredits"])
            case "unknown_model":
                raise UnknownEngineError(f"the table models has no row {start.model!r}")
            case "insufficient":
                raise GenerationUnaffordableError(begun["hold_microcredits"], begun["available_microcredits"])
        raise StoreError(f"begin_generation answered {begun['status']!r}")

    async def finish_generation(self, principal: Principal, generation_id: UUID, end: GenerationEnd) -> int:
        """In one call: settle by the tokens used, or release where none cost anything. The charge.

        Raises:
            StaleGenerationError: somebody else ended it; nothing was changed.
            StoreUnavailableError: try again; if StaleGenerationError answers that, this one may have been stored.
        """
        arguments = {
            "generation_id": str(generation_id),
            "state": end.state.value,
            "reason": None if end.reason is None else storable_text(end.reason),
            **token_counts(end.usage),
            "attempts": storable_json(end.attempts),
            "version": end.version,
        }
        ended = await self.call(principal, "finish_generation", arguments)
        if not ended["finished"]:
            raise StaleGenerationError(f"generation {generation_id} has ended already")
        return int(ended["charge_microcredits"])

    async def get_generation(self, principal: Principal, generation_id: UUID) -> Generation:
        """One of the caller's generations. Raises UnknownGenerationError."""
        select = self.table(principal, "generations").select(f"{_LISTED},attempts").eq("id", generation_id)
        rows = await self.rows(select)
        if not rows:
            raise UnknownGenerationError(f"no generation {generation_id}")
        return to_generation(rows[0])

    async def list_generations(self, principal: Principal, *, limit: int, cursor: str | None) -> Page[Generation]:
        """The caller's generations, newest first.

        Raises:
            ValueError: `cursor` is none of this method, or `limit` is not 1 to 1,000.
        """
        before = None if cursor is None else UUID(int=decode_cursor("generations", cursor))
        rows = await self.page(self.table(principal, "generations").select(_LISTED), limit, before=before)
        return to_page("generations", [{**row, "attempts": None} for row in rows], limit, to_generation)

    async def reap(self) -> int:
        """End runs and generations as `RunRoom.reap` says. How many it ended."""
        reaped = await super().reap()
        now = monotonic()
        abandoned = {known: until for known, until in self._abandoned_generations.items() if until > now}
        self._abandoned_generations = abandoned
        arguments = {
            "generations_max": REAP_BATCH_GENERATIONS,
            "abandoned": [str(known) for known in abandoned],
            "server_id": None if self._server_id is None else str(self._server_id),
        }
        while True:
            batch = int(await self.call_as_server("reap_generations", arguments))
            reaped += batch
            if batch < REAP_BATCH_GENERATIONS:
                return reaped
