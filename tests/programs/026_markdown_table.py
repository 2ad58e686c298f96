"""Parse a markdown table, filter and sort it, and print it aligned again."""

from typing import Any, Callable, Dict, List

Row = Dict[str, str]


def parse_table(text: str) -> List[Row]:
    lines = [line.strip().strip("|") for line in text.strip().splitlines()]
    header, divider, *body = [[cell.strip() for cell in line.split("|")] for line in lines]
    if not all(set(cell) <= set("-: ") for cell in divider):
        raise ValueError("second line is not a divider")
    return [dict(zip(header, cells)) for cells in body]


def render_table(rows: List[Row], columns: List[str]) -> str:
    widths = {c: max(len(c), *(len(str(r.get(c, ""))) for r in rows)) for c in columns}
    numeric = {c: all(str(r.get(c, "")).replace(".", "").isdigit() for r in rows) for c in columns}

    def line(values: Dict[str, Any]) -> str:
        cells = []
        for c in columns:
            align = ">" if numeric[c] else "<"
            cells.append(f"{values.get(c, ''):{align}{widths[c]}}")
        return "| " + " | ".join(cells) + " |"

    divider = "|" + "|".join(
        "-" * (widths[c] + 1) + (":" if numeric[c] else "-") for c in columns
    ) + "|"
    return "\n".join([line({c: c for c in columns}), divider, *map(line, rows)])


OPERATORS: Dict[str, Callable[[float, float], bool]] = {
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    "=": lambda a, b: a == b,
}


def run(inputs: Dict[str, Any]) -> Dict[str, Any]:
    rows = parse_table(inputs["table"])
    column, op, limit = inputs["where"]
    kept = [r for r in rows if OPERATORS[op](float(r[column]), limit)]
    kept.sort(key=lambda r: float(r[inputs["sort"]]), reverse=True)
    for rank, row in enumerate(kept, start=1):
        row["rank"] = str(rank)
    table = render_table(kept, ["rank", *inputs["columns"]])
    try:
        parse_table("a | b\n1 | 2")
        error = ""
    except ValueError as exc:
        error = str(exc)
    return {"table": table.split("\n"), "dropped": len(rows) - len(kept), "error": error}

# inputs: {"table": "| city | people | area |\n|---|---:|---:|\n| Oslo | 709 | 454.1 |\n| Bergen | 291 | 464.7 |\n| Hamar | 32 | 350.9 |\n| Trondheim | 212 | 496.6 |", "where": ["people", ">", 100], "sort": "area", "columns": ["city", "people", "area"]}
# expect: {"table": ["| rank | city      | people |  area |", "|-----:|-----------|-------:|------:|", "|    1 | Trondheim |    212 | 496.6 |", "|    2 | Bergen    |    291 | 464.7 |", "|    3 | Oslo      |    709 | 454.1 |"], "dropped": 1, "error": "second line is not a divider"}
