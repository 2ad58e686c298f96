"""Put customers into age groups on a given day and profile each group."""

import bisect
from collections import Counter
from datetime import date
from enum import Enum


class Group(Enum):
    CHILD = (0, "under 13")
    TEEN = (13, "13 to 17")
    ADULT = (18, "18 to 64")
    SENIOR = (65, "65 and over")

    def __init__(self, start, label):
        self.start = start
        self.label = label

    @classmethod
    def for_age(cls, age):
        groups = list(cls)
        position = bisect.bisect_right([g.start for g in groups], age)
        if position == 0:
            raise ValueError("not born yet")
        return groups[position - 1]


def age_on(day, born):
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def next_birthday(day, born):
    for year in (day.year, day.year + 1):
        try:
            birthday = born.replace(year=year)
        except ValueError:
            birthday = date(year, 3, 1)
        if birthday >= day:
            return birthday
    raise AssertionError("unreachable")


def run(inputs):
    today = date.fromisoformat(inputs["today"])
    groups = {}
    skipped = []
    soon = []
    for name, text in inputs["customers"].items():
        try:
            born = date.fromisoformat(text)
            group = Group.for_age(age := age_on(today, born))
        except ValueError as exc:
            skipped.append(f"{name}: {exc}")
            continue
        groups.setdefault(group, []).append(age)
        days = (next_birthday(today, born) - today).days
        if days <= 30:
            soon.append((days, name, age + (days > 0)))
    profile = {
        g.label: {"count": len(ages), "mean_age": round(sum(ages) / len(ages), 1)}
        for g, ages in sorted(groups.items(), key=lambda item: item[0].start)
    }
    missing = [g.name for g in Group if g not in groups]
    decades = Counter(f"{age // 10 * 10}s" for ages in groups.values() for age in ages)
    return {"profile": profile, "missing": missing, "decades": dict(decades.most_common(1)),
            "birthdays": [list(s) for s in sorted(soon)], "skipped": skipped}

# inputs: {"today": "2025-02-20", "customers": {"Ada": "1955-03-10", "Bo": "2012-02-21", "Cy": "2012-02-20", "Di": "1996-02-29", "Ed": "1990-12-01", "Flo": "2026-01-01", "Gus": "1999-13-01"}}
# expect: {"profile": {"under 13": {"count": 1, "mean_age": 12.0}, "13 to 17": {"count": 1, "mean_age": 13.0}, "18 to 64": {"count": 2, "mean_age": 31.0}, "65 and over": {"count": 1, "mean_age": 69.0}}, "missing": [], "decades": {"10s": 2}, "birthdays": [[0, "Cy", 13], [1, "Bo", 13], [9, "Di", 29], [18, "Ada", 70]], "skipped": ["Flo: not born yet", "Gus: month must be in 1..12"]}
