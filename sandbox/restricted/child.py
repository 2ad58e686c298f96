"""The host's end of one child: the job in, frames out, and the certainty that it ends.

Everything that comes out is untrusted bytes: a child that breaks the protocol is killed. Outcome and usage are this
side's word.
"""

import asyncio
import marshal
import os
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from sandbox.dialogue import Dialogue, Heard, ProtocolError
from sandbox.errors import SandboxLostError, TierUnavailableError
from sandbox.guest.frames import HEADER, Kind
from sandbox.restricted.meter import Meter
from sandbox.restricted.zygote import End, Forked
from sandbox.types import Gloves, Limits, Outcome, Tier, Usage
from sandbox.untrusted import UnreadableError
from sandbox.watch import Watch

READY_S_MAX = 10.0
END_REPORT_S_MAX = 2.0
_RECEIVE_BYTES = 64 * 1024


@dataclass(slots=True)
class Report(Heard):
    """What one job came to: `condemned` when the host ended it, else what the child told, else how it died by itself.

    `exceeded` names the limit that a condemned run went over, None when it broke the protocol.
    """

    condemned: Outcome | None = None
    exceeded: str | None = None
    end: End | None = None


class SocketChannel:
    """A connected, non-blocking socket as a channel."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._loop = asyncio.get_running_loop()

    async def receive(self) -> bytes:
        """See `sandbox.dialogue.Channel`."""
        received = await self._loop.sock_recv(self._socket, _RECEIVE_BYTES)
        if len(received) == _RECEIVE_BYTES:
            await asyncio.sleep(0)  # a flood is read in turns with everybody else's work
        return received

    async def send(self, data: bytes) -> None:
        """See `sandbox.dialogue.Channel`."""
        await self._loop.sock_sendall(self._socket, data)


class Child:
    """A sealed child that waits for its one job."""

    def __init__(self, forked: Forked, channel: socket.socket) -> None:
        self._forked = forked
        self._channel = channel
        self._loop = asyncio.get_running_loop()
        self._dialogue = Dialogue(SocketChannel(channel), self.condemn)
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
            frame = await self._dialogue.next_frame(Limits())
        if frame is None:
            raise SandboxLostError("a child died before it was ready")
        kind, payload = frame
        if kind != Kind.READY:
            raise TierUnavailableError(Tier.RESTRICTED, (payload.decode(errors="replace"),))
        self._meter = Meter(self._forked.pid, self._forked.pidfd, self._forked.idle_group)

    async def do(self, job: Mapping[str, Any], limits: Limits, watch: Watch, gloves: Gloves | None = None) -> Report:
        """Do the one job under `limits`; `gloves` take its log lines and calls as they come.

        The child does not survive this, however it ends.

        Raises SandboxLostError when the zygote died under it.
        """
        assert self._meter is not None, "wait_ready() comes first"  # noqa: S101 - a defect of ours, not of the program
        report = Report()
        started_ns = time.perf_counter_ns()
        timer = self._loop.call_later(limits.wall_ms_max / 1000, self.condemn, Outcome.TIMED_OUT, "wall_ms_max")
        owner = None if gloves is None else gloves.owner
        watch.add(self._meter, limits, self.condemn, owner)
        try:
            packed = marshal.dumps({**job, "rlimits": self._meter.rlimits(limits)})
            await self._loop.sock_sendall(self._channel, HEADER.pack(Kind.JOB, len(packed)) + packed)
            await self._dialogue.follow(
                limits,
                report,
                gloves,
                partial(watch.logged, owner),
                compiling=job["code"] is None,
                checking=job["op"] == "check",
            )
        except (ProtocolError, UnreadableError):
            self.condemn(Outcome.FAILED, None)
        except ConnectionError:
            pass  # it died by itself; how, is in its end
        finally:
            timer.cancel()
            self._measure(report, started_ns)
            watch.remove(self._meter)
            self.kill()
        report.condemned, report.exceeded = self._condemned, self._exceeded
        if report.final is None and report.condemned is None and not report.stopped:
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
            self._dialogue.interrupt()

    def kill(self) -> None:
        """End the child and free both descriptors. Idempotent."""
        self._dialogue.close()
        if self._channel.fileno() < 0:
            return
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._forked.pidfd, signal.SIGKILL)
        os.close(self._forked.pidfd)
        self._channel.close()

    def _measure(self, report: Report, started_ns: int) -> None:
        assert self._meter is not None  # noqa: S101 - `do` asked already
        reading = self._meter.read()
        report.usage = Usage(
            wall_ms=(time.perf_counter_ns() - started_ns) // 1_000_000,
            cpu_ms=reading.cpu_ns // 1_000_000,
            peak_memory_bytes=reading.peak_bytes,
            output_bytes=report.output_bytes,
        )

    async def _learn_end(self, report: Report) -> None:
        try:
            report.end = await asyncio.wait_for(asyncio.shield(self._forked.ended), END_REPORT_S_MAX)
        except TimeoutError as error:
            raise SandboxLostError("the zygote does not tell how a child ended") from error
