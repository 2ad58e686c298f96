"""Compute delivery dates over business days, weekends and holidays."""

from datetime import date, timedelta
from enum import IntEnum
from typing import FrozenSet, Iterator


class Weekday(IntEnum):
    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6

    @property
    def short(self) -> str:
        return self.name[:3].title()


def easter(year: int) -> date:
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    l = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * l) // 451
    month, day = divmod(h + l - 7 * m + 114, 31)
    return date(year, month, day + 1)


class WorkCalendar:
    WEEKEND = frozenset({Weekday.SATURDAY, Weekday.SUNDAY})

    def __init__(self, holidays: FrozenSet[date] = frozenset()) -> None:
        self._holidays = holidays

    @classmethod
    def for_years(cls, *years: int) -> "WorkCalendar":
        def days(year: int) -> Iterator[date]:
            yield date(year, 1, 1)
            yield date(year, 12, 25)
            yield easter(year) - timedelta(days=2)
            yield easter(year) + timedelta(days=1)

        return cls(frozenset(day for year in years for day in days(year)))

    def is_open(self, day: date) -> bool:
        return day.weekday() not in self.WEEKEND and day not in self._holidays

    def add(self, day: date, count: int) -> date:
        step = timedelta(days=1 if count >= 0 else -1)
        remaining = abs(count)
        while remaining:
            day += step
            remaining -= self.is_open(day)
        return day

    def between(self, start: date, end: date) -> int:
        return sum(self.is_open(start + timedelta(n)) for n in range((end - start).days))


def run(inputs):
    calendar = WorkCalendar.for_years(2023, 2024)
    deliveries = {}
    for order in inputs["orders"]:
        day = date.fromisoformat(order["ordered"])
        due = calendar.add(day, order["days"])
        deliveries[order["id"]] = f"{Weekday(due.weekday()).short} {due:%Y-%m-%d}"
    first, last = (date.fromisoformat(d) for d in inputs["period"])
    return {"deliveries": deliveries, "easter": str(easter(2024)), "open_days": calendar.between(first, last)}

# inputs: {"orders": [{"id": "A", "ordered": "2024-03-27", "days": 2}, {"id": "B", "ordered": "2023-12-22", "days": 5}, {"id": "C", "ordered": "2024-01-03", "days": -2}, {"id": "D", "ordered": "2024-06-10", "days": 0}], "period": ["2024-03-25", "2024-04-08"]}
# expect: {"deliveries": {"A": "Tue 2024-04-02", "B": "Tue 2024-01-02", "C": "Fri 2023-12-29", "D": "Mon 2024-06-10"}, "easter": "2024-03-31", "open_days": 8}
