"""Count and add business days, with weekends, Easter-based and fixed public holidays."""

from datetime import date, timedelta

# Fixed days as (month, day, name); movable ones as days from Easter Sunday.
CALENDARS = {
    "none": ([], {}),
    "target": (
        [(1, 1, "New Year"), (5, 1, "Labour Day"), (12, 25, "Christmas"), (12, 26, "Boxing Day")],
        {-2: "Good Friday", 1: "Easter Monday"},
    ),
    "de": (
        [
            (1, 1, "Neujahr"),
            (5, 1, "Tag der Arbeit"),
            (10, 3, "Tag der Deutschen Einheit"),
            (12, 25, "1. Weihnachtstag"),
            (12, 26, "2. Weihnachtstag"),
        ],
        {-2: "Karfreitag", 1: "Ostermontag", 39: "Christi Himmelfahrt", 50: "Pfingstmontag"},
    ),
}
SATURDAY = 5
DAYS_MAX = 5000


class Calendar:
    """Knows which days are worked."""

    def __init__(self, name, extra_holidays=()):
        self._fixed, self._movable = CALENDARS[name]
        self._extra = {date.fromisoformat(day): "extra" for day in extra_holidays}
        self._years = {}

    def holiday(self, day):
        """The holiday's name, None on other days."""
        if day.year not in self._years:
            self._years[day.year] = self._holidays_of(day.year)
        return self._extra.get(day) or self._years[day.year].get(day)

    def is_business_day(self, day):
        return day.weekday() < SATURDAY and self.holiday(day) is None

    def _holidays_of(self, year):
        days = {date(year, month, day): name for month, day, name in self._fixed}
        for offset, name in self._movable.items():
            days[easter(year) + timedelta(days=offset)] = name
        return days


def easter(year):
    """Easter Sunday of the Gregorian calendar. Source: Meeus, Astronomical Algorithms, chapter 8."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * weekday) // 451
    month, day = divmod(h + weekday - 7 * m + 114, 31)
    return date(year, month, day + 1)


def add_days(calendar, start, count):
    step = timedelta(days=1 if count >= 0 else -1)
    day, left = start, abs(count)
    while left:
        day += step
        left -= calendar.is_business_day(day)
    return day


def skipped_between(calendar, first, last):
    """Holidays on weekdays in the closed interval; they are what surprises people."""
    day, skipped = first, []
    while day <= last:
        name = calendar.holiday(day)
        if name and day.weekday() < SATURDAY:
            skipped.append({"date": day.isoformat(), "name": name})
        day += timedelta(days=1)
    return skipped


def run(inputs):
    calendar = Calendar(inputs.get("calendar", "none"), inputs.get("holidays", []))
    start = date.fromisoformat(inputs["start"])
    if "end" in inputs:
        end = date.fromisoformat(inputs["end"])
        if not timedelta(0) <= end - start <= timedelta(days=DAYS_MAX):
            return {"error": f"end must be 0 to {DAYS_MAX} days after start"}
        span = (start + timedelta(days=offset) for offset in range((end - start).days + 1))
        business_days = sum(calendar.is_business_day(day) for day in span)
    else:
        business_days = inputs.get("add", 0)
        end = add_days(calendar, start, business_days)
    return {
        "start": start.isoformat(),
        "end": end.isoformat(),
        "weekday": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][end.weekday()],
        "business_days": business_days,
        "holidays": skipped_between(calendar, min(start, end), max(start, end)),
    }
