"""Find a meeting time that suits colleagues in several time zones."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@dataclass
class Colleague:
    name: str
    zone: ZoneInfo
    start: time = time(9)
    end: time = time(17, 30)

    def local(self, moment):
        return moment.astimezone(self.zone)

    def can_meet(self, moment, length):
        begin, finish = self.local(moment), self.local(moment + length)
        return begin.weekday() < 5 and begin.date() == finish.date() and self.start <= begin.time() and finish.time() <= self.end


def offset(moment):
    seconds = int(moment.utcoffset().total_seconds())
    sign = "-" if seconds < 0 else "+"
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"{sign}{hours:02}:{minutes:02}"


def slots(day, step=timedelta(minutes=30)):
    moment = datetime.combine(day, time(0), tzinfo=timezone.utc)
    end = moment + timedelta(days=1)
    while moment < end:
        yield moment
        moment += step


def run(inputs):
    people, unknown = [], []
    for name, zone in inputs["people"].items():
        try:
            people.append(Colleague(name, ZoneInfo(zone)))
        except (ZoneInfoNotFoundError, ValueError):
            unknown.append(name)
    length = timedelta(minutes=inputs["minutes"])
    answer = {}
    for text in inputs["days"]:
        day = datetime.strptime(text, "%d/%m/%Y").date()
        fits = [m for m in slots(day) if all(p.can_meet(m, length) for p in people)]
        if not fits:
            answer[text] = None
            continue
        answer[text] = {
            "utc": fits[0].strftime("%H:%M"),
            "options": len(fits),
            "local": {p.name: f"{p.local(fits[0]):%H:%M} {offset(p.local(fits[0]))}" for p in people},
        }
    gap = datetime(2024, 3, 31, 3, 30, tzinfo=ZoneInfo("Europe/Berlin")) - datetime(
        2024, 3, 31, 1, 30, tzinfo=ZoneInfo("Europe/Berlin")
    )
    return {"meetings": answer, "unknown": unknown, "wall_clock_gap": str(gap)}

# inputs: {"minutes": 60, "people": {"Ines": "Europe/Lisbon", "Raj": "Asia/Kolkata", "Kim": "Europe/Berlin", "Zork": "Mars/Olympus"}, "days": ["12/01/2024", "10/07/2024", "13/07/2024"]}
# expect: {"meetings": {"12/01/2024": {"utc": "09:00", "options": 5, "local": {"Ines": "09:00 +00:00", "Raj": "14:30 +05:30", "Kim": "10:00 +01:00"}}, "10/07/2024": {"utc": "08:00", "options": 7, "local": {"Ines": "09:00 +01:00", "Raj": "13:30 +05:30", "Kim": "10:00 +02:00"}}, "13/07/2024": null}, "unknown": ["Zork"], "wall_clock_gap": "2:00:00"}
