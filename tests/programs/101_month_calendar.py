"""Draw a month's calendar with events, and list recurring dates such as the second Tuesday."""

import calendar
from datetime import date, timedelta

WEEKDAYS = {name.lower(): number for number, name in enumerate(calendar.day_name)}
ORDINALS = ["first", "second", "third", "fourth", "fifth"]


def nth_weekday(year, month, ordinal, weekday):
    days = [
        day
        for week in calendar.monthcalendar(year, month)
        if (day := week[WEEKDAYS[weekday]])
    ]
    if ordinal == "last":
        return date(year, month, days[-1])
    index = ORDINALS.index(ordinal)
    if index >= len(days):
        raise LookupError(f"no {ordinal} {weekday} in {calendar.month_name[month]}")
    return date(year, month, days[index])


class MarkedCalendar(calendar.TextCalendar):
    def __init__(self, marked, firstweekday=calendar.MONDAY):
        super().__init__(firstweekday)
        self._marked = marked

    def formatday(self, day, weekday, width):
        if day in self._marked:
            return f"[{day}]".rjust(width)
        return super().formatday(day, weekday, width)


def add_months(day, count):
    month = day.month - 1 + count
    year, month = day.year + month // 12, month % 12 + 1
    return day.replace(year=year, month=month, day=min(day.day, calendar.monthrange(year, month)[1]))


def run(inputs):
    year, month = inputs["year"], inputs["month"]
    marked, problems = {}, []
    for title, (ordinal, weekday) in inputs["events"].items():
        try:
            marked[nth_weekday(year, month, ordinal, weekday).day] = title
        except LookupError as exc:
            problems.append(str(exc))
    text = MarkedCalendar(marked).formatmonth(year, month, w=4)
    start = date(2024, 1, 31)
    return {
        "calendar": text.rstrip().split("\n"),
        "events": {str(d): t for d, t in sorted(marked.items())},
        "problems": problems,
        "leap": [y for y in (1900, 2000, 2023, 2024) if calendar.isleap(y)],
        "month_ends": [add_months(start, n).isoformat() for n in range(4)],
        "fridays_13th": [f"{m:02}" for m in range(1, 13) if date(year, m, 13).weekday() == calendar.FRIDAY],
        "sundays": sum(1 for n in range(366) if (date(2024, 1, 1) + timedelta(n)).isoweekday() == 7),
    }

# inputs: {"year": 2024, "month": 2, "events": {"Board": ["second", "tuesday"], "Demo": ["last", "thursday"], "Party": ["fifth", "friday"], "Retro": ["first", "monday"]}}
# expect: {"calendar": ["          February 2024", "Mon  Tue  Wed  Thu  Fri  Sat  Sun", "                 1    2    3    4", " [5]   6    7    8    9   10   11", " 12  [13]  14   15   16   17   18", " 19   20   21   22   23   24   25", " 26   27   28  [29]"], "events": {"5": "Retro", "13": "Board", "29": "Demo"}, "problems": ["no fifth friday in February"], "leap": [2000, 2024], "month_ends": ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"], "fridays_13th": ["09", "12"], "sundays": 52}
