"""One run in a container: its limits, what it prints and says, and how it ended."""

import asyncio
import json
import time
from dataclasses import dataclass, field

from sandbox.dialogue import LOG_LINE_BYTES, Dialogue, Heard, ProtocolError
from sandbox.docker.cgroup import Reading
from sandbox.docker.container import Container
from sandbox.guest.container_frames import Word
from sandbox.types import Gloves, Limits, LogLine, Outcome, Usage
from sandbox.untrusted import UnreadableError, clean_text
from sandbox.watch import Watch


@dataclass(frozen=True, slots=True)
class End:
    """How a run's first process ended by itself: its wait status, and whether a scratch place was full then."""

    status: int
    full: bool


@dataclass(slots=True)
class Report:
    """What one job came to: `condemned` when the host ended it, else what was `heard`, else how it died by itself.

    `exceeded` names the limit that a condemned run went over, None when it broke the protocol. With `end` None the
    container died under it.
    """

    heard: Heard = field(default_factory=Heard)
    condemned: Outcome | None = None
    exceeded: str | None = None
    end: End | None = None
    reading: Reading = field(default_factory=Reading)


class Execution:
    """One job of a container, from its first byte to its end. Also the dialogue's channel to the program.

    Args:
        container: the owner's own.
        limits: of the run.
        gloves: who takes log lines and answers calls; None where no program runs.
        watch: looks at CPU time, memory and the flow of the log meanwhile.
    """

    def __init__(self, container: Container, limits: Limits, gloves: Gloves | None, watch: Watch) -> None:
        self._container = container
        self._limits = limits
        self._gloves = gloves
        self._watch = watch
        self._owner = None if gloves is None else gloves.owner
        self._report = Report()
        self._dialogue = Dialogue(self, self.condemn)
        self._ending: asyncio.Task[None] | None = None
        self._started_ns = time.perf_counter_ns()
        self._line = b""

    async def follow(self, job: bytes, *, compiling: bool, checking: bool) -> Report:
        """Do the job to its end; the container is to be ended afterwards.

        Args:
            job: the first bytes that the program's channel gets.
            compiling: whether the source is to be compiled first.
            checking: whether that is all.
        """
        timer: asyncio.TimerHandle | None = None
        try:
            await self._container.prepare()
            self._started_ns = time.perf_counter_ns()
            seconds = self._limits.wall_ms_max / 1000
            timer = asyncio.get_running_loop().call_later(seconds, self.condemn, Outcome.TIMED_OUT, "wall_ms_max")
            self._watch.add(self._container.meter, self._limits, self.condemn, self._owner)
            await self._container.send(job)
            await self._dialogue.follow(
                self._limits, self._report.heard, self._gloves, self._logged, compiling=compiling, checking=checking
            )
        except (ProtocolError, UnreadableError):
            self.condemn(Outcome.FAILED, None)
        except ConnectionError:
            pass  # the container is gone; `end` stays None
        finally:
            if timer is not None:
                timer.cancel()
            self._measure()
            self._watch.remove(self._container.meter)
            self._dialogue.close()
        self._take_output(b"\n" if self._line else b"")
        return self._report

    async def end(self) -> None:
        """End the run and wait until its container is fresh, or gone."""
        await (self._ending or self._container.end())

    def condemn(self, outcome: Outcome, exceeded: str | None) -> None:
        """End the run with this outcome, naming the limit that it went over; the first word counts."""
        if self._report.condemned is None:
            self._report.condemned, self._report.exceeded = outcome, exceeded
            self._container.meter.read()
            self._dialogue.interrupt()
            self._ending = asyncio.get_running_loop().create_task(self._container.end())

    async def receive(self) -> bytes:
        """What the program's channel brought; empty when the run is over. Raises ConnectionError."""
        while True:
            word, payload = await self._container.receive()
            if word == Word.SAID:
                return payload
            if word == Word.PRINTED:
                self._take_output(payload)
                await self._logged(len(payload))
                continue
            if word == Word.ENDED:
                told = json.loads(payload)
                self._report.end = End(told["status"], told["full"])
            return b""

    async def send(self, data: bytes) -> None:
        """Send bytes to the program. Raises ConnectionError."""
        await self._container.send(data)

    async def _logged(self, size_bytes: int) -> None:
        await self._watch.logged(self._owner, size_bytes)

    def _take_output(self, data: bytes) -> None:
        *lines, self._line = (self._line + data).split(b"\n")
        heard = self._report.heard
        for text in lines:
            heard.output_bytes += len(text) + LOG_LINE_BYTES
            if heard.output_bytes > self._limits.output_bytes_max:
                break
            at_ms = (time.perf_counter_ns() - self._started_ns) // 1_000_000
            line = LogLine(at_ms, clean_text(text.decode("utf-8", "replace")))
            heard.logs.append(line)
            if self._gloves is not None:
                self._gloves.log(line)
        if heard.output_bytes + len(self._line) > self._limits.output_bytes_max:
            self._line = b""
            self.condemn(Outcome.TOO_MUCH_OUTPUT, "output_bytes_max")

    def _measure(self) -> None:
        self._report.reading = reading = self._container.meter.read(thorough=False)
        self._report.heard.usage = Usage(
            wall_ms=(time.perf_counter_ns() - self._started_ns) // 1_000_000,
            cpu_ms=reading.cpu_ns // 1_000_000,
            peak_memory_bytes=reading.peak_bytes,
            output_bytes=self._report.heard.output_bytes,
        )
