"""Durations, their percentiles, and the table that they make."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One measured thing: percentiles in ms, or a rate in calls per second. `failed` counts calls that went wrong."""

    name: str
    count: int
    failed: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    rate_per_s: float | None = None


def summarise(name: str, durations_s: Sequence[float], *, failed: int = 0, elapsed_s: float | None = None) -> Row:
    """The row of these durations; `elapsed_s`, where several ran at once, gives the rate."""
    ordered = sorted(durations_s)
    rate = len(ordered) / elapsed_s if elapsed_s else None
    p50, p95, p99 = (_percentile_ms(ordered, share) for share in (0.50, 0.95, 0.99))
    return Row(name, len(ordered), failed, p50, p95, p99, rate)


def _percentile_ms(ordered: Sequence[float], share: float) -> float:
    """Nearest rank."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] * 1000


def render(rows: Sequence[Row], yardstick: Row) -> str:
    """The rows as a table of multiples of the yardstick's median."""
    unit = yardstick.p50_ms
    lines = [
        f"One bare start is {unit:.2f} ms at the median: posix_spawn of this interpreter with -I -c pass.",
        "",
        f"{'as multiples of it':44} {'p50':>8} {'p95':>8} {'p99':>8} "
        f"{'p50 ms':>9} {'per s':>8} {'calls':>7} {'failed':>7}",
    ]
    for row in rows:
        multiples = " ".join(f"{value / unit:8.3f}" for value in (row.p50_ms, row.p95_ms, row.p99_ms))
        rate = f"{row.rate_per_s:8.0f}" if row.rate_per_s is not None else " " * 8
        lines.append(f"{row.name:44} {multiples} {row.p50_ms:9.2f} {rate} {row.count:7d} {row.failed:7d}")
    return "\n".join(lines)


def as_json(rows: Sequence[Row], yardstick: Row) -> dict[str, object]:
    """The same as data, for comparing two runs."""
    return {"bare_start_p50_ms": yardstick.p50_ms, "rows": [asdict(row) for row in rows]}
