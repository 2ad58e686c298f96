"""What was measured, with where and how, and its text on a terminal."""

import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from agents_store.embedded.installation import POSTGRES_MAJOR
from bench.budgets import Verdict, judge
from bench.samples import Row

FORMAT = 1
GIT_S_MAX = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One run of the measurements.

    Attributes:
        taken_at: when it began, UTC, ISO 8601.
        command: with what it was asked for.
        machine: what it ran on.
        commit: of the checkout, with `+` where files were changed; None outside of one.
        rows: in the order in which they were measured, the bare start first.
    """

    taken_at: str
    command: str
    machine: Mapping[str, str]
    commit: str | None
    rows: Sequence[Row]

    def to_json(self) -> str:
        """As data, for comparing and for the page."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` gave. Raises ValueError for anything else."""
        told: Any = json.loads(text)
        if not isinstance(told, dict) or told.pop("format", None) != FORMAT:
            raise ValueError("not the measurements of this release")
        try:
            rows = tuple(Row(**row) for row in told.pop("rows"))
            return cls(**told, rows=rows)
        except (KeyError, TypeError) as exc:
            raise ValueError(f"not the measurements of this release: {exc}") from exc


def make_report(rows: Sequence[Row], command: str, began_at: datetime) -> Report:
    """The rows with what is to be known of this machine and this checkout."""
    return Report(
        taken_at=began_at.astimezone(UTC).isoformat(timespec="seconds"),
        command=command,
        machine=_describe_machine(),
        commit=_find_commit(),
        rows=rows,
    )


def write_atomically(path: Path, text: str) -> None:
    """Whoever reads the file sees the old text or the new one, never a part. Raises OSError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def render_table(report: Report) -> str:
    """The whole report for a terminal."""
    return "\n".join([*_latency_lines(report.rows), "", *_cpu_lines(report.rows), *_other_lines(report.rows)])


def _latency_lines(rows: Sequence[Row]) -> Iterator[str]:
    yield f"{'as multiples of a bare start':46} {'p50':>8} {'p95':>8} {'p99':>8} {'p50 ms':>9} {'p99 ms':>9}" + (
        f" {'per s':>7} {'calls':>7} {'failed':>6}"
    )
    usual = rows[0].p50_ms or 0
    for row in rows:
        if row.p50_ms is None or row.p95_ms is None or row.p99_ms is None:
            continue
        unit = row.bare_start_ms or usual
        multiples = " ".join(f"{value / unit:8.3f}" for value in (row.p50_ms, row.p95_ms, row.p99_ms))
        rate = "" if row.rate_per_s is None else f"{row.rate_per_s:.0f}"
        refused = f"  and {row.refused} refused" if row.refused else ""
        counts = f"{rate:>7} {row.count:7d} {row.failed:6d}{refused}"
        yield f"{row.name:46} {multiples} {row.p50_ms:9.2f} {row.p99_ms:9.2f} {counts}"


def _cpu_lines(rows: Sequence[Row]) -> Iterator[str]:
    loaded = [row for row in rows if row.cpu_ms_per_call]
    if not loaded:
        return
    who = list(loaded[0].cpu_ms_per_call)
    yield f"{'CPU ms per call':46} " + " ".join(f"{name:>10}" for name in who)
    for row in loaded:
        yield f"{row.name:46} " + " ".join(f"{row.cpu_ms_per_call.get(name, 0):10.3f}" for name in who)
    yield ""


def _other_lines(rows: Sequence[Row]) -> Iterator[str]:
    memory = [row for row in rows if row.bytes_each is not None]
    if memory:
        yield f"{'memory':46} {'KiB each':>10} {'of':>7}"
        yield from (f"{row.name:46} {(row.bytes_each or 0) / 1024:10.1f} {row.count:7d}" for row in memory)
        yield ""
    verdicts = list(judge(rows))
    if verdicts:
        yield f"{'budgets':46} {'':20} {'measured':>10}  {'budget':>10}"
        yield from map(_verdict_line, verdicts)


def _verdict_line(verdict: Verdict) -> str:
    budget = verdict.budget
    bound = f"{'>=' if budget.at_least else '<='} {budget.limit:g}"
    met = "met" if verdict.met else "calls failed" if verdict.row.failed else "NOT MET"
    return f"{verdict.row.name:46} {budget.measure:20} {verdict.value:10.5g}  {bound:>10}  {met}"


def _describe_machine() -> dict[str, str]:
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1024**3
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{memory:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "PostgreSQL": f"{POSTGRES_MAJOR}, the embedded one",
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _find_commit() -> str | None:
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        told = [
            subprocess.run([*git, *command], capture_output=True, text=True, timeout=GIT_S_MAX, check=True).stdout
            for command in (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
        ]
    except (OSError, subprocess.SubprocessError):
        return None
    return told[0].strip()[:12] + ("+" if told[1].strip() else "")
