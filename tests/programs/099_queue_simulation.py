"""Simulate customers at a counter with seeded random arrivals and several tills."""

import heapq
import random
import statistics
from dataclasses import dataclass
from enum import IntEnum


class EventKind(IntEnum):
    DEPARTURE = 0
    ARRIVAL = 1


@dataclass
class Customer:
    number: int
    arrived: float
    served: float = 0.0

    @property
    def waited(self) -> float:
        return self.served - self.arrived


class Shop:
    def __init__(self, tills, mean_gap, mean_service):
        self._free = tills
        self._gap, self._service = mean_gap, mean_service
        self._line = []
        self._events = []
        self.served = []
        self.longest_line = 0

    def _schedule(self, when, kind, customer):
        heapq.heappush(self._events, (when, kind, customer.number, customer))

    def run(self, customers):
        clock = 0.0
        for number in range(customers):
            clock += random.expovariate(1 / self._gap)
            self._schedule(clock, EventKind.ARRIVAL, Customer(number, clock))
        while self._events:
            now, kind, _, customer = heapq.heappop(self._events)
            if kind is EventKind.ARRIVAL:
                self._line.append(customer)
            else:
                self._free += 1
            while self._free and self._line:
                following = self._line.pop(0)
                following.served = now
                self.served.append(following)
                self._free -= 1
                self._schedule(now + max(0.5, random.gauss(self._service, 1)), EventKind.DEPARTURE, following)
            self.longest_line = max(self.longest_line, len(self._line))
        return now


def run(inputs):
    results = {}
    for tills in inputs["tills"]:
        random.seed(inputs["seed"])
        shop = Shop(tills, inputs["gap"], inputs["service"])
        end = shop.run(inputs["customers"])
        waits = [c.waited for c in shop.served]
        results[f"{tills} till" + ("s" if tills != 1 else "")] = {
            "mean_wait": round(statistics.mean(waits), 2),
            "longest_line": shop.longest_line,
            "no_wait": sum(w == 0 for w in waits),
            "closed_at": round(end, 1),
        }
    means = [r["mean_wait"] for r in results.values()]
    return {"results": results, "more_tills_help": means == sorted(means, reverse=True)}

# inputs: {"seed": 42, "tills": [1, 2, 3], "gap": 2, "service": 4, "customers": 40}
# expect: {"results": {"1 till": {"mean_wait": 52.12, "longest_line": 22, "no_wait": 1, "closed_at": 169.3}, "2 tills": {"mean_wait": 10.26, "longest_line": 9, "no_wait": 2, "closed_at": 86.2}, "3 tills": {"mean_wait": 1.36, "longest_line": 5, "no_wait": 21, "closed_at": 78.7}}, "more_tills_help": true}
