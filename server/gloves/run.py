"""The host's side of `ctx` for one run: hands each call to its glove, and records what became of it."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from agents_store.errors import StoreError
from agents_store.types import EffectRecord, EffectStatus
from sandbox.types import GloveError, GloveFault, JsonValue, Limits, LogLine, RunStoppedError
from server.gloves.budget import Bound, Budget
from server.gloves.effect import Answered, Arguments, EffectError, Glove, StoppedError, error_of, status_of
from server.gloves.sizes import measure

CLOSE_S_MAX = 15.0
# For called runs, three deep: each has its sandbox's grace to end, and settling its pauses and the store's bounds.
CALLED_S_MAX = 600.0
METHODS_READING = ("GET", "HEAD")
READING = frozenset({"memory.get", "memory.list", "memory.search", "secrets.use"})

# Stores that a call is about to be carried out, as `unknown`.
ClaimEffect = Callable[[EffectRecord], Awaitable[None]]
Close = Callable[[], Awaitable[None]]

log = structlog.get_logger("server.gloves")


def drop_line(line: LogLine) -> None:
    """What becomes of log lines that nobody follows: the result has them."""


async def claim_nothing(effect: EffectRecord) -> None:
    """What becomes of claims where no store keeps effects."""


@dataclass(slots=True)
class _Open:
    """A call that is being carried out."""

    seq: int
    glove: str
    request: Arguments
    started: float

    @property
    def in_doubt(self) -> EffectStatus:
        """What became of it where nobody saw it end: what only reads has changed nothing."""
        reads = self.glove in READING or (
            self.glove == "fetch" and self.request.get("method", "GET") in METHODS_READING
        )
        return EffectStatus.FAILED if reads else EffectStatus.UNKNOWN


class RunGloves:
    """What a program may ask its host: whether this is a dry run, what makes a replay repeat it, and its gloves.

    Attributes:
        owner: whose run it is.
        seed: 0 to 2**63 - 1.
        started_at: UTC.
        effects: a record of each call so far, in order.
        counts: how many calls there were that are priced, by the price's name.
        budget: what the run may still use.
        stopped_at: `seq` of the effect that ended a dry run, None where none did.
        recorded_bytes: what the effects so far count for.
        called_microcredits: what the dry runs that this one called would have cost.
    """

    def __init__(
        self,
        owner: str,
        test: bool,
        seed: int,
        started_at: datetime,
        take_line: Callable[[LogLine], None] = drop_line,
        frozen_clock: bool = False,
        *,
        budget: Budget | None = None,
        claim_effect: ClaimEffect = claim_nothing,
    ) -> None:
        """`take_line` takes each log line as soon as it comes. Without gloves given to it, every call is refused."""
        self.owner = owner
        self.test = test
        self.seed = seed
        self.started_at = started_at
        self.frozen_clock = frozen_clock
        self.effects: list[EffectRecord] = []
        self.counts: Counter[str] = Counter()
        self.budget = Budget(Limits()) if budget is None else budget
        self.stopped_at: int | None = None
        self.recorded_bytes = 0
        self.called_microcredits = 0
        self._take_line = take_line
        self._claim_effect = claim_effect
        self._gloves: dict[str, Glove] = {}
        self._closing: list[Close] = []
        self._began = time.monotonic()
        self._open: _Open | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    def give(self, gloves: Mapping[str, Glove], close: Close | None = None) -> None:
        """Let the program reach these gloves; `close` is called when the run has ended."""
        self._gloves.update(gloves)
        if close is not None:
            self._closing.append(close)

    def start(self) -> None:
        """The program starts now: it may have waited for its place."""
        self._began = time.monotonic()
        self.budget.start()

    def take_charge(self, microcredits: int) -> None:
        """Take note of what a called dry run would have cost."""
        self.called_microcredits += microcredits

    def log(self, line: LogLine) -> None:
        """See `sandbox.types.Gloves`."""
        self._take_line(line)

    async def call(self, glove: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        """See `sandbox.types.Gloves`. One at a time."""
        if self._open is not None:
            raise EffectError(GloveFault.RUNTIME, "a program calls one glove at a time")
        self.budget.spend(Bound.GLOVE_CALLS)
        opened = self._open = _Open(len(self.effects) + 1, glove, arguments, time.monotonic())
        self._idle.clear()
        try:
            answered = await self._carry_out(opened)
            value = await self._take_answer(opened, answered)
        except GloveError as exc:
            response = exc.response if isinstance(exc, EffectError) else None
            self._record(opened, status_of(exc), response, error_of(exc))
            raise
        except RunStoppedError as exc:
            if isinstance(exc, StoppedError):
                opened.request = exc.request
            self.stopped_at = opened.seq
            self._record(opened, EffectStatus.WITHHELD)
            raise
        # The boundary around one call: what arguments or another side make fail in it is the program's to meet, since a
        # run that is lost is free.
        except Exception as exc:
            log.exception("glove failed", glove=glove)
            failure = EffectError(GloveFault.RUNTIME, "the glove failed; whether it was carried out is not known")
            self._record(opened, opened.in_doubt, None, error_of(failure))
            raise failure from exc
        except BaseException:  # the run was ended meanwhile
            error: dict[str, JsonValue] = {"type": "Interrupted", "message": "the run was ended meanwhile"}
            self._record(opened, opened.in_doubt, None, error)
            raise
        finally:
            self._open = None
            self._idle.set()
        return value

    async def claim(self) -> None:
        """Note in the store that the call in hand is about to be carried out. Raises StoreError: do not do it."""
        if self._open is not None:
            await self._claim_effect(self._recorded(self._open, EffectStatus.UNKNOWN, None, None))

    async def close(self) -> None:
        """Wait for a call that was given up, and end what gloves had opened. No call is taken any more. Idempotent.

        A run that was called is waited for until it is settled, so that no run is before those that it called.
        """
        self._gloves.clear()
        calls_agent = self._open is not None and self._open.glove == "call"
        try:
            async with asyncio.timeout(CALLED_S_MAX if calls_agent else CLOSE_S_MAX):
                await self._idle.wait()
            async with asyncio.timeout(CLOSE_S_MAX):
                while self._closing:
                    await self._close_one(self._closing.pop())
        except TimeoutError:
            log.error("gloves not closed in time")

    async def _close_one(self, close: Close) -> None:
        try:
            await close()
        # The boundary around what another side may break: the run is settled whatever becomes of its connections.
        except Exception:
            log.exception("glove not closed")

    async def _carry_out(self, opened: _Open) -> Answered:
        worn = self._gloves.get(opened.glove)
        if worn is None:
            raise EffectError(GloveFault.LOOKUP, f"ctx.{opened.glove} is not known here")
        try:
            size = await measure(opened.request)
        except ValueError as exc:  # an integer of too many digits, or what is no number
            opened.request = {}
            raise EffectError(GloveFault.VALUE, f"ctx.{opened.glove} takes what JSON can carry") from exc
        if size > self.budget.left(Bound.EFFECTS_BYTES):
            opened.request = {"cut_bytes": size}
        self._spend(size)
        try:
            return await worn(opened.request)
        except StoreError as exc:
            log.warning("glove failed", glove=opened.glove, error=type(exc).__name__)
            status = EffectStatus.FAILED if opened.glove in READING else EffectStatus.UNKNOWN
            raise EffectError(
                GloveFault.CONNECTION,
                f"ctx.{opened.glove} could not be carried out: the database did not answer",
                status,
            ) from exc

    async def _take_answer(self, opened: _Open, answered: Answered) -> JsonValue:
        """The value that the program gets, recorded. Raises EffectError where it is more than the run may take."""
        response = answered.value if answered.response is None else answered.response
        opened.request = opened.request if answered.request is None else answered.request
        try:
            self._spend(await measure(response))
        except EffectError as exc:
            raise EffectError(exc.fault, exc.message, answered.status) from exc
        self._record(opened, answered.status, response)
        return answered.value

    def _spend(self, size: int) -> None:
        self.budget.spend(Bound.EFFECTS_BYTES, size)
        self.recorded_bytes += size

    def _record(
        self,
        opened: _Open,
        status: EffectStatus,
        response: JsonValue = None,
        error: Mapping[str, JsonValue] | None = None,
    ) -> None:
        self.effects.append(self._recorded(opened, status, response, error))
        if status is not EffectStatus.REFUSED:
            self.counts["fetch" if opened.glove == "fetch" else "glove_call"] += 1
            if opened.glove == "call":
                self.counts["call"] += 1

    def _recorded(
        self, opened: _Open, status: EffectStatus, response: JsonValue, error: Mapping[str, JsonValue] | None
    ) -> EffectRecord:
        return EffectRecord(
            seq=opened.seq,
            glove=opened.glove,
            request=opened.request,
            response=response,
            error=error,
            status=status,
            at_ms=round((opened.started - self._began) * 1000),
            duration_ms=round((time.monotonic() - opened.started) * 1000),
        )
