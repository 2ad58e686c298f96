"""Find the cheapest routes in a road network with Dijkstra's algorithm."""

import heapq
import math
from collections import defaultdict
from typing import DefaultDict, Dict, List, Optional, Tuple


class Graph:
    def __init__(self) -> None:
        self._edges: DefaultDict[str, Dict[str, float]] = defaultdict(dict)

    def add_road(self, a: str, b: str, cost: float, one_way: bool = False) -> None:
        if cost < 0:
            raise ValueError(f"negative cost between {a} and {b}")
        self._edges[a][b] = min(cost, self._edges[a].get(b, math.inf))
        if not one_way:
            self._edges[b][a] = min(cost, self._edges[b].get(a, math.inf))
        else:
            self._edges[b]

    def distances(self, source: str) -> Tuple[Dict[str, float], Dict[str, Optional[str]]]:
        distance: Dict[str, float] = {node: math.inf for node in self._edges}
        previous: Dict[str, Optional[str]] = {source: None}
        distance[source] = 0
        queue = [(0.0, source)]
        while queue:
            d, node = heapq.heappop(queue)
            if d > distance[node]:
                continue
            for neighbour, cost in self._edges[node].items():
                if (candidate := d + cost) < distance[neighbour]:
                    distance[neighbour] = candidate
                    previous[neighbour] = node
                    heapq.heappush(queue, (candidate, neighbour))
        return distance, previous

    def route(self, source: str, target: str) -> Optional[List[str]]:
        _, previous = self.distances(source)
        if target not in previous:
            return None
        path, node = [], target
        while node is not None:
            path.append(node)
            node = previous[node]
        return path[::-1]


def run(inputs: dict) -> dict:
    graph = Graph()
    for a, b, cost, *flags in inputs["roads"]:
        graph.add_road(a, b, cost, one_way="one-way" in flags)
    distance, _ = graph.distances(inputs["from"])
    return {
        "distances": {n: (d if math.isfinite(d) else None) for n, d in sorted(distance.items())},
        "route": graph.route(inputs["from"], inputs["to"]),
        "back": graph.route(inputs["to"], inputs["from"]),
        "unreachable": [n for n, d in distance.items() if d == math.inf],
    }

# inputs: {"from": "A", "to": "E", "roads": [["A", "B", 4], ["A", "C", 1], ["C", "B", 2], ["B", "D", 5], ["C", "D", 8], ["D", "E", 3, "one-way"], ["F", "A", 1, "one-way"], ["A", "B", 9]]}
# expect: {"distances": {"A": 0, "B": 3.0, "C": 1.0, "D": 8.0, "E": 11.0, "F": null}, "route": ["A", "C", "B", "D", "E"], "back": null, "unreachable": ["F"]}
