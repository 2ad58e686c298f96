"""The plot of the page: medians as bars on a logarithmic axis, as SVG that is readable in light and dark."""

import math
from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import escape

from bench.samples import Row

WIDTH = 860
LABELS = 300  # what they need at the left
VALUES = 70  # and the figures at the right
ROW = 24
BAR = 14
TOP = 42
BOTTOM = 16
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
.grid { stroke: #d1d9e0 }
.one { stroke: #1f2328; stroke-dasharray: 3 3 }
.ours { fill: #0969da }
.others { fill: #9a6700 }
.budget { stroke: #cf222e; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .grid { stroke: #3d444d }
  .one { stroke: #e6edf3 }
  .ours { fill: #4493f8 }
  .others { fill: #d29922 }
  .budget { stroke: #f85149 }
}
"""


def draw(title: str, rows: Sequence[Row], budgets: Mapping[str, float]) -> str:
    """A bar for each row's median in bare starts, which each must have, and a mark where its budget ends.

    Args:
        title: one line.
        rows: from top to bottom; those of keys that begin with `peers/` are drawn as others'.
        budgets: the most that a row's median may be, by its key.
    """
    values = [row.p50_starts or 1.0 for row in rows]
    low = math.floor(math.log10(min([*values, *budgets.values()], default=1.0)))
    high = math.ceil(math.log10(max(values, default=1.0)))
    height = TOP + ROW * len(rows) + BOTTOM

    def x(value: float) -> float:
        share = (math.log10(value) - low) / max(1, high - low)
        return round(LABELS + share * (WIDTH - LABELS - VALUES), 1)

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<text class="title" x="8" y="16">{escape(title)}</text>',
        *(_grid_line(10.0**power, x(10.0**power), height) for power in range(low, max(high, low + 1) + 1)),
    ]
    for index, (row, value) in enumerate(zip(rows, values, strict=True)):
        lines += _bar(row, TOP + ROW * index, x(10.0**low), x(value), value)
        if (budget := budgets.get(row.key)) is not None:
            top = TOP + ROW * index + 2
            lines.append(f'<line class="budget" x1="{x(budget)}" x2="{x(budget)}" y1="{top}" y2="{top + ROW - 4}"/>')
    return "\n".join([*lines, "</svg>", ""])


def _grid_line(value: float, x: float, height: int) -> str:
    style = "one" if value == 1 else "grid"
    line = f'<line class="{style}" x1="{x}" x2="{x}" y1="{TOP - 6}" y2="{height - BOTTOM}"/>'
    return f'{line}<text x="{x}" y="{TOP - 10}" text-anchor="middle">{value:g}</text>'


def _bar(row: Row, top: int, start: float, end: float, value: float) -> Iterator[str]:
    whose = "others" if row.key.startswith("peers/") else "ours"
    middle = top + ROW / 2 + 4
    bar_top = top + (ROW - BAR) / 2
    yield f'<text x="{LABELS - 8}" y="{middle}" text-anchor="end">{escape(row.name)}</text>'
    width = max(1.0, round(end - start, 1))
    yield f'<rect class="{whose}" x="{start}" y="{bar_top}" width="{width}" height="{BAR}" rx="2"/>'
    yield f'<text x="{end + 6}" y="{middle}">{value:.3g}</text>'
