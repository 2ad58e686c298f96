"""The host's end of one child: the job in, frames out, and the certainty that it ends.

Everything that comes out is untrusted bytes: kinds, sizes and order are checked here, and a child that breaks the
protocol is killed. Outcome and usage are this side's word.
"""

import asyncio
import marshal
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sandbox.errors import SandboxLostError, TierUnavailableError
from sandbox.guest.frames import HEADER, Kind
from sandbox.restricted.meter import Meter, Watch
from sandbox.restricted.zygote import End, Forked
from sandbox.types import Limits, LogLine, Outcome, Tier, Usage
from sandbox.untrusted import UnreadableError, read_log

READY_S_MAX = 10.0
END_REPORT_S_MAX = 2.0
# What a log line costs beyond its text, so that endless empty lines meet the limit too.
LOG_LINE_BYTES = 64
# Compiled code, refusals and errors are ours to bound: no limit of the run speaks of them.
_OTHER_FRAME_BYTES_MAX = 8 * 1024 * 1024
_RECEIVE_BYTES = 64 * 1024
_FINAL = frozenset({Kind.REFUSED, Kind.VALUE, Kind.BAD_RESULT, Kind.ERROR, Kind.NO_MEMORY})
_WHILE_COMPILING = frozenset({Kind.CODE, Kind.REFUSED})
_ALWAYS = frozenset({Kind.NO_MEMORY})

WriteLine = Callable[[LogLine], None]


@dataclass(slots=True)
class Report:
    """What one job came to: `condemned` when the host ended it, else the `final` frame, else how it died by itself.

    `exceeded` names the limit that a condemned run went over, None when it broke the protocol. `log` takes each line.
    """

    condemned: Outcome | None = None
    exceeded: str | None = None
    final: tuple[Kind, bytes] | None = None
    end: End | None = None
    code: bytes | None = None
    logs: list[LogLine] = field(default_factory=list)
    log: WriteLine | None = None
    output_bytes: int = 0
    usage: Usage = field(default_factory=Usage)


class ProtocolError(Exception):
    """The child sent what no honest child sends."""


class Child:
    """A sealed child that waits for its one job."""

    def __init__(self, forked: Forked, channel: socket.socket) -> None:
        self._forked = forked
        self._channel = channel
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._condemned: Outcome | None = None
        self._exceeded: str | None = None
        self._meter: Meter | None = None

    @property
    def alive(self) -> bool:
        """Whether its end has not been reported."""
        return not self._forked.ended.done()

    async def wait_ready(self) -> None:
        """Wait until the wall stands and take the baseline of use.

        Raises TierUnavailableError naming the missing piece, SandboxLostError when the child died.
        """
        async with asyncio.timeout(READY_S_MAX):
            frame = await self._next_frame(_OTHER_FRAME_BYTES_MAX)
        if frame is None:
            raise SandboxLostError("a child died before it was ready")
        kind, payload = frame
        if kind != Kind.READY:
            raise TierUnavailableError(Tier.RESTRICTED, (payload.decode(errors="replace"),))
        self._meter = Meter(self._forked.pid)

    async def do(self, job: Mapping[str, Any], limits: Limits, watch: Watch, log: WriteLine | None = None) -> Report:
        """Do the one job under `limits`, handing out log lines as they come.

        The child does not survive this, however it ends.

        Raises SandboxLostError when the zygote died under it.
        """
        assert self._meter is not None, "wait_ready() comes first"  # noqa: S101 - a defect of ours, not of the program
        report = Report(log=log)
        started_ns = time.perf_counter_ns()
        timer = self._loop.call_later(limits.wall_ms_max / 1000, self.condemn, Outcome.TIMED_OUT, "wall_ms_max")
        watch.add(self._meter, limits, self.condemn)
        try:
            await self._exchange({**job, "rlimits": self._meter.rlimits(limits)}, limits, report, started_ns)
        except (ProtocolError, UnreadableError):
            self.condemn(Outcome.FAILED, None)
        except ConnectionError:
            pass  # it died by itself; how, is in its end
        finally:
            timer.cancel()
            watch.remove(self._meter)
            self._measure(report, started_ns)
            self.kill()
        report.condemned, report.exceeded = self._condemned, self._exceeded
        if report.final is None and report.condemned is None:
            await self._learn_end(report)
        return report

    def condemn(self, outcome: Outcome, exceeded: str | None) -> None:
        """End the run with this outcome, naming the limit that it went over; the first word counts."""
        if self._condemned is None:
            self._condemned, self._exceeded = outcome, exceeded
            if self._meter is not None:
                self._meter.read()
            with suppress(ProcessLookupError):  # it may have died by itself in this very moment
                signal.pidfd_send_signal(self._forked.pidfd, signal.SIGKILL)

    def kill(self) -> None:
        """End the child and free both descriptors. Idempotent."""
        if self._channel.fileno() < 0:
            return
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._forked.pidfd, signal.SIGKILL)
        os.close(self._forked.pidfd)
        self._channel.close()

    async def _exchange(self, job: dict[str, Any], limits: Limits, report: Report, started_ns: int) -> None:
        packed = marshal.dumps(job)
        await self._loop.sock_sendall(self._channel, HEADER.pack(Kind.JOB, len(packed)) + packed)
        # Code and refusals come before the program's first step; later ones would be forged by what ran.
        compiling = job["code"] is None
        while (frame := await self._next_frame(limits.output_bytes_max)) is not None:
            kind, payload = frame
            if compiling != (kind in _WHILE_COMPILING) and kind not in _ALWAYS:
                raise ProtocolError
            if kind in _FINAL:
                report.final = (kind, payload)
                report.output_bytes += len(payload) if kind == Kind.VALUE else 0
                return
            if kind == Kind.CODE:
                report.code, compiling = payload, False
                if job["op"] == "check":
                    report.final = frame
                    return
            elif kind == Kind.LOG:
                self._take_log(payload, limits, report, (time.perf_counter_ns() - started_ns) // 1_000_000)
            else:
                raise ProtocolError

    def _take_log(self, payload: bytes, limits: Limits, report: Report, at_ms: int) -> None:
        report.output_bytes += len(payload) + LOG_LINE_BYTES
        if report.output_bytes > limits.output_bytes_max:
            self.condemn(Outcome.TOO_MUCH_OUTPUT, "output_bytes_max")
            return
        line = LogLine(at_ms, *read_log(payload))
        report.logs.append(line)
        if report.log is not None:
            report.log(line)

    async def _next_frame(self, output_bytes_max: int) -> tuple[Kind, bytes] | None:
        """The next frame, None at the end of the channel. A frame over its bound condemns the run."""
        if not await self._fill(HEADER.size):
            return None
        number, length = HEADER.unpack_from(self._buffer)
        try:
            kind = Kind(number)
        except ValueError as error:
            raise ProtocolError from error
        if kind in (Kind.VALUE, Kind.LOG) and length > output_bytes_max:
            outcome = Outcome.BAD_RESULT if kind == Kind.VALUE else Outcome.TOO_MUCH_OUTPUT
            self.condemn(outcome, "output_bytes_max")
            return None
        if length > max(_OTHER_FRAME_BYTES_MAX, output_bytes_max):
            raise ProtocolError
        if not await self._fill(HEADER.size + length):
            return None
        payload = bytes(self._buffer[HEADER.size : HEADER.size + length])
        del self._buffer[: HEADER.size + length]
        return kind, payload

    async def _fill(self, count: int) -> bool:
        while len(self._buffer) < count:
            try:
                received = await self._loop.sock_recv(self._channel, _RECEIVE_BYTES)
            except ConnectionError:
                return False
            if not received:
                return False
            self._buffer += received
            if len(received) == _RECEIVE_BYTES:
                await asyncio.sleep(0)  # a flood is read in turns with everybody else's work
        return True

    def _measure(self, report: Report, started_ns: int) -> None:
        assert self._meter is not None  # noqa: S101
        report.usage = Usage(
            wall_ms=(time.perf_counter_ns() - started_ns) // 1_000_000,
            cpu_ms=self._meter.read().cpu_ns // 1_000_000,
            peak_memory_bytes=self._meter.read().peak_bytes,
            output_bytes=report.output_bytes,
        )

    async def _learn_end(self, report: Report) -> None:
        try:
            report.end = await asyncio.wait_for(asyncio.shield(self._forked.ended), END_REPORT_S_MAX)
        except TimeoutError as error:
            raise SandboxLostError("the zygote does not tell how a child ended") from error
