import asyncio
from collections.abc import AsyncIterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest

from agents_store.errors import StoreUnavailableError
from server.account import export
from server.account.export import CHUNK_BYTES, ExportResponse


class Slot:
    """Counts who is in it."""

    def __init__(self) -> None:
        self.taken = 0

    @contextmanager
    def hold(self) -> Any:
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1


async def lines(*texts: str, then: Exception | None = None) -> AsyncIterator[str]:
    for text in texts:
        yield text
    if then is not None:
        raise then


async def unread() -> Any:
    raise AssertionError("the response read the request")


def response_of(source: AsyncIterator[str], slot: Slot) -> ExportResponse:
    held = slot.hold()
    held.__enter__()
    return ExportResponse(uuid4(), source, held)


async def test_lines_go_out_in_bounded_pieces_and_free_the_slot() -> None:
    slot, sent = Slot(), []

    async def send(message: Any) -> None:
        sent.append(message)

    response = response_of(lines(*["x" * 1_000] * 200), slot)
    assert slot.taken == 1
    await response({"type": "http"}, unread, send)

    bodies = [message["body"] for message in sent[1:]]
    assert b"".join(bodies) == b"".join([b"x" * 1_000 + b"\n"] * 200)
    assert max(map(len, bodies)) < CHUNK_BYTES + 1_001
    assert [message.get("more_body") for message in sent[1:]] == [True] * (len(sent) - 2) + [False]
    assert slot.taken == 0


async def test_reader_who_takes_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "SEND_S_MAX", 0.02)
    slot = Slot()

    async def never(message: Any) -> None:
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await response_of(lines("a"), slot)({"type": "http"}, unread, never)
    assert slot.taken == 0


async def test_failure_before_the_first_line_can_still_be_a_problem_document() -> None:
    slot, sent = Slot(), []

    async def send(message: Any) -> None:
        sent.append(message)

    with pytest.raises(StoreUnavailableError):
        await response_of(lines(then=StoreUnavailableError()), slot)({"type": "http"}, unread, send)
    assert (sent, slot.taken) == ([], 0)


async def test_failure_later_ends_the_answer_without_its_end() -> None:
    slot, sent = Slot(), []

    async def send(message: Any) -> None:
        sent.append(message)

    with pytest.raises(StoreUnavailableError):
        await response_of(lines("x" * CHUNK_BYTES, then=StoreUnavailableError()), slot)({"type": "http"}, unread, send)
    assert sent[-1]["more_body"] is True
    assert slot.taken == 0
