"""Simulate an elevator that serves calls with the SCAN strategy, floor by floor."""

from enum import Enum


class Direction(Enum):
    UP = 1
    DOWN = -1
    IDLE = 0

    def __neg__(self):
        return Direction(-self.value)


class Elevator:
    def __init__(self, floors, start=0, capacity=3):
        self.floors = floors
        self.capacity = capacity
        self._floor = start
        self._direction = Direction.IDLE
        self._waiting = {floor: [] for floor in range(floors)}
        self._inside = []
        self._tick = 0
        self.travelled = 0
        self.delivered = {}

    def call(self, name, origin, target):
        if not (0 <= origin < self.floors and 0 <= target < self.floors) or origin == target:
            raise ValueError(f"{name}: no trip from {origin} to {target}")
        self._waiting[origin].append((name, target, self._tick))

    @property
    def busy(self):
        return bool(self._inside) or any(self._waiting.values())

    def _wanted_floors(self):
        return {t for _, t, _ in self._inside} | {f for f, people in self._waiting.items() if people}

    def step(self):
        self._tick += 1
        for passenger in [p for p in self._inside if p[1] == self._floor]:
            self._inside.remove(passenger)
            self.delivered[passenger[0]] = self._tick - passenger[2]
        queue = self._waiting[self._floor]
        while queue and len(self._inside) < self.capacity:
            self._inside.append(queue.pop(0))
        wanted = self._wanted_floors() - {self._floor}
        if not wanted:
            self._direction = Direction.IDLE
            return
        ahead = {f for f in wanted if (f - self._floor) * self._direction.value > 0}
        if self._direction is Direction.IDLE:
            nearest = min(sorted(wanted), key=lambda f: abs(f - self._floor))
            self._direction = Direction.UP if nearest > self._floor else Direction.DOWN
        elif not ahead:
            self._direction = -self._direction
        self._floor += self._direction.value
        self.travelled += 1


def run(inputs):
    lift = Elevator(inputs["floors"])
    calls = {int(tick): people for tick, people in inputs["calls"].items()}
    errors, route = [], []
    for tick in range(60):
        for call in calls.pop(tick, []):
            try:
                lift.call(*call)
            except ValueError as exc:
                errors.append(str(exc))
        if not lift.busy and not calls:
            break
        lift.step()
        route.append(str(lift._floor))
    return {"delivered": lift.delivered, "travelled": lift.travelled, "route": "".join(route), "errors": errors}

# inputs: {"floors": 8, "calls": {"0": [["Ann", 0, 5], ["Bob", 3, 1]], "4": [["Cid", 7, 2], ["Dee", 2, 9]], "6": [["Eli", 2, 0], ["Flo", 2, 2]]}}
# expect: {"delivered": {"Ann": 6, "Cid": 9, "Bob": 14, "Eli": 9}, "travelled": 14, "route": "123456765432100", "errors": ["Dee: no trip from 2 to 9", "Flo: no trip from 2 to 2"]}
