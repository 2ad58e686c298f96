"""Pack the most valuable items into a bag, by dynamic programming, with the list of choices."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    name: str
    weight: int
    value: int

    @property
    def density(self) -> float:
        return self.value / self.weight


def best_load(items: list[Item], capacity: int) -> tuple[int, list[Item]]:
    table = [[0] * (capacity + 1) for _ in range(len(items) + 1)]
    for i, item in enumerate(items, 1):
        for room in range(capacity + 1):
            table[i][room] = table[i - 1][room]
            if item.weight <= room:
                with_item = table[i - 1][room - item.weight] + item.value
                table[i][room] = max(table[i][room], with_item)
    chosen, room = [], capacity
    for i in range(len(items), 0, -1):
        if table[i][room] != table[i - 1][room]:
            chosen.append(items[i - 1])
            room -= items[i - 1].weight
    return table[-1][capacity], chosen[::-1]


def greedy(items: list[Item], capacity: int) -> int:
    total = 0
    for item in sorted(items, key=lambda i: i.density, reverse=True):
        if item.weight <= capacity:
            capacity -= item.weight
            total += item.value
    return total


def run(inputs: dict) -> dict:
    items = [Item(*row) for row in inputs["items"]]
    out = {}
    for capacity in inputs["capacities"]:
        value, chosen = best_load(items, capacity)
        out[str(capacity)] = {
            "value": value,
            "items": [i.name for i in chosen],
            "spare": capacity - sum(i.weight for i in chosen),
            "greedy_loses": value - greedy(items, capacity),
        }
    return out

# inputs: {"items": [["tent", 9, 150], ["water", 15, 200], ["map", 2, 90], ["stove", 7, 100], ["socks", 4, 50], ["camera", 12, 160]], "capacities": [0, 10, 26, 60]}
# expect: {"0": {"value": 0, "items": [], "spare": 0, "greedy_loses": 0}, "10": {"value": 190, "items": ["map", "stove"], "spare": 1, "greedy_loses": 0}, "26": {"value": 440, "items": ["tent", "water", "map"], "spare": 0, "greedy_loses": 50}, "60": {"value": 750, "items": ["tent", "water", "map", "stove", "socks", "camera"], "spare": 11, "greedy_loses": 0}}
