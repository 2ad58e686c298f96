"""What passes between a server and its sandbox host, when the other end says anything at all."""

import asyncio
import json
import socket
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.errors import SandboxBusyError, SandboxLostError, TierUnavailableError
from sandbox.remote import wire
from sandbox.remote.connection import FRAMES_WAITING_MAX, Connection
from sandbox.remote.wire import HEADER, Kind, TierState, WireError
from sandbox.types import (
    GloveError,
    GloveFault,
    Limits,
    LogLine,
    Outcome,
    Program,
    Refusal,
    Result,
    Tier,
    Wall,
    WallKind,
)
from tests.support.gloves import FixedGloves

HEARD_S_MAX = 10
LIMITS = Limits()
STATE = TierState((), Wall(WallKind.FULL, (), ("seccomp",)), {"ready": 1})
Reader = Callable[[bytes], object]

RESULT = asyncio.run(wire.pack_result(Result(Outcome.SUCCEEDED, [1])))

READERS: dict[str, tuple[Reader, bytes]] = {
    "job": (wire.read_job, wire.pack_job(Tier.MONTY, Program("x"), {"a": [1]}, LIMITS, FixedGloves())),
    "check": (wire.read_check, wire.pack_check(Tier.RESTRICTED, Program("x"))),
    "state": (wire.read_state, wire.pack_state({Tier.DOCKER: STATE})),
    "line": (wire.read_line, wire.pack_line(LogLine(1, "said", {"n": 1}))),
    "call": (wire.read_call, wire.pack_call(1, "fetch", {"url": "u"})),
    "answer": (wire.read_answer, wire.pack_answer(1, None, GloveError(GloveFault.TIMEOUT, "slow"))),
    "result": (lambda payload: wire.read_result(payload, ()), RESULT),
    "refusals": (wire.read_refusals, wire.pack_refusals([Refusal(1, 2, "import", "no")])),
    "unavailable": (wire.read_failure, wire.pack_failure(TierUnavailableError(Tier.DOCKER, ("engine",)))),
    "busy": (wire.read_failure, wire.pack_failure(SandboxBusyError(2))),
    "lost": (wire.read_failure, wire.pack_failure(SandboxLostError("gone"))),
}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=10) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def only_wire_errors(read: Reader, payload: bytes) -> None:
    with suppress(WireError):
        read(payload)


@pytest.mark.parametrize("kind", READERS)
def test_what_was_packed_is_read(kind: str) -> None:
    read, frame = READERS[kind]

    read(frame[HEADER.size :])


@pytest.mark.parametrize("kind", READERS)
@given(noise=st.binary(max_size=80), value=json_values, data=st.data())
@settings(max_examples=25, deadline=None)
def test_whatever_comes_instead_is_told_as_one_error(
    kind: str, noise: bytes, value: object, data: st.DataObject
) -> None:
    read, frame = READERS[kind]
    good = json.loads(frame[HEADER.size :])

    only_wire_errors(read, noise)
    only_wire_errors(read, json.dumps(value).encode())
    place = data.draw(st.integers(0, len(good) - 1))
    only_wire_errors(read, json.dumps([*good[:place], value, *good[place + 1 :]]).encode())
    only_wire_errors(read, b"[" * 200_000)


frames_sent = st.lists(st.tuples(st.integers(0, 12), st.binary(max_size=60)), max_size=8)


@given(frames=frames_sent, noise=st.binary(max_size=20), cut=st.integers(1, 50))
@settings(max_examples=60, deadline=None)
def test_frames_arrive_whole_and_in_order_until_one_is_unknown(
    frames: list[tuple[int, bytes]], noise: bytes, cut: int
) -> None:
    data = b"".join(HEADER.pack(kind, len(payload)) + payload for kind, payload in frames) + noise
    known = [(Kind(kind), payload) for kind, payload in _known(frames)]

    heard = asyncio.run(_hear(data, cut))

    assert heard[: len(known)] == known
    if len(known) < len(frames):
        assert len(heard) == len(known)  # nor is what comes behind it


def test_flood_of_frames_is_not_read_before_it_is_wanted() -> None:
    async def flood() -> int:
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        _, connection = await asyncio.get_running_loop().create_unix_connection(Connection, sock=ours)
        frame = HEADER.pack(Kind.LOG, 1_000) + b"x" * 1_000
        sent = 0
        with theirs:
            for _ in range(200):
                await asyncio.sleep(0)
                try:
                    sent += theirs.send(frame * 64)
                except BlockingIOError:
                    continue
            connection.abort()
        return sent // len(frame)

    assert asyncio.run(flood()) < 10 * FRAMES_WAITING_MAX


def _known(frames: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    kinds = set(Kind)
    stop = next((place for place, (kind, _) in enumerate(frames) if kind not in kinds), len(frames))
    return frames[:stop]


async def _hear(data: bytes, cut: int) -> list[tuple[Kind, bytes]]:
    ours, theirs = socket.socketpair()
    _, connection = await asyncio.get_running_loop().create_unix_connection(Connection, sock=ours)
    heard: list[tuple[Kind, bytes]] = []

    async def listen() -> None:
        while True:
            heard.append(await connection.receive())

    listening = asyncio.create_task(listen())
    with theirs:
        for start in range(0, len(data), cut):
            try:
                theirs.sendall(data[start : start + cut])
            except BrokenPipeError:  # it was hung up on
                break
            await asyncio.sleep(0)
    with pytest.raises(ConnectionError):
        await asyncio.wait_for(listening, HEARD_S_MAX)
    connection.abort()
    return heard
