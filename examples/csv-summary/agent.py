"""Summarise a CSV: per column its kind, what is missing, and the figures that suit the kind."""

import csv
import io
import statistics
from collections import Counter
from datetime import date

MISSING = {"", "-", "n/a", "na", "null", "none"}
TOP_VALUES = 3


def run(inputs):
    rows = read_rows(inputs["csv"], inputs.get("delimiter"))
    if not rows:
        return {"rows": 0, "columns": []}
    header, body = rows[0], rows[1:]
    return {
        "rows": len(body),
        "columns": [summarise(name.strip(), column_of(body, index)) for index, name in enumerate(header)],
        "ragged_lines": [line for line, row in enumerate(body, start=2) if len(row) != len(header)],
    }


def read_rows(text, delimiter=None):
    text = text.lstrip("\ufeff")
    reader = csv.reader(io.StringIO(text), delimiter=delimiter or guess_delimiter(text))
    return [row for row in reader if any(cell.strip() for cell in row)]


def guess_delimiter(text):
    first_line = text.split("\n", 1)[0]
    return max(",;\t|", key=first_line.count)


def column_of(rows, index):
    return [row[index].strip() if index < len(row) else "" for row in rows]


def summarise(name, cells):
    present = [cell for cell in cells if cell.lower() not in MISSING]
    summary = {"name": name, "missing": len(cells) - len(present), "distinct": len(set(present))}
    numbers = parse_all(present, to_number)
    if numbers:
        return {**summary, "kind": "number", **number_figures(numbers)}
    days = parse_all(present, date.fromisoformat)
    if days:
        return {**summary, "kind": "date", "first": min(days).isoformat(), "last": max(days).isoformat()}
    top = sorted(Counter(present).items(), key=lambda item: (-item[1], item[0]))[:TOP_VALUES]
    return {**summary, "kind": "text", "top": [{"value": value, "count": count} for value, count in top]}


def number_figures(numbers):
    return {
        "min": min(numbers),
        "max": max(numbers),
        "mean": round(statistics.fmean(numbers), 4),
        "median": statistics.median(numbers),
        "sum": round(sum(numbers), 4),
    }


def to_number(cell):
    cleaned = cell.replace("_", "x").replace(" ", "")
    try:
        return int(cleaned)
    except ValueError:
        value = float(cleaned)
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(cell)
    return value


def parse_all(cells, parse):
    """Every cell parsed, or nothing when one of them is something else."""
    try:
        return [parse(cell) for cell in cells]
    except ValueError:
        return []
