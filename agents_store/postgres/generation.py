"""Generations: begun and finished in one round trip each, listed, shown, reaped when their server is dead."""

import asyncio
from time import monotonic
from uuid import UUID

from psycopg.types.numeric import Int4, Int8

from agents_store.errors import (
    GenerationUnaffordableError,
    StaleGenerationError,
    StoreError,
    StoreUnavailableError,
    UnknownEngineError,
    UnknownGenerationError,
)
from agents_store.generations import (
    Engine,
    Generation,
    GenerationEnd,
    GenerationKind,
    GenerationStart,
    GenerationState,
    TokenUsage,
)
from agents_store.postgres.connection import claims_of
from agents_store.postgres.cursors import decode_cursor
from agents_store.postgres.database import AFTER_EVERY_UUID, the, to_page
from agents_store.postgres.queries import query
from agents_store.postgres.rows import Row
from agents_store.postgres.runs import ABANDONED_S_MAX, RunRoom
from agents_store.postgres.storable import storable_json, storable_text
from agents_store.types import Page, Principal

REAP_BATCH_GENERATIONS = 100
TOKENS_MAX = 2**40  # beyond any provider's count, and within what the price is computed in


class GenerationRoom(RunRoom):
    """The part of the store that keeps generations: held, settled and reaped as runs are."""

    def __init__(self, dsn: str, *, pool_max: int, listen_dsn: str | None = None) -> None:
        """See `Database`."""
        super().__init__(dsn, pool_max=pool_max, listen_dsn=listen_dsn)
        self._abandoned_generations: dict[UUID, float] = {}

    async def read_engine(self, principal: Principal) -> Engine:
        """The rows that generations go by, as they are now. Raises UnknownEngineError."""
        rows = await self.as_user(principal, "read_engine", {})
        if not rows:
            raise UnknownEngineError("the table prompts has no row `generation`")
        return Engine(**rows[0])

    async def begin_generation(self, principal: Principal, start: GenerationStart) -> int:
        """In one round trip: hold the worst case at the model's prices, insert the generation. The hold.

        Raises:
            GenerationUnaffordableError, UnknownEngineError: nothing was held.
            StoreUnavailableError: nothing was held, or `reap` will release it.
        """
        params = {
            "claims": claims_of(principal.user_id),
            "generation_id": start.generation_id,
            "kind": start.kind.value,
            "agent_name": start.agent_name,
            "request": start.request,
            "model": start.model,
            "prompt_version": Int4(start.prompt_version),
            "attempts_max": Int4(start.attempts_max),
            "input_tokens_max": Int8(start.input_tokens_max),
            "output_tokens_max": Int8(start.output_tokens_max),
            "server_id": start.server_id,
        }
        try:
            async with self.connection() as conn:
                begun = await (await conn.execute(query("begin_generation"), params)).fetchone()
        except (StoreUnavailableError, asyncio.CancelledError):
            # It may have committed, and this server lives on: nobody else would ever end it.
            self._abandoned_generations[start.generation_id] = monotonic() + ABANDONED_S_MAX
            raise
        status, hold, available = the(begun)
        match status:
            case "begun":
                return int(hold)
            case "unknown_model":
                raise UnknownEngineError(f"the table models has no row {start.model!r}")
            case "insufficient":
                raise GenerationUnaffordableError(hold, available)
        raise StoreError(f"begin_generation answered {status!r}")

    async def finish_generation(self, principal: Principal, generation_id: UUID, end: GenerationEnd) -> int:
        """In one round trip: settle by the tokens used, or release where none cost anything. The charge.

        Raises:
            StaleGenerationError: somebody else ended it; nothing was changed.
            StoreUnavailableError: try again; if StaleGenerationError answers that, this one may have been stored.
        """
        params = {
            "claims": claims_of(principal.user_id),
            "generation_id": generation_id,
            "state": end.state.value,
            "reason": None if end.reason is None else storable_text(end.reason),
            **{name: Int8(tokens) for name, tokens in token_counts(end.usage).items()},
            "attempts": storable_json(end.attempts),
            "version": None if end.version is None else Int4(end.version),
        }
        async with self.connection() as conn:
            ended = await (await conn.execute(query("finish_generation"), params)).fetchone()
        finished, charge = the(ended)
        if not finished:
            raise StaleGenerationError(f"generation {generation_id} has ended already")
        return int(charge)

    async def get_generation(self, principal: Principal, generation_id: UUID) -> Generation:
        """One of the caller's generations. Raises UnknownGenerationError."""
        rows = await self.as_user(principal, "get_generation", {"generation_id": generation_id})
        if not rows:
            raise UnknownGenerationError(f"no generation {generation_id}")
        return to_generation(rows[0])

    async def list_generations(self, principal: Principal, *, limit: int, cursor: str | None) -> Page[Generation]:
        """The caller's generations, newest first.

        Raises:
            ValueError: `cursor` is none of this method, or `limit` is not 1 to 1,000.
        """
        before = UUID(int=AFTER_EVERY_UUID if cursor is None else decode_cursor("generations", cursor))
        rows = await self.page(principal, "list_generations", limit, {"before": before})
        return to_page("generations", rows, limit, to_generation)

    async def reap(self) -> int:
        """End runs and generations as `RunRoom.reap` says. How many it ended."""
        reaped = await super().reap()
        now = monotonic()
        abandoned = {known: until for known, until in self._abandoned_generations.items() if until > now}
        self._abandoned_generations = abandoned
        params = {
            "generations_max": Int4(REAP_BATCH_GENERATIONS),
            "abandoned": list(abandoned),
            "server_id": self._server_id,
        }
        while True:
            batch = int(await self.as_login("reap_generations", params))
            reaped += batch
            if batch < REAP_BATCH_GENERATIONS:
                return reaped


def token_counts(usage: TokenUsage) -> dict[str, int]:
    """Tokens by column, within what the column takes: they are another's word."""
    counted = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
    }
    return {name: min(max(0, tokens), TOKENS_MAX) for name, tokens in counted.items()}


def to_generation(row: Row) -> Generation:
    """A generation; the columns are exactly the record's fields, with its tokens apart."""
    known = {name: value for name, value in row.items() if not name.endswith("_tokens")}
    known["kind"] = GenerationKind(row["kind"])
    known["state"] = GenerationState(row["state"])
    usage = TokenUsage(**{name: tokens for name, tokens in row.items() if name.endswith("_tokens")})
    return Generation(**known, usage=usage)
