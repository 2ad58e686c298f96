"""A soak as data, to be kept and to make its page from."""

import os
import platform
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from tests.soak import verdict
from tests.soak.notes import Notes
from tests.soak.plan import Plan
from tests.soak.verdict import BARE_START, Check, Figures, percentile


def record_of(
    plan: Plan, rate: float, notes: Notes, figures: Figures, checks: list[Check], errors: dict[str, int]
) -> dict[str, Any]:
    """All of it as data, to be kept and to make the page from."""
    rows = []
    for number, sample in enumerate(figures.samples):
        since_s = figures.samples[number - 1].at_s if number else 0.0
        rows.append(asdict(sample) | _row(notes, figures.thirds, since_s, sample.at_s))
    return {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "kernel": platform.release(), "python": platform.python_version()},
        "plan": asdict(plan),
        "rate_measured_per_s": round(rate, 1),
        "rate_per_s": round(rate * plan.share, 1),
        "calls": figures.calls,
        "kinds": dict(notes.kinds),
        "unexpected": notes.unexpected,
        "borne": notes.borne_count,
        "faults": _faults(notes),
        "errors_logged": errors,
        "rest": [asdict(sample) for sample in figures.rest],
        "samples": rows,
        "checks": verdict.as_json(checks),
        "held": verdict.held(checks),
    }


def _row(notes: Notes, kinds: Iterable[str], since_s: float, until_s: float) -> dict[str, Any]:
    """What callers saw between two samples: calls, faults, and quiet latencies in ms."""
    latencies = {}
    for kind in kinds:
        took_ms = [took_s * 1000 for took_s in notes.quiet_calls(kind, since_s, until_s)]
        latencies[kind] = [round(percentile(took_ms, share), 1) if took_ms else None for share in (0.5, 0.99)]
    return {
        "calls": sum(since_s <= call.due_s < until_s for call in notes.calls if call.kind != BARE_START),
        "faults": [fault.name for fault in notes.faults if since_s <= fault.began_s < until_s],
        "latencies_ms": latencies,
    }


def _faults(notes: Notes) -> dict[str, dict[str, float]]:
    """By name: how many, and how long the longest took until it was over, in seconds."""
    told: dict[str, dict[str, float]] = {}
    for fault in notes.faults:
        one = told.setdefault(fault.name, {"count": 0, "slowest_s": 0.0})
        one["count"] += 1
        one["slowest_s"] = max(one["slowest_s"], round(fault.took_s, 2))
    return told
