"""RestrictedSandbox: checks and runs programs in single-use children, and turns what happened into a Result."""

from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256

from sandbox import untrusted
from sandbox.errors import SandboxLostError
from sandbox.guest.frames import Kind
from sandbox.offload import compute
from sandbox.restricted.child import Report
from sandbox.restricted.pool import Pool
from sandbox.types import (
    Gloves,
    Inputs,
    JsonValue,
    Limits,
    Outcome,
    Program,
    ProgramError,
    Refusal,
    Result,
    Tier,
    Wall,
)
from sandbox.watch import Watch

# Parsing and compiling 256 KiB of ordinary source takes about 1 s and 100 MiB.
CHECK_LIMITS = Limits(wall_ms_max=8_000, cpu_ms_max=4_000, memory_bytes_max=256 * 1024 * 1024)
_CODE_CACHE_BYTES_MAX = 64 * 1024 * 1024


class RestrictedSandbox:
    """The restricted tier. See `sandbox.backend.Sandbox` for the contract.

    Args:
        uid: what sandboxed code runs as when this process is root.
        pool_size: children kept forked ahead of need.
        language: the module that says what programs may be.
    """

    def __init__(self, *, uid: int, pool_size: int = 8, language: str = "sandbox.policy") -> None:
        self._pool = Pool(size=pool_size, uid=uid, language=language)
        self._watch = Watch()
        self._codes = _CodeCache()
        self._live = 0

    @property
    def tier(self) -> Tier:
        """Always restricted."""
        return Tier.RESTRICTED

    @property
    def missing(self) -> tuple[str, ...]:
        """Nothing, once it is open: what this machine lacks shows there."""
        return ()

    @property
    def wall(self) -> Wall:
        """What this machine gives. Raises TierUnavailableError before `open`."""
        return self._pool.wall

    @property
    def children(self) -> Mapping[str, int]:
        """Children by state: `ready` ahead of need, and `live` with a program."""
        return {"ready": self._pool.ready, "live": self._live}

    async def open(self) -> None:
        """Start the zygote and prove the wall with one child. Raises TierUnavailableError."""
        await self._pool.open()

    async def close(self) -> None:
        """Kill every child and the zygote. Idempotent."""
        await self._pool.close()

    async def check(self, program: Program) -> tuple[Refusal, ...]:
        """See `sandbox.backend.Sandbox.check`."""
        report = await self._do("check", program, CHECK_LIMITS, {})
        if report.code is not None:
            self._codes.put(program.source, report.code)
            return ()
        if report.final is not None and report.final[0] == Kind.REFUSED:
            return _read_refusals(report.final[1])
        return (Refusal(1, 1, "program", "compiling the program takes too much time or memory: make it smaller"),)

    async def run(self, program: Program, inputs: Inputs, limits: Limits, gloves: Gloves) -> Result:
        """See `sandbox.backend.Sandbox.run`."""
        job = {
            "code": self._codes.get(program.source),
            "inputs": inputs,
            "seed": gloves.seed,
            "test": gloves.test,
            "frozen_clock": gloves.frozen_clock,
            "started_at": gloves.started_at.timestamp(),
        }
        report = await self._do("run", program, limits, job, gloves)
        if report.code is not None:
            self._codes.put(program.source, report.code)
        return await compute(lambda: _to_result(report, limits), len(report.final[1]) if report.final else 0)

    async def _do(
        self, op: str, program: Program, limits: Limits, job: Mapping[str, object], gloves: Gloves | None = None
    ) -> Report:
        child = await self._pool.take(None if gloves is None else gloves.owner)
        source = None if job.get("code") else program.source
        self._live += 1
        try:
            return await child.do({"code": None, **job, "op": op, "source": source}, limits, self._watch, gloves)
        finally:
            self._live -= 1
            child.kill()


class _CodeCache:
    """Compiled programs by source, as children made them: opaque bytes that only children ever load."""

    def __init__(self) -> None:
        self._codes: OrderedDict[bytes, bytes] = OrderedDict()
        self._bytes = 0

    def get(self, source: str) -> bytes | None:
        key = sha256(source.encode()).digest()
        code = self._codes.get(key)
        if code is not None:
            self._codes.move_to_end(key)
        return code

    def put(self, source: str, code: bytes) -> None:
        key = sha256(source.encode()).digest()
        self._bytes += len(code) - len(self._codes.pop(key, b""))
        self._codes[key] = code
        while self._bytes > _CODE_CACHE_BYTES_MAX:
            self._bytes -= len(self._codes.popitem(last=False)[1])


def _to_result(report: Report, limits: Limits) -> Result:
    if report.condemned is not None:
        return _result(report, report.condemned, _condemnation(report, limits))
    if report.stopped:
        return _result(report, Outcome.SUCCEEDED, None)
    if report.final is None:
        return _died(report)
    kind, payload = report.final
    if kind == Kind.VALUE:
        return _succeeded(report, payload)
    if kind == Kind.NO_MEMORY:
        report.exceeded = "memory_bytes_max"
        return _result(report, Outcome.OUT_OF_MEMORY, _condemnation(report, limits))
    if kind == Kind.REFUSED:
        first = _read_refusals(payload)[0]
        error = ProgramError("Rejected", first.message, first.line, first.column)
        return _result(report, Outcome.REJECTED, error)
    outcome = Outcome.BAD_RESULT if kind == Kind.BAD_RESULT else Outcome.FAILED
    return _result(report, outcome, untrusted.read_error(payload))


def _result(report: Report, outcome: Outcome, error: ProgramError | None, value: JsonValue = None) -> Result:
    logs, usage = tuple(report.logs), report.usage
    return Result(outcome, value, error, logs, usage, complete=not report.stopped, replayable=report.replayable)


def _condemnation(report: Report, limits: Limits) -> ProgramError:
    if report.exceeded is None:
        return ProgramError("ProtocolError", "the process broke the protocol of its sandbox and was ended")
    limit = f"{report.exceeded} ({getattr(limits, report.exceeded)})"
    return ProgramError("LimitExceeded", f"the run went over {limit}; an agent may ask for more in its limits")


def _died(report: Report) -> Result:
    if report.end is None:
        raise SandboxLostError("a child ended and nobody knows how")
    if report.end.out_of_memory:
        error = ProgramError("LimitExceeded", "all runs together used up the memory of the tier; this one was largest")
        return _result(report, Outcome.OUT_OF_MEMORY, error)
    if report.end.signal_name == "SIGXCPU":
        return _result(report, Outcome.TIMED_OUT, ProgramError("LimitExceeded", "the run used up its CPU time"))
    how = report.end.signal_name or f"exit status {report.end.status >> 8}"
    return _result(report, Outcome.FAILED, ProgramError("ProcessDied", f"the process died by itself: {how}"))


def _succeeded(report: Report, payload: bytes) -> Result:
    try:
        value = untrusted.read_result(payload)
    except untrusted.UnreadableError as error:
        return _result(report, Outcome.BAD_RESULT, ProgramError("BadResult", f"the result is unusable: {error}"))
    return _result(report, Outcome.SUCCEEDED, None, value)


def _read_refusals(payload: bytes) -> tuple[Refusal, ...]:
    try:
        return untrusted.read_refusals(payload)
    except untrusted.UnreadableError as error:
        raise SandboxLostError("a child that only compiles sent what cannot be read") from error
