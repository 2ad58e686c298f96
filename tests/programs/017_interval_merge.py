"""Merge busy intervals of several calendars and find common free slots."""

from dataclasses import dataclass
from typing import Iterator


@dataclass(order=True, frozen=True)
class Interval:
    start: int
    end: int

    def __post_init__(self):
        if self.start >= self.end:
            raise ValueError(f"empty interval {self.start}-{self.end}")

    @classmethod
    def parse(cls, text: str) -> "Interval":
        def minutes(clock: str) -> int:
            hours, mins = map(int, clock.split(":"))
            return hours * 60 + mins

        return cls(*(minutes(part) for part in text.split("-")))

    def touches(self, other: "Interval") -> bool:
        return self.start <= other.end and other.start <= self.end

    def __or__(self, other: "Interval") -> "Interval":
        return Interval(min(self.start, other.start), max(self.end, other.end))

    def __len__(self) -> int:
        return self.end - self.start

    def __str__(self) -> str:
        return "{:02d}:{:02d}-{:02d}:{:02d}".format(*divmod(self.start, 60), *divmod(self.end, 60))


def merge(intervals: list[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for interval in sorted(intervals):
        if merged and merged[-1].touches(interval):
            merged[-1] |= interval
        else:
            merged.append(interval)
    return merged


def gaps(busy: list[Interval], day: Interval, at_least: int) -> Iterator[Interval]:
    cursor = day.start
    for interval in (*busy, Interval(day.end, day.end + 1)):
        if interval.start - cursor >= at_least:
            yield Interval(cursor, interval.start)
        cursor = max(cursor, interval.end)


def run(inputs):
    everyone = [Interval.parse(t) for times in inputs["calendars"].values() for t in times]
    busy = merge(everyone)
    free = list(gaps(busy, Interval.parse(inputs["day"]), inputs["minutes"]))
    try:
        Interval.parse("10:00-09:00")
        error = None
    except ValueError as e:
        error = str(e)
    return {
        "busy": [str(i) for i in busy],
        "busy_minutes": sum(len(i) for i in busy),
        "free": [f"{i} ({len(i)} min)" for i in free],
        "error": error,
    }

# inputs: {"day": "09:00-18:00", "minutes": 30, "calendars": {"ana": ["09:30-10:30", "13:00-14:00"], "bo": ["10:15-11:00", "11:10-12:00", "14:00-15:45"], "cy": ["17:00-18:00"]}}
# expect: {"busy": ["09:30-11:00", "11:10-12:00", "13:00-15:45", "17:00-18:00"], "busy_minutes": 365, "free": ["09:00-09:30 (30 min)", "12:00-13:00 (60 min)", "15:45-17:00 (75 min)"], "error": "empty interval 600-540"}
