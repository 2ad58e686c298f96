"""One run in one session of a worker: the thread that speaks with the worker, and what may end it.

The library blocks while the worker runs, so a run has a thread; glove calls go from there to the event loop. Whoever
ends a run kills its worker: the thread then hears that it is gone.
"""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn, TypeVar

from pydantic_monty import (
    NOT_HANDLED,
    ExternalModule,
    Monty,
    MontyCrashedError,
    MontyError,
    MontyRuntimeError,
    MontySession,
    OSPolicy,
    ResourceLimits,
)

from sandbox.monty import assembly
from sandbox.monty.arguments import faults, find_excess, read_arguments, shown_answer, shown_fields
from sandbox.monty.meter import Meter
from sandbox.restricted.idle_group import IdleGroup
from sandbox.types import (
    Gloves,
    Inputs,
    JsonValue,
    Limits,
    LogLine,
    Outcome,
    RunStoppedError,
    Usage,
)
from sandbox.untrusted import CALL_REFUSED, LOG_LEFT_OUT, VALUES_MAX, clean_json, clean_text

# What a log line costs beyond its text, so that endless empty lines meet the limit too.
LOG_LINE_BYTES = 64
# The interpreter ends a feed by itself where the host is gone and cannot.
_ORPHAN_GRACE_S = 5.0
_SUSPENSIONS_MAX = 1_000_000
_RANDOM_BYTES_MAX = 1024 * 1024
_CALL_BYTES_MIN = 64 * 1024

E = TypeVar("E", bound=Exception)


@dataclass(slots=True)
class Heard:
    """What one run came to, as far as it is known.

    `answer` is the result's text and whether it is plain JSON; `error` is what the interpreter raised, in the feed that
    `assembled` tells of; `fault` says why the result is none. `connection_faults` are what gloves said with a
    ConnectionError, which the interpreter knows as OSError.
    """

    condemned: Outcome | None = None
    exceeded: str | None = None
    reason: str = ""
    answer: tuple[str | None, bool] | None = None
    fault: str | None = None
    error: Exception | None = None
    assembled: assembly.Assembly | None = None
    arity: int = assembly.ARITY_MAX
    stopped: bool = False
    replayable: bool = True
    connection_faults: set[str] = field(default_factory=set)
    logs: list[LogLine] = field(default_factory=list)
    output_bytes: int = 0
    usage: Usage = field(default_factory=Usage)


class Run:
    """One run. Made on the event loop; `perform` is for a thread of its own; `condemn` may come from anywhere.

    Args:
        source: the program.
        inputs: what its `run` is given.
        limits: of the run.
        gloves: who takes log lines and answers calls.
        arity: how many arguments its `run` is thought to take.
        probing: whether the program asks what the interpreter has, and goes on where it has not.
    """

    def __init__(
        self, source: str, inputs: Inputs, limits: Limits, gloves: Gloves, *, arity: int, probing: bool = False
    ) -> None:
        self.heard = Heard(arity=arity)
        self._probing = probing
        self._source = source
        self._inputs = inputs
        self._limits = limits
        self._gloves = gloves
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._pid, self._pidfd = 0, -1
        self._idle_group: IdleGroup | None = None
        self._meter: Meter | None = None
        self._calling: Future[JsonValue] | None = None
        self._line = ""
        self._started_ns = 0

    def condemn(self, outcome: Outcome, exceeded: str | None = None, reason: str = "") -> None:
        """End the run with this outcome; the first word counts."""
        with self._lock:
            if self._over.is_set():
                return
            self.heard.condemned, self.heard.exceeded, self.heard.reason = outcome, exceeded, reason
            self._over.set()
            self._kill()
            calling = self._calling
        if calling is not None:
            calling.cancel()

    @property
    def elapsed_s(self) -> float:
        """How long it has been running; 0 until it has a worker."""
        return (time.perf_counter_ns() - self._started_ns) / 1e9 if self._started_ns else 0.0

    @property
    def owner(self) -> str:
        """Whose run it is."""
        return self._gloves.owner

    @property
    def cpu_ms(self) -> int:
        """CPU time so far; 0 until it has a worker."""
        with self._lock:
            return 0 if self._meter is None else self._meter.read()[0]

    def lower(self, group: IdleGroup) -> None:
        """Let everybody else have the processors before its worker. Idempotent."""
        with self._lock:
            if self._pidfd >= 0 and self._idle_group is None and not self._over.is_set():
                self._idle_group = group
                group.take(self._pid, self._pidfd)

    def restore(self) -> None:
        """Take `lower` back. Idempotent."""
        self._restore()

    def _restore(self) -> "Future[None] | None":
        with self._lock:
            if self._pidfd < 0 or self._idle_group is None:
                return None
            group, self._idle_group = self._idle_group, None
            return group.give_back(self._pid, self._pidfd)

    def perform(self, pool: Monty) -> Heard:
        """Run the program to its end. Raises what the library raises where it has no worker."""
        with pool.checkout(
            limits=self._resource_limits(),
            os_policy=self._os_policy(),
            external_modules=None if self._probing else _Absent(self),
            assert_message_annotations=False,
        ) as session:
            pid = session.worker_pid
            assert pid is not None, "no turn is in flight"  # noqa: S101 - a defect of the library's
            meter = Meter(pid)
            self._started_ns = time.perf_counter_ns()
            with self._lock:
                self._pid, self._pidfd, self._meter = pid, os.pidfd_open(pid), meter
                if self._over.is_set():
                    self._kill()
            try:
                self._converse(session)
            except MontyCrashedError as error:
                self.heard.error = alone(error)
            finally:
                with self._lock:
                    self._over.set()
                if moved := self._restore():
                    moved.result()  # the worker's next run may be anybody's
                with self._lock:
                    os.close(self._pidfd)
                    self._pidfd = -1
                cpu_ms, peak_bytes = meter.read()
                wall_ms = int(self.elapsed_s * 1000)
                self.heard.usage = Usage(wall_ms, cpu_ms, peak_bytes, self.heard.output_bytes)
        return self.heard

    def _converse(self, session: MontySession) -> None:
        chars_max = self._limits.output_bytes_max
        assembled = assembly.assemble(self._source, self.heard.arity, chars_max)
        self.heard.assembled = assembled
        try:
            try:
                self.heard.answer = self._feed(session, assembled.text)
            except MontyRuntimeError as error:
                wanted = self._arity_wanted(error, self.heard.arity)
                if wanted is None:
                    raise
                self.heard.arity = wanted
                self.heard.answer = self._feed(session, assembly.call_again(wanted, chars_max))
        except MontyCrashedError:
            raise
        except (MontyError, RuntimeError) as error:  # of the program, or a frame over the library's own bound
            self.heard.error = alone(error)
        self._end_line()
        if self._has_no_json():
            self._find_fault(session)

    def _feed(self, session: MontySession, text: str) -> Any:
        return session.feed_run(
            text,
            inputs={assembly.INPUTS: self._inputs, assembly.TEST: self._gloves.test},
            external_lookup={assembly.GLOVE: self._call, assembly.LOG: self._log},
            print_callback=self._print,
            os=self._ask_system,
        )

    @staticmethod
    def _arity_wanted(error: MontyRuntimeError, given: int) -> int | None:
        frames = error.traceback()
        if len(frames) != 1 or frames[0].function_name is not None or not isinstance(error.exception(), TypeError):
            return None  # it was raised by something that `run`, or the program before it, called
        return assembly.arity_wanted(str(error.exception()), given)

    def _has_no_json(self) -> bool:
        if self.heard.answer is not None:
            return not self.heard.answer[1] or "\\u0000" in (self.heard.answer[0] or "")
        if not isinstance(self.heard.error, MontyRuntimeError) or self.heard.assembled is None:
            return False
        # After `run` came back, only the encoding of what it gave can fail.
        frames = self.heard.error.traceback()
        last = frames[0].line if frames else 0
        first_feed = bool(frames) and frames[0].filename == assembly.AUTHORS_FILE
        return len(frames) == 1 and last > (self.heard.assembled.call_line if first_feed else 1)

    def _find_fault(self, session: MontySession) -> None:
        encoded = self.heard.error is None
        try:
            fault = session.feed_run(assembly.FIND_FAULT)
        except MontyCrashedError:
            raise
        except (MontyError, RuntimeError) as error:
            fault = f"result: {error}"
        self.heard.fault = clean_text(fault) if isinstance(fault, str) else None
        if self.heard.fault is None and not encoded:
            self.heard.fault = clean_text(str(self.heard.error))
        if self.heard.fault is not None:
            self.heard.error = None

    def _print(self, stream: Literal["stdout", "stderr"], text: str) -> None:
        del stream
        *lines, self._line = (self._line + text).split("\n")
        self._deliver([line for message in lines if (line := self._take(message, {}))])
        if len(self._line) > self._limits.output_bytes_max:
            self.condemn(Outcome.TOO_MUCH_OUTPUT, "output_bytes_max")

    def _end_line(self) -> None:
        line, self._line = self._line, ""
        if line and (taken := self._take(line, {})):
            self._deliver([taken])

    def _log(self, message: object, fields: object) -> None:
        self._end_line()
        excess = find_excess([message, fields], self._limits.output_bytes_max, VALUES_MAX)
        if excess == "bytes":
            self.condemn(Outcome.TOO_MUCH_OUTPUT, "output_bytes_max")
            return
        shown = (LOG_LEFT_OUT, {}, 0) if excess else (str(message), *shown_fields(fields))
        if taken := self._take(*shown):
            self._deliver([taken])

    def _take(self, message: str, fields: Mapping[str, Any], fields_bytes: int = 0) -> LogLine | None:
        """Keep one line; None when the run is over, or over its bound with this line."""
        if self._over.is_set():
            return None
        self.heard.output_bytes += len(message.encode("utf-8", "replace")) + fields_bytes + LOG_LINE_BYTES
        if self.heard.output_bytes > self._limits.output_bytes_max:
            self.condemn(Outcome.TOO_MUCH_OUTPUT, "output_bytes_max")
            return None
        at_ms = (time.perf_counter_ns() - self._started_ns) // 1_000_000
        line = LogLine(at_ms, clean_text(message), clean_json(dict(fields)))
        self.heard.logs.append(line)
        return line

    def _deliver(self, lines: Sequence[LogLine]) -> None:
        """Hand lines out, all of them in one turn of the event loop."""
        if lines:
            with suppress(RuntimeError):  # the loop is closing; the result has the lines
                self._loop.call_soon_threadsafe(self._log_all, lines)

    def _log_all(self, lines: Sequence[LogLine]) -> None:
        for line in lines:
            self._gloves.log(line)

    def _call(self, glove: object, told: object, data: object = None) -> Any:
        """Carry out one glove call on the event loop, in the program's stead."""
        name = str(glove)
        excess = find_excess([told, data], max(_CALL_BYTES_MIN, self._limits.effects_bytes_max), VALUES_MAX)
        if excess == "bytes":
            self.condemn(Outcome.TOO_MUCH_OUTPUT, "effects_bytes_max")
            raise RuntimeError("the run is over")
        if excess:
            raise ValueError(CALL_REFUSED)
        arguments = read_arguments(name, told, data)
        with self._lock:
            if self._over.is_set():
                raise RuntimeError("the run is over")
            self._calling = asyncio.run_coroutine_threadsafe(self._ask(name, arguments), self._loop)
        try:
            with faults():
                return shown_answer(name, self._calling.result())
        except ConnectionError as error:
            self.heard.connection_faults.add(str(error))
            raise
        except RunStoppedError:
            self._stop()
        except CancelledError as error:
            raise RuntimeError("the run is over") from error
        finally:
            self._calling = None

    async def _ask(self, name: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        return await self._gloves.call(name, arguments)

    def _stop(self) -> NoReturn:
        with self._lock:
            self.heard.stopped = True
            self._over.set()
            self._kill()
        raise RuntimeError("the run is over")

    def _kill(self) -> None:
        if self._pidfd >= 0:
            if self._meter is not None:
                self._meter.read()  # while there is something to read
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def _ask_system(self, *, name: str, args: tuple[Any, ...], **_: Any) -> Any:
        """What a program asks its operating system for, which is not there."""
        if name in ("time.sleep", "asyncio.sleep"):
            self._over.wait(max(0.0, float(args[0])))
            return None
        if name == "os.urandom":
            self.heard.replayable = False
            return os.urandom(min(int(args[0]), _RANDOM_BYTES_MAX))
        self.condemn(Outcome.TIER_UNSUITED, reason=f"{name} is not available: this tier has no operating system")
        return NOT_HANDLED

    def _resource_limits(self) -> ResourceLimits:
        return {
            "max_memory": self._limits.memory_bytes_max,
            "max_feed_duration_secs": self._limits.wall_ms_max / 1000 + _ORPHAN_GRACE_S,
            "max_suspensions": _SUSPENSIONS_MAX,
        }

    def _os_policy(self) -> OSPolicy:
        return {
            "datetime": self._gloves.started_at if self._gloves.frozen_clock else "system",
            "timezone": "utc",
            "sleep": "call_host",
            "random_start": {"seed": self._gloves.seed},
        }


def alone(error: E) -> E:
    """An error without the frames that it came through.

    They hold the run, which holds the error, and the collector does not see into errors of the library: what such a
    ring holds, which is all that the run was given and said, would never be freed.
    """
    error.__context__ = error.__cause__ = None
    return error.with_traceback(None)


class _Absent(Mapping[str, ExternalModule]):
    """The modules that the interpreter lacks: whoever imports one is in the wrong tier, and cannot catch it."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __getitem__(self, name: str) -> NoReturn:
        self._run.condemn(Outcome.TIER_UNSUITED, reason=f"module {clean_text(name)[:200]} is not available")
        raise KeyError(name)

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0
