"""The page in `docs/` is what its data renders, and everything on it that is not met has a reason."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.budgets import REASONS, judge
from bench.page import render_page, render_plot
from bench.report import Report, render_table
from bench.samples import Row

DOCS = Path(__file__).parents[3] / "docs"
SVG = "{http://www.w3.org/2000/svg}"
START = Row(key="bare-start", name="bare start", count=10, p50_ms=10.0, p95_ms=10.0, p99_ms=10.0, bare_start_ms=10.0)
WARM = Row(key="warm/monty", name="monty & co", count=10, p50_ms=9.0, p95_ms=9.0, p99_ms=9.0, bare_start_ms=10.0)
BESIDE = Row(key="flood/monty-beside", name="beside", count=10, p50_ms=4.0, p95_ms=5.0, p99_ms=6.0, ratio_p99=1.5)
FLOOD = replace(BESIDE, key="flood/monty-flood", name="flood", refused=1, rate_per_s=80.0, ratio_p99=None)
PEER = replace(WARM, key="peers/docker-run", name="docker run", p50_ms=230.0)


def committed() -> Report:
    return Report.from_json((DOCS / "benchmarks.json").read_text())


def report(*rows: Row) -> Report:
    return Report(taken_at="2026-01-01T00:00:00+00:00", command="bench", machine={}, commit=None, rows=rows)


def test_the_page_is_what_its_data_renders() -> None:
    again = "run `glovebox bench --from docs/benchmarks.json --page docs/benchmarks.md`"

    assert render_page(committed(), "benchmarks.svg") == (DOCS / "benchmarks.md").read_text(), again
    assert render_plot(committed()) == (DOCS / "benchmarks.svg").read_text(), again


def test_every_call_on_the_page_succeeded() -> None:
    assert [row.name for row in committed().rows if row.failed] == []


def test_what_the_page_does_not_meet_has_a_measured_reason() -> None:
    missed = {(verdict.budget.key, verdict.budget.measure) for verdict in judge(committed().rows) if not verdict.met}

    assert missed <= REASONS.keys()


def test_data_comes_back_as_it_was_written() -> None:
    before = report(START, replace(WARM, cpu_ms_per_call={"server": 0.5}))

    assert Report.from_json(before.to_json()) == before


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"format": 0}', '{"format": 1}', '{"format": 1, "rows": [{}]}', "nothing"]
)
def test_other_data_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not the measurements|Expecting value"):
        Report.from_json(text)


def test_what_was_not_measured_has_no_section() -> None:
    page = render_page(report(START, WARM), "plot.svg")

    assert "## Latencies" in page
    assert "## Memory" not in page
    assert "## Sustained" not in page
    assert "Flood" not in page


def test_a_flood_has_a_section_of_its_own() -> None:
    page = render_page(report(START, WARM, BESIDE, FLOOD), "plot.svg")

    assert "| beside | 4.00 | 6.00 | 1.50 |  | 10 | 0 | 100 % |" in page
    assert "| flood | 4.00 | 6.00 |  | 80 | 10 | 1 | 90 % |" in page
    assert "| beside | p99 against quiet | ≤ 1.2 | 1.5 | **not met** |" in page
    assert "**Flood.** Two users" in page
    assert "## Sustained" not in page


def test_what_a_server_refused_of_a_flood_is_told_on_the_terminal() -> None:
    table = render_table(report(START, BESIDE, FLOOD))

    assert table.count("refused") == 1
    assert "1 refused" in table


def test_a_missed_budget_is_named_on_the_page_and_on_the_terminal() -> None:
    missed = report(START, WARM)

    assert "| monty & co | p50 in bare starts | ≤ 0.25 | 0.9 | **not met** |" in render_page(missed, "plot.svg")
    assert "NOT MET" in render_table(missed)


def test_bars_are_as_long_as_the_logarithm_says() -> None:
    plot = ElementTree.fromstring(  # noqa: S314 - it is our own
        render_plot(report(START, replace(WARM, p50_ms=1.0), replace(PEER, p50_ms=100.0)))
    )

    first, second = (float(bar.attrib["width"]) for bar in plot.iter(f"{SVG}rect"))
    assert first == 1.0  # the least that is visible: it begins where the axis does
    assert second == pytest.approx(860 - 300 - 70)  # and the other ends where the axis ends
    assert [bar.attrib["class"] for bar in plot.iter(f"{SVG}rect")] == ["ours", "others"]
