"""The page that shows a report: nothing on it comes from anywhere but the report and the table of budgets."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.budgets import REASONS, Measure, Verdict, judge
from bench.chart import draw
from bench.report import Report, write_atomically
from bench.samples import Row

TITLE = "Median latency in bare interpreter starts, logarithmic; the marks are budgets"
METHOD = """\
**One run, one machine.** Everything on this page was measured in one run of one command, and the figures that count
are ratios within that run. The yardstick is a *bare start*: `posix_spawn` of the interpreter of the server's own
environment with `-I -c pass`, from the call until the process has been waited for. Bare starts are interleaved with
what is measured, one for every ten calls of a fast row and one for every call of a slow one, and a row is divided by
the median of its own bare starts, so that a machine that slows down for a while slows both.

**The program** is `def run(inputs): return {"hello": inputs["name"]}` everywhere, with one input; each answer's status
is checked, and where a row has one client also its body. The success rate of every row must be 100 %: a row with a
failed call is printed and does not count.

**Clock boundaries.** *The tier alone*: from the call of the sandbox's `run` to its result, in the process that holds
the sandbox. *Whole HTTP invocation*: from before the request is written to a kept-alive connection until the whole
answer has been read, by a client on the same machine; in between are the token's verification, row-level security, the
hold, a fresh sandbox, and settling. *First call*: the same for a user who has never called, the connection being open,
after a rest of 1.5 s in which the pool may fill up. *Burst*: from the first of 100 requests until the last answer.

**Warm-up.** 50 calls before a latency row, 2 s before a sustained one, 3 calls before another product's. First calls
have none.

**Percentiles** are by nearest rank, of {calls} calls where nothing else is said. **Rates** are answered calls over the
time from the first request to the last answer. The database is the embedded PostgreSQL with its defaults, synchronous
commits among them; it, the server, the sandboxes and the load generator share the machine's cores.

**CPU time** is what the kernel counts: of the server process; of all its descendants, ended ones included; of the
containers with their shims; of the engine; of the database's processes; of the load generator. *Machine* is all that
was not idle, so what is missing from the sum is the kernel's own work and other processes; *stolen* is what the host of
a virtual machine gave to others.

**Growth** is measured with two servers at the same time, one on a database with 10 agents and no runs but those of the
measurement, one on a database filled with 100,000 agents, 1,000,000 runs and their 2,000,000 ledger entries, of 1,000
users, of whom the caller owns a tenth. Calls alternate between the two.

**Memory** is unique memory: `Private_Dirty` of `/proc/PID/smaps_rollup`, pages that the process alone has written to. A
live run is one of 20, each parked in a glove call, the median of them: what its processes have, in the docker tier its
container's shim included, and its share of what the 20 add to the process that holds the sandbox. An idle agent is what
the server process has more after 9,990 agents were added to 10.
"""
FLOOD_METHOD = """\
**Flood.** Two users of one server: the one calls over one kept-alive connection, first alone; then the other calls over
40 connections, each of which sends its next call when it has its answer, from a process of its own. Once that has gone
on for 2 s, the first one's calls are measured again for as long as the flood lasts, twice as long as the calls
alone took. Of its calls every answer other than 200 is a failure; the flood may also be refused, with 429 or 503.
"""


def write_page(path: Path, report: Report) -> None:
    """The page, and its plot beside it under the same name. Raises OSError."""
    plot = path.with_suffix(".svg")
    write_atomically(plot, render_plot(report))
    write_atomically(path, render_page(report, plot.name))


def render_plot(report: Report) -> str:
    """Latencies of one client; ours first, each group from fast to slow."""
    shown = [row for row in report.rows if row.bare_start_ms and row.rate_per_s is None and row.ratio is None]
    shown = [row for row in shown if not row.key.startswith(("bare-start", "growth/"))]
    ordered = sorted(shown, key=lambda row: (row.key.startswith("peers/"), row.p50_starts))
    medians = {
        verdict.row.key: verdict.budget.limit
        for verdict in judge(report.rows)
        if verdict.budget.measure is Measure.P50_STARTS
    }
    return draw(TITLE, ordered, medians)


def render_page(report: Report, plot: str) -> str:
    """The page as Markdown, with a link to the plot."""
    verdicts = list(judge(report.rows))
    parts = [
        "# Benchmarks",
        "",
        f"<!-- Written by `glovebox bench` from {Path(plot).stem}.json. Do not edit. -->",
        "",
        f"Measured {report.taken_at} with `{report.command}`, at commit {report.commit or 'unknown'}, on",
        "; ".join(f"{what}: {value}" for what, value in report.machine.items()) + ".",
        "",
        f"![{TITLE}]({plot})",
        "",
        *_section("Budgets", _budget_lines(verdicts)),
        *_section("What is not met, and why", _reason_lines(verdicts)),
        *_section("Latencies", _latency_lines(report.rows)),
        *_section("Sustained", _sustained_lines(report.rows)),
        *_section("CPU time per call, ms", _cpu_lines(report.rows)),
        *_section("Flood", _flood_lines(report.rows)),
        *_section("Growth", _growth_lines(report.rows)),
        *_section("Memory", _memory_lines(report.rows)),
        "## Method",
        "",
        *_method(report.rows),
        "## Again",
        "",
        "```sh",
        "glovebox bench --out docs/benchmarks.json --page docs/benchmarks.md   # measure, and write this page",
        "glovebox bench --from docs/benchmarks.json --page docs/benchmarks.md  # write it again from the data",
        "glovebox bench --compare docs/benchmarks.json    # measure, and compare: exit status 1 if a median got worse",
        "```",
    ]
    return "\n".join(parts) + "\n"


def _section(title: str, lines: Iterator[str]) -> list[str]:
    body = list(lines)
    return [f"## {title}", "", *body, ""] if body else []


def _budget_lines(verdicts: Sequence[Verdict]) -> Iterator[str]:
    if verdicts:
        yield "| what | measure | budget | measured | |"
        yield "|---|---|---:|---:|---|"
    for verdict in verdicts:
        budget = verdict.budget
        limit, value = (_shown(number, budget.measure) for number in (budget.limit, verdict.value))
        bound = f"{'≥' if budget.at_least else '≤'} {limit}"
        met = "met" if verdict.met else "**not met**"
        yield f"| {verdict.row.name} | {budget.measure} | {bound} | {value} | {met} |"


def _shown(number: float, measure: Measure) -> str:
    if measure is Measure.BYTES:
        return f"{number / 1024**2:.2f} MiB" if number >= 1024**2 / 10 else f"{number:.0f} B"
    return f"{number:.0f}" if measure is Measure.RATE else f"{number:.3g}"


def _reason_lines(verdicts: Sequence[Verdict]) -> Iterator[str]:
    for verdict in verdicts:
        if not verdict.met:
            reason = REASONS.get((verdict.budget.key, verdict.budget.measure), "No reason has been measured yet.")
            yield f"- **{verdict.row.name}, {verdict.budget.measure}.** {reason}"


def _latency_lines(rows: Sequence[Row]) -> Iterator[str]:
    yield "| one client | p50 | p95 | p99 | p50 ms | p99 ms | calls | succeeded |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    for row in rows:
        if row.p50_ms is None or row.bare_start_ms is None or row.key.startswith("growth/"):
            continue
        multiples = " | ".join(
            f"{(value or 0) / row.bare_start_ms:.3g}" for value in (row.p50_ms, row.p95_ms, row.p99_ms)
        )
        yield f"| {row.name} | {multiples} | {row.p50_ms:.2f} | {row.p99_ms or 0:.2f} | {row.count} | {_success(row)} |"


def _sustained_lines(rows: Sequence[Row]) -> Iterator[str]:
    loaded = [row for row in rows if row.rate_per_s is not None and not row.key.startswith("flood/")]
    if loaded:
        yield "| many connections | per s | p50 ms | p95 ms | p99 ms | calls | succeeded |"
        yield "|---|---:|---:|---:|---:|---:|---:|"
    for row in loaded:
        percentiles = " | ".join(f"{value or 0:.1f}" for value in (row.p50_ms, row.p95_ms, row.p99_ms))
        yield f"| {row.name} | {row.rate_per_s or 0:.0f} | {percentiles} | {row.count} | {_success(row)} |"


def _cpu_lines(rows: Sequence[Row]) -> Iterator[str]:
    loaded = [row for row in rows if len(row.cpu_ms_per_call) > 1]
    if not loaded:
        return
    who = list(loaded[0].cpu_ms_per_call)
    yield f"| | {' | '.join(who)} |"
    yield "|---|" + "---:|" * len(who)
    for row in loaded:
        yield f"| {row.name} | {' | '.join(f'{row.cpu_ms_per_call.get(name, 0):.3f}' for name in who)} |"


def _flood_lines(rows: Sequence[Row]) -> Iterator[str]:
    flooded = [row for row in rows if row.key.startswith("flood/")]
    if flooded:
        yield "| | p50 ms | p99 ms | p99 against quiet | per s | calls | refused | succeeded |"
        yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    for row in flooded:
        ratio = "" if row.ratio_p99 is None else f"{row.ratio_p99:.2f}"
        rate = "" if row.rate_per_s is None else f"{row.rate_per_s:.0f}"
        figures = f"{row.p50_ms or 0:.2f} | {row.p99_ms or 0:.2f} | {ratio} | {rate} | {row.count} | {row.refused}"
        yield f"| {row.name} | {figures} | {_success(row)} |"


def _growth_lines(rows: Sequence[Row]) -> Iterator[str]:
    grown = [row for row in rows if row.key.startswith("growth/")]
    if grown:
        yield "| | p50 ms | p99 ms | against little | calls | succeeded |"
        yield "|---|---:|---:|---:|---:|---:|"
    for row in grown:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        milliseconds = f"{row.p50_ms or 0:.2f} | {row.p99_ms or 0:.2f}"
        yield f"| {row.name} | {milliseconds} | {ratio} | {row.count} | {_success(row)} |"


def _memory_lines(rows: Sequence[Row]) -> Iterator[str]:
    measured = [row for row in rows if row.bytes_each is not None]
    if measured:
        yield "| unique memory of one | | of |"
        yield "|---|---:|---:|"
    for row in measured:
        yield f"| {row.name} | {_shown(row.bytes_each or 0, Measure.BYTES)} | {row.count} |"


def _success(row: Row) -> str:
    return f"{100 * (1 - (row.failed + row.refused) / row.count):.4g} %"


def _method(rows: Sequence[Row]) -> Iterator[str]:
    yield METHOD.replace("{calls}", _usual_count(rows))
    if any(row.key.startswith("flood/") for row in rows):
        yield FLOOD_METHOD


def _usual_count(rows: Sequence[Row]) -> str:
    counts = [row.count for row in rows if row.key.startswith(("warm/", "alone/"))]
    return f"{max(counts, default=0):,}"
