"""The host's end of the channel against guests that follow the protocol, break it, and flood it."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.dialogue import CALL_BYTES_MAX, Dialogue, Heard, ProtocolError
from sandbox.guest.frames import HEADER, Kind
from sandbox.types import GloveError, GloveFault, JsonValue, Limits, Outcome, RunStoppedError
from sandbox.untrusted import UnreadableError
from tests.support.gloves import FixedGloves

LIMITS = Limits(output_bytes_max=1_000, effects_bytes_max=1_000)


class Script:
    """A channel that gives what was written down, in pieces, and then ends."""

    def __init__(self, data: bytes, piece: int = 65_536) -> None:
        self.data = data
        self.piece = piece
        self.sent = b""

    async def receive(self) -> bytes:
        part, self.data = self.data[: self.piece], self.data[self.piece :]
        return part

    async def send(self, data: bytes) -> None:
        self.sent += data


def frame(kind: int, payload: bytes = b"") -> bytes:
    return HEADER.pack(kind, len(payload)) + payload


def call(glove: str = "fetch", arguments: Mapping[str, Any] | None = None) -> bytes:
    return frame(Kind.CALL, json.dumps({"glove": glove, "arguments": arguments or {}}).encode())


class Told:
    """One dialogue, what it heard and how it condemned."""

    def __init__(self, data: bytes, gloves: FixedGloves | None = None, piece: int = 65_536) -> None:
        self.channel = Script(data, piece)
        self.condemned: list[tuple[Outcome, str | None]] = []
        self.dialogue = Dialogue(self.channel, lambda outcome, limit: self.condemned.append((outcome, limit)))
        self.heard = Heard()
        self.logged_bytes = 0
        self.gloves = gloves or FixedGloves()

    async def follow(self, *, compiling: bool = False) -> Heard:
        await self.dialogue.follow(LIMITS, self.heard, self.gloves, self._logged, compiling=compiling)
        return self.heard

    async def _logged(self, size_bytes: int) -> None:
        self.logged_bytes += size_bytes


async def test_lines_and_the_result_arrive_in_order_however_they_are_cut() -> None:
    line = json.dumps({"message": "one", "fields": {"n": 1}}).encode()
    told = Told(frame(Kind.LOG, line) + frame(Kind.VALUE, b"[1]") + frame(Kind.VALUE, b"[2]"), piece=1)

    heard = await told.follow()

    assert heard.final == (Kind.VALUE, b"[1]")
    assert [(found.message, found.fields) for found in heard.logs] == [("one", {"n": 1})]
    assert told.gloves.lines == heard.logs


async def test_glove_answers_and_faults_go_back_as_frames() -> None:
    async def answer(glove: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        if glove == "fetch":
            return {"é": [1]}
        raise GloveError(GloveFault.TIMEOUT, "too slow")

    told = Told(call("fetch", {"url": "u"}) + call("call"), FixedGloves(answer=answer))

    await told.follow()

    first, second = (
        json.dumps({"value": {"é": [1]}}, ensure_ascii=False, separators=(",", ":")).encode(),
        (b'{"error":{"type":"TimeoutError","message":"too slow"}}'),
    )
    assert told.channel.sent == frame(Kind.ANSWER, first) + frame(Kind.ANSWER, second)
    assert told.gloves.calls == [("fetch", {"url": "u"}), ("call", {})]


async def test_stopped_dry_run_hears_nothing_more() -> None:
    async def stop(glove: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        raise RunStoppedError

    told = Told(call() + frame(Kind.VALUE, b"1"), FixedGloves(answer=stop))

    heard = await told.follow()

    assert (heard.stopped, heard.final, told.channel.sent) == (True, None, b"")


async def test_interrupted_call_is_cancelled_and_not_answered() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def never(glove: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    told = Told(call(), FixedGloves(answer=never))
    following = asyncio.create_task(told.follow())
    await asyncio.wait_for(began.wait(), 5)
    told.dialogue.interrupt()
    await asyncio.wait_for(following, 5)

    assert ended.is_set()
    assert told.channel.sent == b""


async def test_cancelled_run_cancels_its_call() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def never(glove: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    following = asyncio.create_task(Told(call(), FixedGloves(answer=never)).follow())
    await asyncio.wait_for(began.wait(), 5)
    following.cancel()

    with pytest.raises(asyncio.CancelledError):
        await following
    await asyncio.wait_for(ended.wait(), 5)


@pytest.mark.parametrize(
    ("data", "outcome", "limit"),
    [
        (HEADER.pack(Kind.VALUE, 1_001), Outcome.BAD_RESULT, "output_bytes_max"),
        (HEADER.pack(Kind.LOG, 1_001), Outcome.TOO_MUCH_OUTPUT, "output_bytes_max"),
        (HEADER.pack(Kind.CALL, CALL_BYTES_MAX + 1), Outcome.TOO_MUCH_OUTPUT, "effects_bytes_max"),
        (frame(Kind.LOG, b'{"message":"","fields":{}}') * 12 + call(), Outcome.TOO_MUCH_OUTPUT, "output_bytes_max"),
    ],
    ids=["value", "log", "call", "many lines"],
)
async def test_frame_over_its_bound_condemns_before_it_is_read(data: bytes, outcome: Outcome, limit: str) -> None:
    told = Told(data + b"x" * 100)

    await told.follow()

    assert told.condemned == [(outcome, limit)]
    assert told.heard.final is None
    assert told.gloves.calls == []  # nor is what comes behind it


@pytest.mark.parametrize(
    "data",
    [
        frame(99),
        frame(Kind.JOB),
        frame(Kind.ANSWER, b"{}"),
        frame(Kind.READY),
        frame(Kind.CODE, b"forged"),
        frame(Kind.REFUSED, b"[]"),
        HEADER.pack(Kind.ERROR, 2**31),
    ],
    ids=["unknown", "job", "answer", "ready", "code", "refusal", "endless error"],
)
async def test_what_no_honest_guest_sends_breaks_the_protocol(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        await Told(data).follow()


@pytest.mark.parametrize("kind", [Kind.VALUE, Kind.LOG, Kind.CALL, Kind.RANDOMNESS])
async def test_program_cannot_speak_before_it_was_compiled(kind: Kind) -> None:
    with pytest.raises(ProtocolError):
        await Told(frame(kind, b"{}")).follow(compiling=True)


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b'{"glove":1,"arguments":{}}', b'{"glove":"x","arguments":[]}', b'{"glove":"' + b"x" * 65]
)
async def test_unreadable_call_reaches_no_glove(payload: bytes) -> None:
    told = Told(frame(Kind.CALL, payload))

    with pytest.raises(UnreadableError):
        await told.follow()

    assert told.gloves.calls == []


@given(
    frames=st.lists(st.tuples(st.integers(0, 16), st.binary(max_size=60)), max_size=8),
    noise=st.binary(max_size=20),
    compiling=st.booleans(),
    piece=st.integers(1, 40),
)
@settings(max_examples=300, deadline=None)
def test_any_frames_end_in_a_known_way(
    frames: list[tuple[int, bytes]], noise: bytes, compiling: bool, piece: int
) -> None:
    data = b"".join(frame(kind, payload) for kind, payload in frames) + noise

    async def follow() -> None:
        told = Told(data, piece=piece)
        with suppress(ProtocolError, UnreadableError):
            await asyncio.wait_for(told.follow(compiling=compiling), 5)
        assert sum(len(line.message) for line in told.heard.logs) <= LIMITS.output_bytes_max

    asyncio.run(follow())
