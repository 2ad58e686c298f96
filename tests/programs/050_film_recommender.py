"""Recommend films by cosine similarity between users' ratings."""

import heapq
import math
from typing import Dict, Iterable, List, Tuple

Ratings = Dict[str, float]


def cosine(a: Ratings, b: Ratings) -> float:
    shared = a.keys() & b.keys()
    if not shared:
        return 0.0
    dot = sum(a[k] * b[k] for k in shared)
    return dot / (math.sqrt(sum(v * v for v in a.values())) * math.sqrt(sum(v * v for v in b.values())))


class Recommender:
    def __init__(self, ratings: Dict[str, Ratings], neighbours: int = 2):
        self._ratings = {user: self._centre(r) for user, r in ratings.items()}
        self._raw = ratings
        self.neighbours = neighbours

    @staticmethod
    def _centre(ratings: Ratings) -> Ratings:
        average = sum(ratings.values()) / len(ratings)
        return {film: stars - average for film, stars in ratings.items()}

    def similar(self, user: str) -> List[Tuple[float, str]]:
        mine = self._ratings[user]
        others = ((cosine(mine, r), name) for name, r in self._ratings.items() if name != user)
        return heapq.nlargest(self.neighbours, (pair for pair in others if pair[0] > 0))

    def recommend(self, user: str, limit: int = 3) -> Iterable[Tuple[str, float]]:
        scores: Dict[str, float] = {}
        weights: Dict[str, float] = {}
        for weight, other in self.similar(user):
            for film, stars in self._raw[other].items():
                if film in self._raw[user]:
                    continue
                scores[film] = scores.get(film, 0.0) + weight * stars
                weights[film] = weights.get(film, 0.0) + weight
        ranked = sorted(((scores[f] / weights[f], f) for f in scores), key=lambda t: (-t[0], t[1]))
        yield from ((film, round(score, 2)) for score, film in ranked[:limit])


def run(inputs):
    engine = Recommender(inputs["ratings"])
    result = {}
    for user in inputs["users"]:
        try:
            result[user] = {
                "like": [f"{name} {score:.2f}" for score, name in engine.similar(user)],
                "watch": dict(engine.recommend(user)),
            }
        except KeyError:
            result[user] = "no ratings yet"
    return result

# inputs: {"users": ["ann", "cid", "zed"], "ratings": {"ann": {"Alien": 5, "Heat": 4, "Up": 1}, "bob": {"Alien": 4, "Heat": 5, "Up": 2, "Drive": 4}, "cid": {"Up": 5, "Heat": 2, "Coco": 5}, "dee": {"Up": 4, "Coco": 5, "Alien": 1, "Brave": 3}}}
# expect: {"ann": {"like": ["bob 0.83"], "watch": {"Drive": 4.0}}, "cid": {"like": ["dee 0.35"], "watch": {"Brave": 3.0, "Alien": 1.0}}, "zed": "no ratings yet"}
