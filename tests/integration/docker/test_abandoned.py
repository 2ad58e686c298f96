"""Answers of the engine that come when nobody waits for them any more: what they brought is undone."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest

from sandbox.docker.container import Container, Recipe
from sandbox.docker.engine import Engine, EngineError
from sandbox.docker.spec import Shape
from sandbox.types import Limits
from tests.integration.docker.test_engine import until
from tests.integration.docker.test_pool import containers
from tests.support.docker_engine import TAG, engine, engine_url, guest_image
from tests.support.docker_sandbox import new_lease

GONE_S_MAX = 20
SHAPE = Shape.of(Limits(), packages=False)

Answer = TypeVar("Answer")


class HeldEngine(Engine):
    """Holds the answer to one question back until `release` is called.

    Args:
        held: the name of what is asked.
    """

    def __init__(self, held: str) -> None:
        super().__init__(engine_url())
        self._held = held
        self._answered, self._released = threading.Event(), threading.Event()
        self.answers: defaultdict[str, list[Any]] = defaultdict(list)

    async def until_answered(self) -> None:
        assert await asyncio.to_thread(self._answered.wait, 20)

    async def release(self) -> None:
        self._released.set()
        await self.settle()

    def _ask(self, ask: Callable[..., Answer], *args: Any) -> Answer:
        answer = super()._ask(ask, *args)
        self.answers[ask.__name__].append(answer)
        if ask.__name__ == self._held:
            self._answered.set()
            assert self._released.wait(20)
        return answer


@asynccontextmanager
async def held_engine(held: str) -> AsyncIterator[tuple[HeldEngine, Recipe]]:
    with engine() as client:
        guest_image(client)
    opened, lease = HeldEngine(held), new_lease()
    try:
        pin, runtime = await opened.connect(TAG, None)
        yield opened, Recipe(pin.id, runtime, lambda: lease)
    finally:
        opened.close()


async def assert_nothing_left(opened: HeldEngine, recipe: Recipe) -> None:
    assert opened.answers["_create"] != []  # else there was nothing to undo
    with engine() as client:
        await until(lambda: not containers(client, recipe.lease()), GONE_S_MAX)
    assert all(attachment.socket.fileno() == -1 for attachment in opened.answers["attach"])


@pytest.mark.parametrize("held", ["_create", "attach", "start"])
async def test_start_that_is_given_up_leaves_neither_container_nor_socket(held: str) -> None:
    async with held_engine(held) as (opened, recipe):
        starting = asyncio.create_task(Container.start(opened, recipe, SHAPE))
        await opened.until_answered()

        starting.cancel()
        await asyncio.wait([starting])
        await opened.release()

        assert len(opened.answers["attach"]) == (held != "_create")
        await assert_nothing_left(opened, recipe)


@pytest.mark.parametrize("held", ["_create", "attach"])
async def test_answer_that_takes_too_long_is_undone_when_it_comes(held: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with held_engine(held) as (opened, recipe):
        monkeypatch.setattr("sandbox.docker.engine.CALL_S_MAX", 2)
        with pytest.raises(EngineError, match="slow to answer"):
            await Container.start(opened, recipe, SHAPE)

        await opened.until_answered()
        await opened.release()

        await assert_nothing_left(opened, recipe)


async def test_answer_that_somebody_took_is_not_undone() -> None:
    undone: list[int] = []
    async with held_engine("nothing") as (opened, _):
        assert await opened.call(abs, -3, undo=undone.append) == 3

        await opened.settle()

        assert undone == []
