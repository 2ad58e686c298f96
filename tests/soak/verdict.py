"""What a soak must show, judged from its figures alone."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.soak.samples import Sample

BARE_START = "bare start"  # the yardstick among the latencies: this interpreter, started and ended
P99_RATIO_MAX = 1.2
MEMORY_RATIO_MAX = 1.05
CALLS_FOR_P99_MIN = 300  # in each third
RECOVERED_S_MAX = 30.0
CONTAINER_DESCRIPTORS = 12
ALLOWANCES = {
    "descriptors": 12,
    "threads": 8,
    "sandboxes": 4,
    "zombies": 0,
    "containers": 2,
    "connections": 1,
    "files": 0,
}


@dataclass(frozen=True)
class Check:
    """One thing that must hold: what was found, what is allowed, and whether it counts in a run this short."""

    name: str
    found: str
    allowed: str
    held: bool
    counts: bool = True


@dataclass(frozen=True)
class Figures:
    """A soak in figures. Latencies in ms, by kind and third; `rest` before and after the load, nobody calling."""

    samples: Sequence[Sample]
    rest: tuple[Sample, Sample]
    thirds: Mapping[str, Sequence[Sequence[float]]]
    unexpected: int
    calls: int
    due: int
    recoveries_s: Sequence[float]
    sums: dict[str, int] = field(default_factory=dict)  # what the database says is wrong: 0 each
    left: dict[str, int] = field(default_factory=dict)  # what is there after the server stopped: 0 each


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def judge(figures: Figures, *, long: bool) -> list[Check]:
    """Every check. Trends, and what is held at rest, count only in a `long` run: a short one is all warm-up."""
    slowest_s = max(figures.recoveries_s, default=0.0)
    checks = [
        Check("unexpected answers", str(figures.unexpected), "0", figures.unexpected == 0),
        Check("calls seen to their end", f"{figures.calls} of {figures.due}", "all", figures.calls == figures.due),
        Check("slowest recovery", f"{slowest_s:.1f} s", f"{RECOVERED_S_MAX:.0f} s", slowest_s <= RECOVERED_S_MAX),
    ]
    checks += [Check(f"wrong in the database: {name}", str(n), "0", n == 0) for name, n in figures.sums.items()]
    checks += [Check(f"left behind: {name}", str(n), "0", n == 0) for name, n in figures.left.items()]
    checks += [_at_rest(figures.rest, name, allowance, counts=long) for name, allowance in ALLOWANCES.items()]
    checks.append(_memory(figures.samples, counts=long))
    slower = _ratio(figures.thirds[BARE_START], 0.95)[0]
    for kind, thirds in figures.thirds.items():
        checks.append(_latency(kind, thirds, slower, counts=long and kind != BARE_START))
    return checks


def _at_rest(rest: tuple[Sample, Sample], name: str, allowance: int, *, counts: bool) -> Check:
    before, after = (int(getattr(sample, name)) for sample in rest)
    if name == "descriptors":  # a container that is kept for its user takes a few
        allowance += CONTAINER_DESCRIPTORS * max(0, rest[1].containers - rest[0].containers)
    return Check(f"{name} at rest", f"{before} -> {after}", f"+{allowance}", after <= before + allowance, counts)


def _memory(samples: Sequence[Sample], *, counts: bool) -> Check:
    third = max(1, len(samples) // 3)
    first, last = (statistics.median(sample.rss for sample in some) for some in (samples[:third], samples[-third:]))
    ratio = last / first if first else math.nan
    found = f"{ratio:.3f} ({first / 1024**2:.1f} -> {last / 1024**2:.1f} MiB)"
    return Check(
        "resident memory, last third to first", found, f"{MEMORY_RATIO_MAX}", ratio <= MEMORY_RATIO_MAX, counts
    )


def _latency(kind: str, thirds: Sequence[Sequence[float]], slower: float, *, counts: bool) -> Check:
    """`slower` is by how much the machine itself became slower: what is above that is the server's."""
    share = 0.95 if kind == BARE_START else 0.99
    ratio, first, last = _ratio(thirds, share)
    enough = min(len(thirds[0]), len(thirds[-1])) >= CALLS_FOR_P99_MIN
    allowed = P99_RATIO_MAX * max(1.0, slower)
    return Check(
        f"{kind} p{share * 100:.0f}, last third to first",
        f"{ratio:.2f} ({first:.1f} -> {last:.1f} ms)",
        "the yardstick" if kind == BARE_START else f"{allowed:.2f}",
        ratio <= allowed,
        counts and enough,
    )


def _ratio(thirds: Sequence[Sequence[float]], share: float) -> tuple[float, float, float]:
    first, last = percentile(thirds[0], share), percentile(thirds[-1], share)
    return (last / first if first else math.nan), first, last


def held(checks: Sequence[Check]) -> bool:
    """Whether everything that counts held."""
    return all(check.held for check in checks if check.counts)


def as_json(checks: Sequence[Check]) -> list[dict[str, Any]]:
    """The checks as data."""
    return [
        {"name": c.name, "found": c.found, "allowed": c.allowed, "held": c.held, "counts": c.counts} for c in checks
    ]
