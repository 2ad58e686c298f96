"""Progress is told in order, and held for its reader within bounds."""

import asyncio
from typing import Any

from server.codegen import progress as module
from server.codegen.progress import Progress
from tests.support.messages_api import agent_text

CODE = "def run(inputs):\n    return 'ü\\n\"'\n" * 50


async def all_of(progress: Progress) -> list[tuple[str, Any]]:
    return [event async for event in progress.events(1.0) if event is not None]


async def test_code_is_told_once_whatever_the_pieces() -> None:
    progress = Progress()
    progress.begin_attempt(1)
    text = agent_text(CODE)
    reading = asyncio.create_task(all_of(progress))
    for at in range(0, len(text), 7):
        progress.take_text(text[at : at + 7])
        if at % 700 == 0:
            await asyncio.sleep(module.CODE_PAUSE_S * 1.5)
    progress.tell_code(CODE)
    progress.end()
    events = await reading

    assert len(events) > 2
    assert {name for name, _ in events} == {"code"}
    assert "".join(data["text"] for _, data in events) == CODE


async def test_code_that_nobody_reads_is_one_event_for_each_attempt() -> None:
    progress = Progress()
    for attempt in (1, 2):
        progress.begin_attempt(attempt)
        for length in range(1, 500):
            progress.tell_code("x" * length)
    progress.end()

    assert await all_of(progress) == [
        ("code", {"attempt": 1, "text": "x" * 499}),
        ("code", {"attempt": 2, "text": "x" * 499}),
    ]


async def test_quiet_is_told_too() -> None:
    progress = Progress()
    events = progress.events(0.01)

    assert await anext(events) is None
    progress.step("checking", step="checking")
    assert await anext(events) == ("progress", {"message": "checking", "attempt": 0, "step": "checking"})


async def test_text_that_is_no_answer_tells_nothing() -> None:
    for text in ("Here you are: {", "[1, 2", '{"code": 1', '{"code": {"a": "b"}}'):
        progress = Progress()
        progress.begin_attempt(1)
        progress.take_text(text)
        await asyncio.sleep(module.CODE_PAUSE_S * 2)
        progress.end()

        assert await all_of(progress) == []
