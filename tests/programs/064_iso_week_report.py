"""Total working hours per ISO week from clock-in and clock-out stamps."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from itertools import groupby


class TimeSheet:
    def __init__(self, *, break_after=timedelta(hours=6), pause=timedelta(minutes=30)):
        self._open = None
        self._shifts = []
        self._break_after = break_after
        self._pause = pause
        self.warnings = []

    def stamp(self, kind, when):
        if kind == "in":
            if self._open is not None:
                self.warnings.append(f"forgot to clock out on {self._open:%a %d.%m.}")
            self._open = when
        elif self._open is None:
            self.warnings.append(f"clocked out twice on {when:%a %d.%m.}")
        else:
            worked = when - self._open
            if worked > self._break_after:
                worked -= self._pause
            self._shifts.append((self._open.date(), worked))
            self._open = None

    def weeks(self):
        def week(shift):
            year, number, _ = shift[0].isocalendar()
            return year, number

        for (year, number), shifts in groupby(sorted(self._shifts), key=week):
            days = defaultdict(timedelta)
            for day, worked in shifts:
                days[day] += worked
            yield year, number, days


def hours(delta):
    total = int(delta / timedelta(minutes=1))
    return f"{total // 60}:{total % 60:02d}"


def run(inputs):
    sheet = TimeSheet()
    for line in inputs["stamps"]:
        kind, when = line.split(" ", 1)
        sheet.stamp(kind, datetime.fromisoformat(when))
    report = []
    for year, number, days in sheet.weeks():
        total = sum(days.values(), timedelta())
        monday = date.fromisocalendar(year, number, 1)
        report.append({
            "week": f"{year}-W{number:02}",
            "from": monday.isoformat(),
            "hours": hours(total),
            "balance": ("+" if total >= (target := timedelta(hours=8 * len(days))) else "-") + hours(abs(total - target)),
            "busiest": max(days, key=days.get).strftime("%A"),
        })
    return {"weeks": report, "warnings": sheet.warnings}

# inputs: {"stamps": ["in 2024-12-27 08:00", "out 2024-12-27 16:45", "in 2024-12-30 09:00", "out 2024-12-30 12:00", "in 2024-12-30 13:00", "out 2024-12-30 18:10", "in 2024-12-31 08:30", "in 2025-01-02 08:00", "out 2025-01-02 15:00", "out 2025-01-02 15:01", "in 2025-01-06 07:00", "out 2025-01-06 15:30"]}
# expect: {"weeks": [{"week": "2024-W52", "from": "2024-12-23", "hours": "8:15", "balance": "+0:15", "busiest": "Friday"}, {"week": "2025-W01", "from": "2024-12-30", "hours": "14:40", "balance": "-1:20", "busiest": "Monday"}, {"week": "2025-W02", "from": "2025-01-06", "hours": "8:00", "balance": "+0:00", "busiest": "Monday"}], "warnings": ["forgot to clock out on Tue 31.12.", "clocked out twice on Thu 02.01."]}
