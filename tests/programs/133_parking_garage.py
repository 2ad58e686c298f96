"""Run a parking garage: tickets, spaces by vehicle size, tariffs with daily caps, and a report."""

from collections import defaultdict
from datetime import datetime, timedelta
from enum import Enum


class Size(Enum):
    MOTORBIKE = 1
    CAR = 2
    VAN = 3

    def fits(self, other: "Size") -> bool:
        return self.value <= other.value


class GarageFull(Exception):
    pass


class Garage:
    HOURLY = {Size.MOTORBIKE: 100, Size.CAR: 250, Size.VAN: 400}
    DAILY_CAP_HOURS = 8
    FREE = timedelta(minutes=10)

    def __init__(self, spaces):
        self._free = {Size[name.upper()]: count for name, count in spaces.items()}
        self._parked = {}
        self._takings = defaultdict(int)

    def enter(self, plate, size, when):
        if plate in self._parked:
            raise ValueError(f"{plate} is already inside")
        for space in Size:
            if size.fits(space) and self._free.get(space, 0) > 0:
                self._free[space] -= 1
                self._parked[plate] = (size, space, when)
                return space
        raise GarageFull(f"no space for a {size.name.lower()}")

    def leave(self, plate, when):
        size, space, entered = self._parked.pop(plate)
        self._free[space] += 1
        fee = self.fee(size, when - entered)
        self._takings[size] += fee
        return fee

    @classmethod
    def fee(cls, size, stay):
        """Cents for a stay; started hours count, each day is capped."""
        if stay <= cls.FREE:
            return 0
        days, rest = divmod(stay, timedelta(days=1))
        hours = -(-rest // timedelta(hours=1))
        return (days * cls.DAILY_CAP_HOURS + min(hours, cls.DAILY_CAP_HOURS)) * cls.HOURLY[size]

    def report(self):
        return {size.name: f"{cents / 100:.2f}" for size, cents in self._takings.items()}


def run(inputs):
    garage = Garage(inputs["spaces"])
    log = []
    for time, event, plate, *kind in inputs["events"]:
        when = datetime.strptime(time, "%Y-%m-%d %H:%M")
        try:
            if event == "in":
                space = garage.enter(plate, Size[kind[0].upper()], when)
                log.append(f"{plate} in {space.name.lower()} space")
            else:
                log.append(f"{plate} pays {garage.leave(plate, when)}")
        except KeyError as exc:
            log.append(f"unknown {exc.args[0]}")
        except (GarageFull, ValueError) as exc:
            log.append(f"refused: {exc}")
    return {"log": log, "takings": garage.report()}

# inputs: {"spaces": {"motorbike": 1, "car": 1, "van": 1}, "events": [["2024-03-01 08:00", "in", "M1", "motorbike"], ["2024-03-01 08:05", "in", "M2", "motorbike"], ["2024-03-01 08:10", "in", "C1", "car"], ["2024-03-01 08:10", "in", "V1", "van"], ["2024-03-01 08:20", "out", "M1"], ["2024-03-01 08:22", "in", "C1", "car"], ["2024-03-01 10:00", "out", "M2"], ["2024-03-02 11:30", "out", "C1"], ["2024-03-02 11:31", "out", "C1"], ["2024-03-02 12:00", "in", "T1", "truck"]]}
# expect: {"log": ["M1 in motorbike space", "M2 in car space", "C1 in van space", "refused: no space for a van", "M1 pays 100", "refused: C1 is already inside", "M2 pays 200", "C1 pays 3000", "unknown C1", "unknown TRUCK"], "takings": {"MOTORBIKE": "3.00", "CAR": "30.00"}}
