"""Fit a building's heating demand to the weather, with pandas and numpy, from daily meter readings."""

import io

import numpy as np
import pandas as pd

COMFORT_C = 15.5  # above it, nobody heats
UNUSUAL_SIGMAS = 3.5


def run(inputs):
    readings = read(inputs.get("csv", READINGS))
    complete = readings.dropna()
    if len(complete) < 7:
        raise ValueError("at least seven days with both a temperature and a meter reading are needed")
    per_degree, base = fit(complete)
    return {
        "days": len(readings),
        "incomplete_days": int(len(readings) - len(complete)),
        "base_kwh": round(base, 1),
        "kwh_per_degree": round(per_degree, 2),
        "fits": round(explained(complete, per_degree, base), 2),
        "months": by_month(complete),
        "unusual": unusual(complete, per_degree, base),
        "forecast_kwh": round(demand(inputs.get("temperature_c", 0.0), per_degree, base), 1),
    }


def read(text):
    readings = pd.read_csv(io.StringIO(text), parse_dates=["day"])
    return readings.set_index("day").sort_index()


def degrees(temperature_c):
    return np.clip(COMFORT_C - temperature_c, 0, None)


def demand(temperature_c, per_degree, base):
    return float(base + per_degree * degrees(temperature_c))


def fit(readings):
    """Least squares, twice: the second time without the days that the first one finds unusual."""
    line = fit_line(readings)
    return fit_line(readings[np.abs(scores(readings, *line)) < UNUSUAL_SIGMAS])


def fit_line(readings):
    per_degree, base = np.polyfit(degrees(readings["temperature_c"]), readings["kwh"], deg=1)
    return float(per_degree), float(base)


def residuals(readings, per_degree, base):
    return readings["kwh"] - (base + per_degree * degrees(readings["temperature_c"]))


def scores(readings, per_degree, base):
    """How unusual each day is, in robust standard deviations, so that one odd day does not hide another."""
    rest = residuals(readings, per_degree, base)
    spread = 1.4826 * np.median(np.abs(rest - np.median(rest)))
    return rest / max(spread, 1e-9)


def explained(readings, per_degree, base):
    usual = readings[np.abs(scores(readings, per_degree, base)) < UNUSUAL_SIGMAS]
    rest = residuals(usual, per_degree, base)
    return float(1 - np.var(rest) / np.var(usual["kwh"]))


def by_month(readings):
    months = readings.resample("MS").agg({"temperature_c": "mean", "kwh": "sum"})
    return [
        {
            "month": f"{month:%Y-%m}",
            "temperature_c": round(float(row.temperature_c), 1),
            "kwh": round(float(row.kwh), 1),
        }
        for month, row in months.iterrows()
    ]


def unusual(readings, per_degree, base):
    found = scores(readings, per_degree, base)
    odd = found[np.abs(found) >= UNUSUAL_SIGMAS]
    return [{"day": f"{day:%Y-%m-%d}", "kwh": float(readings.loc[day, "kwh"])} for day in odd.index]


READINGS = """\
day,temperature_c,kwh
2026-01-01,-0.0,92.2
2026-01-02,1.0,86.4
2026-01-03,0.4,88.7
2026-01-04,5.3,74.0
2026-01-05,5.9,71.4
2026-01-06,5.2,73.6
2026-01-07,1.6,87.8
2026-01-08,6.2,71.1
2026-01-09,2.0,78.7
2026-01-10,3.6,77.1
2026-01-11,5.8,70.8
2026-01-12,6.0,68.4
2026-01-13,,74.5
2026-01-14,2.7,86.7
2026-01-15,4.5,79.0
2026-01-16,1.5,83.4
2026-01-17,1.3,86.0
2026-01-18,2.6,82.6
2026-01-19,-0.2,88.5
2026-01-20,-0.9,97.4
2026-01-21,-1.9,97.9
2026-01-22,0.2,85.6
2026-01-23,-0.8,97.3
2026-01-24,-5.0,106.7
2026-01-25,-1.1,92.0
2026-01-26,0.4,89.2
2026-01-27,-3.1,103.7
2026-01-28,1.7,87.8
2026-01-29,3.9,78.5
2026-01-30,2.1,79.7
2026-01-31,3.9,
2026-02-01,2.7,77.7
2026-02-02,2.6,80.3
2026-02-03,8.0,57.4
2026-02-04,3.3,80.2
2026-02-05,9.9,58.8
2026-02-06,3.8,70.2
2026-02-07,8.9,58.2
2026-02-08,6.3,72.2
2026-02-09,11.0,53.8
2026-02-10,9.3,60.4
2026-02-11,12.0,51.8
2026-02-12,9.6,59.7
2026-02-13,5.0,77.5
2026-02-14,9.6,59.6
2026-02-15,3.2,77.9
2026-02-16,8.1,57.7
2026-02-17,5.4,143.3
2026-02-18,2.5,87.0
2026-02-19,5.5,71.5
2026-02-20,4.5,77.3
2026-02-21,3.6,81.9
2026-02-22,1.6,84.0
2026-02-23,4.7,74.8
2026-02-24,0.8,90.8
2026-02-25,5.5,70.7
2026-02-26,-0.0,90.3
2026-02-27,2.8,80.3
2026-02-28,6.4,65.9
2026-03-01,6.7,64.1
2026-03-02,3.4,81.0
2026-03-03,8.0,66.1
2026-03-04,7.3,66.3
2026-03-05,7.9,65.6
2026-03-06,8.1,64.0
2026-03-07,10.5,55.0
2026-03-08,,52.6
2026-03-09,14.9,41.0
2026-03-10,10.6,53.5
2026-03-11,11.8,53.4
2026-03-12,11.5,52.8
2026-03-13,16.0,30.3
2026-03-14,10.0,57.4
2026-03-15,12.9,47.6
2026-03-16,10.9,55.6
2026-03-17,11.9,48.7
2026-03-18,15.7,39.1
2026-03-19,9.1,59.5
2026-03-20,9.1,59.6
2026-03-21,3.4,77.7
2026-03-22,10.2,52.5
2026-03-23,7.4,68.4
2026-03-24,8.7,65.6
2026-03-25,3.1,79.1
"""
