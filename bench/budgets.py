"""What each row may cost: the one table of budgets, and whether they are met."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bench.samples import Row

MIB = 1024**2


class Measure(StrEnum):
    """What of a row is held against a budget, in the words of the table."""

    P50_STARTS = "p50 in bare starts"
    P99_P50 = "p99 / p50"
    RATE = "calls per s"
    ELAPSED = "s for all"
    BYTES = "bytes each"
    P99_QUIET = "p99 against quiet"
    RATIO = "p50 against few"


@dataclass(frozen=True, slots=True)
class Budget:
    """A bound of one row: the most, or where `at_least` the least."""

    key: str
    measure: Measure
    limit: float
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """A budget and what was measured. `met` is False where calls failed, whatever they took."""

    budget: Budget
    row: Row
    value: float
    met: bool


BUDGETS: Sequence[Budget] = (
    Budget("warm/monty", Measure.P50_STARTS, 0.25),
    Budget("warm/monty", Measure.P99_P50, 3),
    Budget("warm/restricted", Measure.P50_STARTS, 0.35),
    Budget("warm/restricted", Measure.P99_P50, 3),
    Budget("warm/docker", Measure.P50_STARTS, 0.45),
    Budget("warm/docker", Measure.P99_P50, 3),
    Budget("first/docker", Measure.P50_STARTS, 2),
    Budget("sustained16/monty", Measure.RATE, 900, at_least=True),
    Budget("sustained16/restricted", Measure.RATE, 400, at_least=True),
    Budget("sustained16/docker", Measure.RATE, 250, at_least=True),
    Budget("burst/docker", Measure.ELAPSED, 30),
    Budget("flood/monty-beside", Measure.P99_QUIET, 1.2),
    Budget("flood/restricted-beside", Measure.P99_QUIET, 1.2),
    Budget("flood/docker-beside", Measure.P99_QUIET, 1.2),
    Budget("growth/invocation-many", Measure.RATIO, 1.2),
    Budget("growth/runs-many", Measure.RATIO, 1.2),
    Budget("growth/agents-many", Measure.RATIO, 1.2),
    Budget("memory/live-restricted", Measure.BYTES, 5 * MIB),
    # Nothing is kept for an idle agent. What an allocator moves meanwhile is still some bytes for each.
    Budget("memory/idle-agent", Measure.BYTES, 64),
)

_FLOOD_REASON = (
    "On two cores a flood's one run at a time, which is what admission leaves it while anybody else calls, still takes "
    "processor time from the other's call: server, PostgreSQL, sandbox and both load generators share them."
)

# Why a budget is not met on the machine of the page, measured. A test asks for one where the page says "not met".
REASONS: Mapping[tuple[str, Measure], str] = {
    ("warm/monty", Measure.P50_STARTS): "Beginning and finishing the run take about 60 %: two statements, each a "
    "transaction with its commit; PostgreSQL itself computes 0.35 to 0.45 ms for each in a tight loop, and the rest is "
    "the way there and back between processes that have slept meanwhile.",
    ("warm/monty", Measure.P99_P50): "One call in a hundred meets a pause of some 10 ms, with one client and an idle "
    "machine, where bare starts themselves have a p99 of 1.6 to 1.7 medians. What the pause is was not found.",
    (
        "warm/restricted",
        Measure.P50_STARTS,
    ): "The tier alone takes 0.11. Behind a call its successor's child is forked, sealed and rehearsed, which costs "
    "more CPU time than all else and with one client falls together with storing the run, on 2 cores.",
    ("warm/docker", Measure.P50_STARTS): "Around the bound, by how fast the machine is: 0.41 where a bare start took "
    "13 ms, 0.45 where it took 17, 0.48 where it took 18. About half of it is beginning and finishing the run.",
    ("sustained16/monty", Measure.RATE): "By the CPU time of a call (below) the server's one process is the bound; the "
    "rest of the machine is PostgreSQL's.",
    ("sustained16/restricted", Measure.RATE): "Half of the CPU time of a call (below) is for a process of its own: "
    "fork, namespace, seal, page copies, end.",
    (
        "sustained16/docker",
        Measure.RATE,
    ): "The largest part of a call's CPU time (below) is the container's: fork of the "
    "next child, page copies, killing and wiping what the run before left.",
    ("flood/monty-beside", Measure.P99_QUIET): _FLOOD_REASON,
    ("flood/restricted-beside", Measure.P99_QUIET): _FLOOD_REASON,
    ("flood/docker-beside", Measure.P99_QUIET): _FLOOD_REASON,
}

_VALUES: Mapping[Measure, Callable[[Row], float | None]] = {
    Measure.P50_STARTS: lambda row: row.p50_starts,
    Measure.P99_P50: lambda row: row.p99_ms / row.p50_ms if row.p50_ms and row.p99_ms else None,
    Measure.RATE: lambda row: row.rate_per_s,
    Measure.ELAPSED: lambda row: row.elapsed_s,
    Measure.BYTES: lambda row: row.bytes_each,
    Measure.P99_QUIET: lambda row: row.ratio_p99,
    Measure.RATIO: lambda row: row.ratio,
}


def judge(rows: Sequence[Row]) -> Iterator[Verdict]:
    """Each budget of a row that there is, in the table's order."""
    by_key = {row.key: row for row in rows}
    for budget in BUDGETS:
        row = by_key.get(budget.key)
        value = None if row is None else _VALUES[budget.measure](row)
        if row is None or value is None:
            continue
        within = value >= budget.limit if budget.at_least else value <= budget.limit
        yield Verdict(budget, row, value, met=within and not row.failed)
