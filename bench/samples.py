"""Durations, their percentiles, and the rows that are made of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured thing. What does not apply to it is None.

    Attributes:
        key: names the same thing in every run of the measurements, `group/what`.
        name: the same for people.
        count: how many calls, or whatever else was measured, were counted.
        failed: how many of them went wrong: if any did, the figures do not count.
        refused: how many of them the server refused as too many, where that is no failure.
        p50_ms: as `p95_ms` and `p99_ms`, a percentile of the durations by nearest rank.
        bare_start_ms: the median of the bare starts interleaved with this row.
        rate_per_s: calls answered per second, where several ran at once.
        elapsed_s: how long all of them took together, from the first one's begin to the last one's end.
        cpu_ms_per_call: CPU time by who used it.
        bytes_each: memory of each.
        ratio: the median as a multiple of another row's.
        ratio_p99: the p99 as a multiple of another row's.
    """

    key: str
    name: str
    count: int
    failed: int = 0
    refused: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    bare_start_ms: float | None = None
    rate_per_s: float | None = None
    elapsed_s: float | None = None
    cpu_ms_per_call: Mapping[str, float] = field(default_factory=dict)
    bytes_each: int | None = None
    ratio: float | None = None
    ratio_p99: float | None = None

    @property
    def p50_starts(self) -> float | None:
        """The median as a multiple of a bare start."""
        if self.p50_ms is None or self.bare_start_ms is None:
            return None
        return self.p50_ms / self.bare_start_ms


def summarise(
    key: str,
    name: str,
    durations_s: Sequence[float],
    *,
    starts_s: Sequence[float] = (),
    failed: int = 0,
    refused: int = 0,
    elapsed_s: float | None = None,
    cpu_s: Mapping[str, float] | None = None,
    ratio_to: Row | None = None,
    ratio_p99_to: Row | None = None,
) -> Row:
    """The row of these durations.

    Args:
        key: see `Row`.
        name: see `Row`.
        durations_s: at least one.
        starts_s: the bare starts measured in between.
        failed: how many of the calls went wrong.
        refused: how many of the others were refused.
        elapsed_s: where several ran at once, how long all of them took: gives the rate.
        cpu_s: CPU time of all of them by who used it.
        ratio_to: the row whose median this one's is compared with.
        ratio_p99_to: the row whose p99 this one's is compared with.
    """
    ordered = sorted(durations_s)
    p50, p95, p99 = (percentile(ordered, share) * 1000 for share in (0.50, 0.95, 0.99))
    return Row(
        key=key,
        name=name,
        count=len(ordered),
        failed=failed,
        refused=refused,
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        bare_start_ms=percentile(sorted(starts_s), 0.50) * 1000 if starts_s else None,
        rate_per_s=(len(ordered) - failed - refused) / elapsed_s if elapsed_s else None,
        elapsed_s=elapsed_s,
        cpu_ms_per_call={who: used * 1000 / len(ordered) for who, used in (cpu_s or {}).items()},
        ratio=p50 / ratio_to.p50_ms if ratio_to is not None and ratio_to.p50_ms else None,
        ratio_p99=p99 / ratio_p99_to.p99_ms if ratio_p99_to is not None and ratio_p99_to.p99_ms else None,
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """By nearest rank: the smallest value that at least this share of all does not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
