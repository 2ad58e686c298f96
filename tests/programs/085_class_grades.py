"""Summarise exam marks: location, spread, outliers, z-scores and letter grades."""

import statistics
from bisect import bisect_left, insort
from collections import Counter
from functools import partial


def grade(mark, cutoffs=(50, 60, 70, 80, 90), letters="FEDCBA"):
    """Cut-offs themselves count for the lower grade."""
    return letters[bisect_left(cutoffs, mark)]


strict = partial(grade, cutoffs=(60, 70, 80, 90, 95))


class Marks:
    def __init__(self):
        self._sorted = []

    def __iadd__(self, mark):
        insort(self._sorted, mark)
        return self

    def __len__(self):
        return len(self._sorted)

    def quantile(self, q):
        position = q * (len(self) - 1)
        low = int(position)
        high = min(low + 1, len(self) - 1)
        return self._sorted[low] + (position - low) * (self._sorted[high] - self._sorted[low])

    def outliers(self):
        q1, q3 = self.quantile(0.25), self.quantile(0.75)
        margin = 1.5 * (q3 - q1)
        return [m for m in self._sorted if not q1 - margin <= m <= q3 + margin]

    def z_scores(self):
        mean = statistics.mean(self._sorted)
        deviation = statistics.pstdev(self._sorted, mean)
        return {str(m): round((m - mean) / deviation, 2) for m in self._sorted}

    @property
    def summary(self):
        s = self._sorted
        return dict(
            mean=round(statistics.mean(s), 2),
            median=statistics.median(s),
            modes=statistics.multimode(s),
            geometric=round(statistics.geometric_mean(s), 2),
            harmonic=round(statistics.harmonic_mean(s), 2),
            variance=round(statistics.variance(s), 2),
        )


def run(inputs):
    marks = Marks()
    for mark in inputs["marks"]:
        marks += mark
    try:
        statistics.mean([])
    except statistics.StatisticsError as exc:
        empty = str(exc)
    return {
        "summary": marks.summary,
        "outliers": marks.outliers(),
        "extreme": {m: z for m, z in marks.z_scores().items() if abs(z) > 1.5},
        "grades": dict(sorted(Counter(map(grade, inputs["marks"])).items())),
        "strict": "".join(sorted(strict(m) for m in inputs["marks"])),
        "percentile_90": round(marks.quantile(0.9), 1),
        "empty": empty,
        "normal": round(statistics.NormalDist(70, 10).cdf(85), 4),
    }

# inputs: {"marks": [72, 85, 91, 60, 60, 78, 95, 12, 67, 85, 88]}
# expect: {"summary": {"mean": 72.09, "median": 78, "modes": [60, 85], "geometric": 65.12, "harmonic": 51.23, "variance": 543.29}, "outliers": [12], "extreme": {"12": -2.7}, "grades": {"A": 2, "B": 3, "C": 2, "D": 1, "E": 2, "F": 1}, "strict": "BBCCCDDEFFF", "percentile_90": 91.0, "empty": "mean requires at least one data point", "normal": 0.9332}
