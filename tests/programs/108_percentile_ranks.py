"""Rank students with bisect: percentiles, nearest neighbours and a running median."""

from array import array
from bisect import bisect_left, bisect_right, insort
from heapq import heappop, heappush, heappushpop
from typing import Iterable


class Ranking:
    def __init__(self, scores: Iterable[float]) -> None:
        self._scores = array("d", sorted(scores))

    def percentile(self, score: float) -> float:
        below = bisect_left(self._scores, score)
        equal = bisect_right(self._scores, score) - below
        return 100 * (below + equal / 2) / len(self._scores)

    def nearest(self, score: float) -> float:
        at = bisect_left(self._scores, score)
        around = self._scores[max(at - 1, 0):at + 1]
        return min(around, key=lambda s: abs(s - score))

    def between(self, low: float, high: float) -> int:
        return bisect_right(self._scores, high) - bisect_left(self._scores, low)

    @property
    def memory(self) -> int:
        return self._scores.itemsize * len(self._scores)


class RunningMedian:
    def __init__(self) -> None:
        self._low: list[float] = []
        self._high: list[float] = []

    def add(self, value: float) -> float:
        if len(self._low) == len(self._high):
            heappush(self._low, -heappushpop(self._high, value))
        else:
            heappush(self._high, -heappushpop(self._low, -value))
        return self.value

    @property
    def value(self) -> float:
        if len(self._low) > len(self._high):
            return -self._low[0]
        return (self._high[0] - self._low[0]) / 2


def merge_schedule(people):
    by_time: list[tuple[int, str]] = []
    for name, times in people.items():
        for t in times:
            insort(by_time, (t, name), key=lambda item: item[0])
    return [f"{t}:{name}" for t, name in by_time]


def run(inputs):
    ranking = Ranking(inputs["scores"])
    median = RunningMedian()
    heap = []
    for s in inputs["scores"]:
        heappush(heap, s)
    return {
        "percentiles": {str(s): round(ranking.percentile(s), 1) for s in inputs["ask"]},
        "nearest": [ranking.nearest(s) for s in inputs["ask"]],
        "middle": ranking.between(60, 80),
        "bytes": ranking.memory,
        "medians": [median.add(s) for s in inputs["scores"]],
        "three_lowest": [heappop(heap) for _ in range(3)],
        "schedule": merge_schedule({"ann": [9, 15], "bob": [11, 9], "cy": [10]}),
    }

# inputs: {"scores": [71, 55, 93, 62, 80, 71, 48, 66], "ask": [71, 40, 100, 63.5]}
# expect: {"percentiles": {"71": 62.5, "40": 0.0, "100": 100.0, "63.5": 37.5}, "nearest": [71.0, 48.0, 93.0, 62.0], "middle": 5, "bytes": 64, "medians": [71, 63.0, 71, 66.5, 71, 71.0, 71, 68.5], "three_lowest": [48, 55, 62], "schedule": ["9:ann", "9:bob", "10:cy", "11:bob", "15:ann"]}
