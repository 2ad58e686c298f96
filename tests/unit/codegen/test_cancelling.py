"""A generation that is cancelled ends, however early that is."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from agents_store.errors import UnknownAgentError
from agents_store.generations import Engine, GenerationEnd, GenerationStart, GenerationState, TokenUsage
from agents_store.types import Principal
from sandbox.types import Limits
from server.agents.schemas import CreateAgent
from server.codegen.loop import Loop
from server.codegen.service import Generations
from server.invocations.admission import Admission
from server.invocations.live import LiveRuns
from server.leases import Lease

ALICE = Principal(uuid4())


class SlowStore:
    """Begins a generation when it is let, and takes its end."""

    def __init__(self) -> None:
        self.asked, self.let, self.ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.ends: list[GenerationEnd] = []

    async def get_agent(self, principal: Principal, agent_name: str) -> Any:
        raise UnknownAgentError(agent_name)

    async def read_engine(self, principal: Principal) -> Engine:
        return Engine(1, "Write.", 2, "some-model", None, 100_000, 4_000, 60_000, 2)

    async def begin_generation(self, principal: Principal, start: GenerationStart) -> int:
        self.asked.set()
        await self.let.wait()
        return 5

    async def finish_generation(self, principal: Principal, generation_id: UUID, end: GenerationEnd) -> int:
        self.ends.append(end)
        self.ended.set()
        return 0


class UnaskedModel:
    """Is there, and to be asked nothing."""

    def __init__(self) -> None:
        self.requests = 0

    def require(self) -> None:
        pass

    async def answer(self, *_: Any) -> Any:
        self.requests += 1
        raise TimeoutError

    async def close(self) -> None:
        pass


async def test_who_leaves_before_the_hold_stands_has_the_model_asked_nothing() -> None:
    store, model, live = SlowStore(), UnaskedModel(), LiveRuns()
    anything: Any = None
    generations = Generations(
        store=store,  # type: ignore[arg-type] # what a generation needs of a store
        model=model,  # type: ignore[arg-type] # likewise
        loop=Loop(model, anything),
        lease=Lease(store, retention=timedelta(days=1)),  # type: ignore[arg-type] # only its id is asked for
        admission=Admission(
            runs_live_max=1, runs_waiting_max=1, run_wait_ms_max=1_000, user_runs_live_max=1, user_dry_runs_live_max=1
        ),
        live=live,
        contracts=anything,
        ceilings=Limits(),
        generations_live_max=1,
    )
    asked = CreateAgent(agent_name="double", description="doubles n")
    creating = asyncio.create_task(generations.create(ALICE, asked))
    await asyncio.wait_for(store.asked.wait(), 10)
    creating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await creating
    store.let.set()
    await asyncio.wait_for(store.ended.wait(), 10)
    assert await live.wait(10)
    await generations.close()

    (end,) = store.ends
    assert (end.state, end.usage, model.requests) == (GenerationState.CANCELLED, TokenUsage(), 0)
