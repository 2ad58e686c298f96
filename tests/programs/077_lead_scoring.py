"""Score sales leads with weighted rules read from inputs and explain each score."""

import operator
from functools import partial, reduce

COMPARE = {"==": operator.eq, "!=": operator.ne, ">": operator.gt, ">=": operator.ge, "<": operator.lt,
           "in": lambda a, b: a in b, "contains": operator.contains}
GRADES = [(80, "A"), (50, "B"), (20, "C"), (float("-inf"), "D")]


class UnknownField(LookupError):
    pass


def lookup(record, path, default=None):
    try:
        return reduce(operator.getitem, path.split("."), record)
    except (KeyError, TypeError):
        if default is not None:
            return default
        raise UnknownField(path) from None


class Condition:
    def __init__(self, field, op, expected):
        self._get = partial(lookup, path=field)
        self._test = COMPARE[op]
        self._expected = expected
        self.text = f"{field} {op} {expected}"

    def __call__(self, record):
        return self._test(self._get(record), self._expected)

    def __and__(self, other):
        return Both(self, other)


class Both(Condition):
    def __init__(self, *parts):
        self._parts = parts
        self.text = " and ".join(p.text for p in parts)

    def __call__(self, record):
        return all(part(record) for part in self._parts)


def compile_rules(specs):
    for *conditions, points in specs:
        parts = [Condition(*c) for c in conditions]
        yield reduce(operator.and_, parts), points


def score(lead, rules):
    total, why, unknown = 0, [], set()
    for condition, points in rules:
        try:
            matched = condition(lead)
        except UnknownField as exc:
            unknown.add(str(exc))
            continue
        if matched:
            total += points
            why.append(f"{points:+} {condition.text}")
    grade = next(g for limit, g in GRADES if total >= limit)
    return {"score": total, "grade": grade, "why": why, "unknown": sorted(unknown)}


def run(inputs):
    rules = list(compile_rules(inputs["rules"]))
    scored = {lead["name"]: score(lead, rules) for lead in inputs["leads"]}
    best = max(scored, key=lambda n: scored[n]["score"])
    return {"leads": scored, "best": best}

# inputs: {"rules": [[["company.size", ">", 100], 40], [["company.size", ">", 100], ["title", "contains", "Head"], 25], [["source", "in", ["referral", "event"]], 20], [["mail.bounced", "==", true], -50]], "leads": [{"name": "Ada", "company": {"size": 500}, "title": "Head of Data", "source": "event", "mail": {"bounced": false}}, {"name": "Bo", "company": {"size": 120}, "title": "Intern", "source": "ads", "mail": {"bounced": true}}, {"name": "Cy", "title": "CTO", "source": "referral"}]}
# expect: {"leads": {"Ada": {"score": 85, "grade": "A", "why": ["+40 company.size > 100", "+25 company.size > 100 and title contains Head", "+20 source in ['referral', 'event']"], "unknown": []}, "Bo": {"score": -10, "grade": "D", "why": ["+40 company.size > 100", "-50 mail.bounced == True"], "unknown": []}, "Cy": {"score": 20, "grade": "C", "why": ["+20 source in ['referral', 'event']"], "unknown": ["company.size", "mail.bounced"]}}, "best": "Ada"}
