"""Rebuild stock levels from events, matched by class pattern."""

from dataclasses import dataclass
from typing import Iterable, Union


@dataclass(frozen=True)
class Received:
    sku: str
    quantity: int


@dataclass(frozen=True)
class Sold:
    sku: str
    quantity: int
    customer: str = "walk-in"


@dataclass(frozen=True)
class Counted:
    sku: str
    actual: int


Event = Union[Received, Sold, Counted]


class Inventory:
    def __init__(self) -> None:
        self._stock: dict[str, int] = {}
        self._corrections: list[str] = []
        self.rejected: list[str] = []

    def apply(self, event: Event) -> None:
        match event:
            case Received(sku, quantity):
                self._stock[sku] = self._stock.get(sku, 0) + quantity
            case Sold(sku, quantity, customer) if self._stock.get(sku, 0) < quantity:
                self.rejected.append(f"{customer} wanted {quantity} x {sku}")
            case Sold(sku=sku, quantity=quantity):
                self._stock[sku] -= quantity
            case Counted(sku=sku, actual=actual):
                if (drift := actual - self._stock.get(sku, 0)) != 0:
                    self._corrections.append(f"{sku} {drift:+d}")
                self._stock[sku] = actual
            case _:
                raise TypeError(f"unknown event {event!r}")

    @classmethod
    def replay(cls, events: Iterable[Event]) -> "Inventory":
        inventory = cls()
        for event in events:
            inventory.apply(event)
        return inventory

    def snapshot(self) -> dict:
        return {"stock": dict(sorted(self._stock.items())), "corrections": self._corrections}


KINDS = {"received": Received, "sold": Sold, "counted": Counted}


def run(inputs):
    events = [KINDS[kind](*args) for kind, *args in inputs["events"]]
    inventory = Inventory.replay(events)
    return {**inventory.snapshot(), "rejected": inventory.rejected, "last": repr(events[-1])}

# inputs: {"events": [["received", "bolt", 100], ["sold", "bolt", 30, "ACME"], ["received", "nut", 40], ["sold", "nut", 50], ["counted", "bolt", 68], ["sold", "bolt", 8], ["counted", "nut", 40]]}
# expect: {"stock": {"bolt": 60, "nut": 40}, "corrections": ["bolt -2"], "rejected": ["walk-in wanted 50 x nut"], "last": "Counted(sku='nut', actual=40)"}
