"""Expand cron expressions and find the next times at which they fire."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
DAYS = "sun mon tue wed thu fri sat".split()


class CronError(ValueError):
    pass


def expand(text, low, high, names=()):
    values = set()
    for part in text.lower().split(","):
        span, _, step = part.partition("/")
        if span == "*":
            start, end = low, high
        else:
            first, _, last = span.partition("-")
            start = names.index(first) + low if first in names else int(first)
            end = (names.index(last) + low if last in names else int(last)) if last else start
        if not low <= start <= end <= high:
            raise CronError(f"{part} is outside {low}-{high}")
        values |= set(range(start, end + 1, int(step or 1)))
    return frozenset(values)


@dataclass(frozen=True)
class Cron:
    minutes: frozenset
    hours: frozenset
    days: frozenset
    months: frozenset
    weekdays: frozenset

    FIELDS: ClassVar = (("minute", 0, 59, ()), ("hour", 0, 23, ()), ("day", 1, 31, ()),
                        ("month", 1, 12, MONTHS), ("weekday", 0, 6, DAYS))

    @classmethod
    def parse(cls, text):
        parts = text.split()
        if len(parts) != len(cls.FIELDS):
            raise CronError(f"expected 5 fields, got {len(parts)}")
        fields = []
        for part, (name, low, high, names) in zip(parts, cls.FIELDS):
            try:
                fields.append(expand(part, low, high, names))
            except CronError:
                raise
            except ValueError:
                raise CronError(f"cannot read {name} {part!r}") from None
        return cls(*fields)

    def matches(self, when):
        return (when.minute in self.minutes and when.hour in self.hours and when.day in self.days
                and when.month in self.months and when.isoweekday() % 7 in self.weekdays)

    def upcoming(self, after):
        moment = after.replace(second=0, microsecond=0)
        while True:
            moment += timedelta(minutes=1) if moment.hour in self.hours else timedelta(minutes=60 - moment.minute)
            if self.matches(moment):
                yield moment


def run(inputs):
    after, out = datetime.fromisoformat(inputs["after"]), {}
    for text in inputs["expressions"]:
        try:
            out[text] = [f"{m:%a %d %b %H:%M}" for m, _ in zip(Cron.parse(text).upcoming(after), range(3))]
        except CronError as exc:
            out[text] = str(exc)
    return out

# inputs: {"after": "2024-02-28 22:50:30", "expressions": ["*/20 * * * *", "30 9 * * mon-fri", "0 0 29 feb *", "15,45 8-9 1 */3 *", "61 * * * *", "a b c d e", "* * *"]}
# expect: {"*/20 * * * *": ["Wed 28 Feb 23:00", "Wed 28 Feb 23:20", "Wed 28 Feb 23:40"], "30 9 * * mon-fri": ["Thu 29 Feb 09:30", "Fri 01 Mar 09:30", "Mon 04 Mar 09:30"], "0 0 29 feb *": ["Thu 29 Feb 00:00", "Tue 29 Feb 00:00", "Sun 29 Feb 00:00"], "15,45 8-9 1 */3 *": ["Mon 01 Apr 08:15", "Mon 01 Apr 08:45", "Mon 01 Apr 09:15"], "61 * * * *": "61 is outside 0-59", "a b c d e": "cannot read minute 'a'", "* * *": "expected 5 fields, got 3"}
