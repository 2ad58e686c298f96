"""Answer small SELECT queries over a list of records."""

import re
from collections import defaultdict
from statistics import mean

QUERY = re.compile(
    r"""^select\s+(?P<columns>.+?)          # what to show
        (?:\s+where\s+(?P<where>.+?))?      # optional filter
        (?:\s+group\s+by\s+(?P<group>\w+))?
        (?:\s+order\s+by\s+(?P<order>\w+)(?P<desc>\s+desc)?)?
        (?:\s+limit\s+(?P<limit>\d+))?$""",
    re.IGNORECASE | re.VERBOSE,
)
AGGREGATES = {"count": len, "sum": sum, "avg": mean, "min": min, "max": max}


class QueryError(Exception):
    pass


def literal(text):
    if text[0] in "'\"":
        return text[1:-1]
    return float(text) if "." in text else int(text)


def condition(text):
    m = re.fullmatch(r"(\w+)\s*(<=|>=|!=|=|<|>|~)\s*(.+)", text.strip())
    if not m:
        raise QueryError(f"cannot read condition {text!r}")
    column, op, raw = m.groups()
    value = literal(raw)
    tests = {
        "=": lambda x: x == value, "!=": lambda x: x != value, "<": lambda x: x < value, ">": lambda x: x > value,
        "<=": lambda x: x <= value, ">=": lambda x: x >= value, "~": lambda x: value.lower() in x.lower(),
    }
    return lambda row: column in row and tests[op](row[column])


def parse_where(text):
    alternatives = [[condition(c) for c in re.split(r"\s+and\s+", part)] for part in re.split(r"\s+or\s+", text)]
    return lambda row: any(all(c(row) for c in group) for group in alternatives)


def cell(column, rows):
    if m := re.fullmatch(r"(\w+)\((\w+|\*)\)", column):
        values = [r[m[2]] for r in rows] if m[2] != "*" else rows
        return AGGREGATES[m[1].lower()](values)
    return rows[0][column]


def select(rows, query):
    m = QUERY.match(query.strip())
    if m is None:
        raise QueryError("expected SELECT ...")
    if m["where"]:
        rows = list(filter(parse_where(m["where"]), rows))
    columns = [c.strip() for c in m["columns"].split(",")]
    groups = defaultdict(list)
    for i, row in enumerate(rows):
        groups[row[m["group"]] if m["group"] else ("all" if "(" in m["columns"] else i)].append(row)
    if m["order"]:
        groups = dict(sorted(groups.items(), key=lambda g: g[1][0][m["order"]], reverse=bool(m["desc"])))
    found = [[cell(c, members) for c in columns] for members in groups.values()]
    return found[: int(m["limit"])] if m["limit"] else found


def run(inputs):
    out = {}
    for query in inputs["queries"]:
        try:
            out[query] = select(inputs["rows"], query)
        except (QueryError, KeyError) as exc:
            out[query] = f"{type(exc).__name__}: {exc}"
    return out

# inputs: {"rows": [{"name": "Oslo", "country": "NO", "people": 709}, {"name": "Bergen", "country": "NO", "people": 291}, {"name": "Malmo", "country": "SE", "people": 351}, {"name": "Lund", "country": "SE", "people": 94}], "queries": ["SELECT name WHERE people > 300 ORDER BY people DESC", "select country, sum(people), count(*) group by country", "select avg(people) where country = 'SE' or name ~ 'berg' and people < 300", "select name, people order by name limit 2", "select nothing", "select name where people is big", "drop everything"]}
# expect: {"SELECT name WHERE people > 300 ORDER BY people DESC": [["Oslo"], ["Malmo"]], "select country, sum(people), count(*) group by country": [["NO", 1000, 2], ["SE", 445, 2]], "select avg(people) where country = 'SE' or name ~ 'berg' and people < 300": [[245.33333333333334]], "select name, people order by name limit 2": [["Bergen", 291], ["Lund", 94]], "select nothing": "KeyError: 'nothing'", "select name where people is big": "QueryError: cannot read condition 'people is big'", "drop everything": "QueryError: expected SELECT ..."}
