"""Evaluate a small spreadsheet with formulas, ranges and circular references."""

import re
from string import ascii_uppercase

CELL = re.compile(r"\b([A-Z])(\d+)(?::([A-Z])(\d+))?\b")


class CircularReference(RecursionError): ...


class Sheet:
    FUNCTIONS = {"SUM": sum, "MIN": min, "MAX": max, "AVG": lambda values: sum(values) / len(values), "COUNT": len}

    def __init__(self, cells):
        self._cells = dict(cells)
        self._values = {}
        self._active = []

    def __getitem__(self, name):
        if name in self._values:
            return self._values[name]
        if name in self._active:
            raise CircularReference(" > ".join([*self._active, name]))
        self._active.append(name)
        try:
            self._values[name] = self._evaluate(self._cells.get(name, 0))
        finally:
            self._active.pop()
        return self._values[name]

    def __setitem__(self, name, content):
        self._cells[name] = content
        self._values.clear()

    def _evaluate(self, content):
        if not isinstance(content, str) or not content.startswith("="):
            return content
        formula = content[1:].replace(" ", "")
        if m := re.fullmatch(r"([A-Z]+)\((.*)\)", formula):
            return self.FUNCTIONS[m[1]](list(self._range(m[2])))
        total, sign = 0, 1
        for term in re.split(r"([+-])", formula):
            if term in "+-":
                sign = {"+": 1, "-": -1}[term]
            else:
                total += sign * self._product(term)
        return total

    def _product(self, term):
        first, *rest = re.split(r"([*/])", term)
        value = self._factor(first)
        for op, factor in zip(rest[::2], rest[1::2]):
            value = value * self._factor(factor) if op == "*" else value / self._factor(factor)
        return value

    def _factor(self, text):
        return self[text] if CELL.fullmatch(text) else float(text)

    def _range(self, text):
        for m in CELL.finditer(text):
            column, row, last_column, last_row = m.groups()
            columns = ascii_uppercase[ascii_uppercase.index(column):ascii_uppercase.index(last_column or column) + 1]
            yield from (self[f"{c}{r}"] for r in range(int(row), int(last_row or row) + 1) for c in columns)

    def show(self, name):
        try:
            return self[name]
        except (CircularReference, ZeroDivisionError, KeyError, TypeError) as exc:
            return f"#{type(exc).__name__}"


def run(inputs):
    sheet = Sheet(inputs["cells"])
    before = {name: sheet.show(name) for name in inputs["cells"]}
    sheet["A1"] = 100
    return {"before": before, "after": {name: sheet.show(name) for name in inputs["watch"]}}

# inputs: {"cells": {"A1": 2, "A2": 3.5, "A3": "=A1*A2-1", "B1": "=SUM(A1:A3)", "B2": "= B1 / A1 + 10", "B3": "=AVG(A1:B1)", "C1": "=C2", "C2": "=C1+1", "C3": "=A1/Z9", "D1": "=MEDIAN(A1)", "D2": "text", "D3": "=COUNT(A1:A3,B1)"}, "watch": ["A3", "B2"]}
# expect: {"before": {"A1": 2, "A2": 3.5, "A3": 6.0, "B1": 11.5, "B2": 15.75, "B3": 6.75, "C1": "#CircularReference", "C2": "#CircularReference", "C3": "#ZeroDivisionError", "D1": "#KeyError", "D2": "text", "D3": 4}, "after": {"A3": 349.0, "B2": 14.525}}
