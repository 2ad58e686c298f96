"""Two runs of the measurements side by side."""

from collections.abc import Mapping

from bench.report import Report
from bench.samples import Row


def compare(now: Report, then: Report, factor: float) -> tuple[str, bool]:
    """Ratios of what both have, and whether a median got worse by more than `factor`.

    Medians are compared as multiples of a bare start, so that a slower machine is not taken for a slower Glovebox.
    """
    earlier = {row.key: row for row in then.rows}
    units = {id(report): report.rows[0].p50_ms or 1.0 for report in (now, then)}
    lines = [f"{'against ' + (then.commit or then.taken_at):46} {'p50':>7} {'p99':>7} {'rate':>7} {'bytes':>7}"]
    worse = False
    for row in now.rows[1:]:
        if (other := earlier.get(row.key)) is None:
            continue
        scale = _unit(other, units[id(then)]) / _unit(row, units[id(now)])
        p50 = _ratio(row.p50_ms, other.p50_ms, scale)
        too_much = p50 is not None and p50 > factor
        worse |= too_much
        ratios = (
            p50,
            _ratio(row.p99_ms, other.p99_ms, scale),
            _ratio(row.rate_per_s, other.rate_per_s, 1 / scale),
            _ratio(row.bytes_each, other.bytes_each, 1),
        )
        shown = " ".join(f"{'':>7}" if ratio is None else f"{ratio:7.2f}" for ratio in ratios)
        lines.append(f"{row.name:46} {shown}" + (f"  worse than {factor:g}" if too_much else ""))
    lines += _differences(now.machine, then.machine)
    return "\n".join(lines), worse


def _unit(row: Row, usual: float) -> float:
    return row.bare_start_ms or usual


def _ratio(now: float | None, then: float | None, scale: float) -> float | None:
    return now / then * scale if now is not None and then else None


def _differences(now: Mapping[str, str], then: Mapping[str, str]) -> list[str]:
    return [
        f"another {what}: {then.get(what)} then, {now.get(what)} now"
        for what in sorted(now.keys() | then.keys())
        if now.get(what) != then.get(what)
    ]
