"""Render text through a custom string.Formatter with filters such as {name|upper}."""

import string
from collections import defaultdict
from datetime import date
from decimal import Decimal

FILTERS = {
    "upper": str.upper,
    "title": str.title,
    "money": lambda v: f"{Decimal(v):,.2f} EUR",
    "year": lambda v: date.fromisoformat(v).year,
    "list": lambda v: ", ".join(v[:-1]) + f" and {v[-1]}" if len(v) > 1 else "".join(v),
    "count": len,
}


class FilterFormatter(string.Formatter):
    def __init__(self, missing="?"):
        super().__init__()
        self._missing = missing
        self.unknown = []

    def get_field(self, field_name, args, kwargs):
        name, *filters = field_name.split("|")
        try:
            value, used = super().get_field(name.strip(), args, kwargs)
        except (KeyError, IndexError):
            self.unknown.append(name)
            return self._missing, name
        for f in filters:
            value = FILTERS[f.strip()](value)
        return value, used

    def convert_field(self, value, conversion):
        if conversion == "q":
            return f"“{value}”"
        return super().convert_field(value, conversion)


class Defaults(dict):
    def __missing__(self, key):
        return "{" + key + "}"


def run(inputs):
    formatter = FilterFormatter()
    out = []
    for template in inputs["templates"]:
        try:
            out.append(formatter.format(template, "first", **inputs["values"]))
        except KeyError as exc:
            out.append(f"no filter {exc}")
        except ValueError as exc:
            out.append(f"broken: {exc}")
    words = defaultdict(lambda: "...", name="Zoe")
    return {
        "rendered": out,
        "unknown": formatter.unknown,
        "partial": "Dear {name}, {greeting}".format_map(Defaults(name="Kim")),
        "dots": "{name} {surname}".format_map(words),
        "fields": [[text, name] for text, name, spec, conv in string.Formatter().parse("a{b:>3}c{d!r}")],
        "nested": "{:{fill}{align}{width}}|{:.{digits}f}".format("x", 2.71828, fill="*", align="^", width=5, digits=2),
        "items": "{0[0]}-{0[1]} {p[k]} {n.real}".format([1, 2], p={"k": "v"}, n=7),
        "table": "\n".join("%-6s|%6.2f|%3d%%" % row for row in [("a", 1.5, 50), ("bb", 22.256, 7)]),
    }

# inputs: {"templates": ["{name|title} paid {amount|money} in {day|year}", "{tags|list|upper:>20}", "{0} {name!q} {name|count:03d}", "{nobody|upper} {user[city]}", "{name|shout}", "{name"], "values": {"name": "ada king", "amount": "1234.5", "day": "2024-05-01", "tags": ["x", "y", "z"], "user": {"city": "Oslo"}}}
# expect: {"rendered": ["Ada King paid 1,234.50 EUR in 2024", "          X, Y AND Z", "first “ada king” 008", "? Oslo", "no filter 'shout'", "broken: expected '}' before end of string"], "unknown": ["nobody"], "partial": "Dear Kim, {greeting}", "dots": "Zoe ...", "fields": [["a", "b"], ["c", "d"]], "nested": "**x**|2.72", "items": "1-2 v 7", "table": "a     |  1.50| 50%\nbb    | 22.26|  7%"}
