"""Cluster two-dimensional points with k-means in pure Python."""

import math
import random
from typing import List, Sequence, Tuple

Point = Tuple[float, float]


def centroid(points: Sequence[Point]) -> Point:
    xs, ys = zip(*points)
    return sum(xs) / len(xs), sum(ys) / len(ys)


class KMeans:
    def __init__(self, k: int, *, seed: int = 7, max_rounds: int = 50) -> None:
        self.k = k
        self.max_rounds = max_rounds
        self._rng = random.Random(seed)
        self.centres: List[Point] = []
        self.rounds = 0

    def _start(self, points: List[Point]) -> List[Point]:
        centres = [self._rng.choice(points)]
        while len(centres) < self.k:
            centres.append(max(points, key=lambda p: min(math.dist(p, c) for c in centres)))
        return centres

    def fit(self, points: List[Point]) -> "KMeans":
        self.centres = self._start(points)
        for self.rounds in range(1, self.max_rounds + 1):
            groups = [[] for _ in self.centres]
            for p in points:
                groups[self.predict(p)].append(p)
            moved = [centroid(g) if g else c for g, c in zip(groups, self.centres)]
            if moved == self.centres:
                break
            self.centres = moved
        return self

    def predict(self, point: Point) -> int:
        return min(range(len(self.centres)), key=lambda i: math.dist(point, self.centres[i]))

    def inertia(self, points: List[Point]) -> float:
        return sum(math.dist(p, self.centres[self.predict(p)]) ** 2 for p in points)


def run(inputs):
    points = [tuple(p) for p in inputs["points"]]
    model = KMeans(inputs["k"]).fit(points)
    labels = [model.predict(p) for p in points]
    names = {label: f"cluster {n}" for n, label in enumerate(dict.fromkeys(labels), 1)}
    return {
        "assignments": [names[label] for label in labels],
        "centres": sorted([round(x, 3), round(y, 3)] for x, y in model.centres),
        "inertia": round(model.inertia(points), 3),
        "converged": model.rounds < model.max_rounds,
        "new_point": names[model.predict((9.0, 1.0))],
    }

# inputs: {"k": 3, "points": [[1, 1], [1.5, 2], [1, 0.5], [8, 8], [9, 9.5], [8.5, 9], [9, 1], [10, 0], [9.5, 1.5]]}
# expect: {"assignments": ["cluster 1", "cluster 1", "cluster 1", "cluster 2", "cluster 2", "cluster 2", "cluster 3", "cluster 3", "cluster 3"], "centres": [[1.167, 1.167], [8.5, 8.833], [9.5, 0.833]], "inertia": 4.667, "converged": true, "new_point": "cluster 3"}
