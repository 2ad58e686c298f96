"""Aggregate weather observations into a report, using grouping, scales and derived values."""

import calendar
import itertools
import json
import math
import operator
from collections import namedtuple
from datetime import datetime
from typing import Iterable, Optional

Observation = namedtuple("Observation", "when station temp humidity wind")

BEAUFORT = [(0.5, "calm"), (5.5, "breeze"), (13.9, "strong"), (24.5, "gale"), (math.inf, "storm")]


def dew_point(temp: float, humidity: float) -> float:
    a, b = 17.62, 243.12
    gamma = math.log(humidity / 100) + a * temp / (b + temp)
    return b * gamma / (a - gamma)


def feels_like(o: Observation) -> float:
    if o.temp <= 10 and o.wind > 1.3:
        v = (o.wind * 3.6) ** 0.16
        return 13.12 + 0.6215 * o.temp - 11.37 * v + 0.3965 * o.temp * v
    return o.temp


def parse(lines: Iterable[str]) -> Iterable[Observation]:
    for line in lines:
        raw = json.loads(line)
        yield Observation(
            datetime.fromisoformat(raw.pop("when")),
            raw.pop("station"),
            **{k: raw.get(k) for k in ("temp", "humidity", "wind")},
        )


def mean(values: Iterable[Optional[float]]) -> Optional[float]:
    known = [v for v in values if v is not None]
    return math.fsum(known) / len(known) if known else None


def scale(wind: float) -> str:
    return next(name for limit, name in BEAUFORT if wind < limit)


def run(inputs):
    observations = sorted(parse(inputs["lines"]), key=operator.attrgetter("station", "when"))
    stations = {}
    for station, group in itertools.groupby(observations, key=operator.attrgetter("station")):
        rows = list(group)
        complete = [o for o in rows if None not in o]
        coldest = min(complete, key=feels_like)
        stations[station] = {
            "mean": round(mean(o.temp for o in rows), 2),
            "range": "{:+.1f}..{:+.1f}".format(*(f(o.temp for o in complete) for f in (min, max))),
            "feels": f"{feels_like(coldest):.1f} on {coldest.when:%A}",
            "dew": [round(dew_point(o.temp, o.humidity), 1) for o in complete],
            "wind": [scale(o.wind) for o in complete],
            "missing": len(rows) - len(complete),
        }
    months = {calendar.month_abbr[m] for m in map(lambda o: o.when.month, observations)}
    trend = [b.temp - a.temp for a, b in itertools.pairwise(observations) if a.station == b.station and None not in (a.temp, b.temp)]
    return {"stations": stations, "months": sorted(months), "warming": round(sum(trend), 1)}

# inputs: {"lines": ["{\"when\": \"2024-01-15T06:00\", \"station\": \"hill\", \"temp\": -3.5, \"humidity\": 80, \"wind\": 6}", "{\"when\": \"2024-01-16T06:00\", \"station\": \"hill\", \"temp\": 1, \"humidity\": 95, \"wind\": 14.2}", "{\"when\": \"2024-02-01T06:00\", \"station\": \"bay\", \"temp\": 7, \"humidity\": 65, \"wind\": 0.2}", "{\"when\": \"2024-02-02T06:00\", \"station\": \"bay\", \"temp\": 9.5, \"wind\": 3}"]}
# expect: {"stations": {"bay": {"mean": 8.25, "range": "+7.0..+7.0", "feels": "7.0 on Thursday", "dew": [0.9], "wind": ["calm"], "missing": 1}, "hill": {"mean": -1.25, "range": "-3.5..+1.0", "feels": "-9.9 on Monday", "dew": [-6.5, 0.3], "wind": ["strong", "gale"], "missing": 0}}, "months": ["Feb", "Jan"], "warming": 7.0}
