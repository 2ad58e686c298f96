"""The host's end of the channel during one job: what the guest sends is read, bounded and answered here.

Everything that comes out of a guest is untrusted bytes: kinds, sizes and order are checked, and a guest that breaks the
protocol is condemned. Shared by the tiers whose guests speak `sandbox.guest.frames`.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sandbox.guest.frames import HEADER, Kind
from sandbox.offload import compute
from sandbox.types import GloveError, GloveFault, Gloves, JsonValue, Limits, LogLine, Outcome, RunStoppedError, Usage
from sandbox.untrusted import CALL_REFUSED, LOG_LEFT_OUT, CrowdedError, read_call, read_log

# What a log line costs beyond its text, so that endless empty lines meet the limit too.
LOG_LINE_BYTES = 64
# Compiled code, refusals and errors are ours to bound: no limit of the run speaks of them.
OTHER_FRAME_BYTES_MAX = 8 * 1024 * 1024
CALL_BYTES_MAX = 2 * 1024 * 1024  # a file or body of 1 MiB in base64
_FINAL = frozenset({Kind.REFUSED, Kind.VALUE, Kind.BAD_RESULT, Kind.ERROR, Kind.NO_MEMORY})
_WHILE_COMPILING = frozenset({Kind.CODE, Kind.REFUSED})
_ALWAYS = frozenset({Kind.NO_MEMORY})

Condemn = Callable[[Outcome, str | None], None]
Logged = Callable[[int], Awaitable[None]]


class Channel(Protocol):
    """Bytes to and from one guest."""

    async def receive(self) -> bytes:
        """What has come, at most 64 KiB; empty at the end. Raises ConnectionError when the guest is gone."""

    async def send(self, data: bytes) -> None:
        """Send all of it. Raises ConnectionError when the guest is gone."""


class ProtocolError(Exception):
    """The guest sent what no honest guest sends."""


class _Nowhere:
    """The channel of a dialogue that is over."""

    async def receive(self) -> bytes:
        return b""

    async def send(self, data: bytes) -> None:
        raise ConnectionResetError


@dataclass(slots=True)
class Heard:
    """What one job came to, as far as the guest told it.

    `final` is the last frame, None where the guest fell silent or was stopped; `stopped` tells that a glove ended a dry
    run; `code` is a compiled program, opaque.
    """

    final: tuple[Kind, bytes] | None = None
    code: bytes | None = None
    logs: list[LogLine] = field(default_factory=list)
    output_bytes: int = 0
    stopped: bool = False
    replayable: bool = True
    usage: Usage = field(default_factory=Usage)


class Dialogue:
    """Reads one guest's frames and answers its glove calls.

    Args:
        channel: where the guest is.
        condemn: ends the guest with an outcome, naming the limit that it went over.
    """

    def __init__(self, channel: Channel, condemn: Condemn) -> None:
        self._channel = channel
        self._condemn = condemn
        self._buffer = bytearray()
        self._call: asyncio.Future[JsonValue] | None = None
        self._interrupted = False

    def interrupt(self) -> None:
        """The guest was condemned: what it asked for is not waited for, and nothing more that it sent is heard."""
        self._interrupted = True
        if self._call is not None:
            self._call.cancel()

    def close(self) -> None:
        """Let go of both sides, which hold this dialogue: in a ring, all of a run would wait for the collector."""
        self._channel, self._condemn = _Nowhere(), _nobody
        self._buffer.clear()

    async def follow(
        self,
        limits: Limits,
        heard: Heard,
        gloves: Gloves | None,
        logged: Logged,
        *,
        compiling: bool,
        checking: bool = False,
    ) -> None:
        """Take frames until the last one, the end of the channel, or a stop. `heard` grows with each.

        Args:
            limits: of the run.
            heard: where to put what comes.
            gloves: who takes log lines and answers calls; None where no program runs.
            logged: told the bytes of each line; nothing more is read before it returns.
            compiling: whether the guest compiles first: code and refusals come before the program's first step, later
                ones would be forged by what ran.
            checking: whether the job is done once the program is compiled.

        Raises:
            ProtocolError, UnreadableError: the guest is not honest.
            ConnectionError: it is gone.
        """
        started_ns = time.perf_counter_ns()
        while not heard.stopped and (frame := await self.next_frame(limits)) is not None and not self._interrupted:
            kind, payload = frame
            if compiling != (kind in _WHILE_COMPILING) and kind not in _ALWAYS:
                raise ProtocolError
            if kind in _FINAL:
                heard.final = frame
                heard.output_bytes += len(payload) if kind == Kind.VALUE else 0
                return
            if kind == Kind.CODE:
                heard.code, compiling = payload, False
                if checking:
                    heard.final = frame
                    return
            elif kind == Kind.LOG and gloves is not None:
                await self._take_log(payload, limits, heard, gloves, (time.perf_counter_ns() - started_ns) // 1_000_000)
                await logged(len(payload))
            elif kind == Kind.CALL and gloves is not None:
                await self._answer(payload, heard, gloves)
            elif kind == Kind.RANDOMNESS:
                heard.replayable = False
            else:
                raise ProtocolError

    async def next_frame(self, limits: Limits) -> tuple[Kind, bytes] | None:
        """The next frame, None at the end of the channel. A frame over its bound condemns the run.

        Raises ProtocolError, ConnectionError.
        """
        if not await self._fill(HEADER.size):
            return None
        number, length = HEADER.unpack_from(self._buffer)
        try:
            kind = Kind(number)
        except ValueError as error:
            raise ProtocolError from error
        if not self._fits(kind, length, limits):
            return None
        if not await self._fill(HEADER.size + length):
            return None
        payload = bytes(self._buffer[HEADER.size : HEADER.size + length])
        del self._buffer[: HEADER.size + length]
        return kind, payload

    def _fits(self, kind: Kind, length: int, limits: Limits) -> bool:
        if kind in (Kind.VALUE, Kind.LOG):
            if length > limits.output_bytes_max:
                outcome = Outcome.BAD_RESULT if kind == Kind.VALUE else Outcome.TOO_MUCH_OUTPUT
                self._end(outcome, "output_bytes_max")
                return False
        elif kind == Kind.CALL:
            if length > CALL_BYTES_MAX:
                self._end(Outcome.TOO_MUCH_OUTPUT, "effects_bytes_max")
                return False
        elif length > OTHER_FRAME_BYTES_MAX:
            raise ProtocolError
        return True

    def _end(self, outcome: Outcome, exceeded: str) -> None:
        self._condemn(outcome, exceeded)
        self.interrupt()

    async def _take_log(self, payload: bytes, limits: Limits, heard: Heard, gloves: Gloves, at_ms: int) -> None:
        heard.output_bytes += len(payload) + LOG_LINE_BYTES
        if heard.output_bytes > limits.output_bytes_max:
            self._end(Outcome.TOO_MUCH_OUTPUT, "output_bytes_max")
            return
        try:
            line = LogLine(at_ms, *await compute(lambda: read_log(payload), len(payload)))
        except CrowdedError:
            line = LogLine(at_ms, LOG_LEFT_OUT)
        heard.logs.append(line)
        gloves.log(line)

    async def _answer(self, payload: bytes, heard: Heard, gloves: Gloves) -> None:
        try:
            glove, arguments = await compute(lambda: read_call(payload), len(payload))
        except CrowdedError:
            await self._send_answer({"error": {"type": GloveFault.VALUE.value, "message": CALL_REFUSED}})
            return
        if self._interrupted:
            return
        self._call = asyncio.ensure_future(gloves.call(glove, arguments))
        try:
            await asyncio.wait({self._call})  # which a call that `interrupt` cancels ends without an exception here
        finally:
            call, self._call = self._call, None
            call.cancel()  # where this task was cancelled instead
        if call.cancelled():
            return
        error = call.exception()  # raised here, it would hold this frame, which holds the call, which holds it
        if isinstance(error, RunStoppedError):
            heard.stopped = True
            return
        answer: Mapping[str, JsonValue]
        if isinstance(error, GloveError):
            answer = {"error": {"type": error.fault.value, "message": error.message}}
        else:
            answer = {"value": call.result()}
        await self._send_answer(answer)

    async def _send_answer(self, answer: Mapping[str, JsonValue]) -> None:
        packed = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
        await self._channel.send(HEADER.pack(Kind.ANSWER, len(packed)) + packed)

    async def _fill(self, count: int) -> bool:
        while len(self._buffer) < count:
            try:
                received = await self._channel.receive()
            except ConnectionError:
                return False
            if not received:
                return False
            self._buffer += received
        return True


def _nobody(outcome: Outcome, exceeded: str | None) -> None:
    """Whom a dialogue that is over condemns."""
