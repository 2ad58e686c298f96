"""Match buy and sell orders by price and time, notifying observers of every trade."""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from itertools import count

class Side(str, Enum):
    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self):
        return Side.SELL if self is Side.BUY else Side.BUY
class Signal:
    def __init__(self):
        self._listeners = []

    def connect(self, listener):
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def __call__(self, *args, **kwargs):
        for listener in tuple(self._listeners):
            listener(*args, **kwargs)

@dataclass
class Order:
    trader: str
    side: Side
    price: int
    quantity: int
    number: int = field(default_factory=count(1).__next__)

class Book:
    def __init__(self):
        self._levels, self.traded = {side: {} for side in Side}, Signal()

    def best(self, side):
        prices = self._levels[side]
        return (max if side is Side.BUY else min)(prices) if prices else None

    def submit(self, order):
        other = self._levels[order.side.opposite]
        while order.quantity and other:
            price = self.best(order.side.opposite)
            if (price > order.price) if order.side is Side.BUY else (price < order.price):
                break
            resting = other[price][0]
            quantity = min(order.quantity, resting.quantity)
            order.quantity -= quantity
            resting.quantity -= quantity
            self.traded(order, resting, price=price, quantity=quantity)
            if not resting.quantity:
                other[price].popleft()
            if not other[price]:
                del other[price]
        if order.quantity:
            self._levels[order.side].setdefault(order.price, deque()).append(order)


def run(inputs):
    book, trades, volume = Book(), [], {}
    book.traded.connect(lambda new, old, price, quantity: trades.append(f"{new.trader}/{old.trader} {quantity}@{price}"))

    def total(new, old, **trade):
        for trader in {new.trader, old.trader}:
            volume[trader] = volume.get(trader, 0) + trade["quantity"]

    disconnect = book.traded.connect(total)
    for i, (trader, side, price, quantity) in enumerate(inputs["orders"]):
        i == inputs["stop_counting_at"] and disconnect()
        book.submit(Order(trader, Side(side), price, quantity))
    left = {s.value: {str(p): sum(o.quantity for o in q) for p, q in sorted(book._levels[s].items())} for s in Side}
    return {"trades": trades, "volume": dict(sorted(volume.items())), "left": left, "best": {s.name: book.best(s) for s in Side}}

# inputs: {"stop_counting_at": 6, "orders": [["ann", "sell", 101, 5], ["bob", "sell", 100, 3], ["cyd", "buy", 99, 4], ["dee", "buy", 101, 6], ["eve", "sell", 99, 1], ["ann", "buy", 98, 2], ["bob", "sell", 98, 10]]}
# expect: {"trades": ["dee/bob 3@100", "dee/ann 3@101", "eve/cyd 1@99", "bob/cyd 3@99", "bob/ann 2@98"], "volume": {"ann": 3, "bob": 3, "cyd": 1, "dee": 6, "eve": 1}, "left": {"buy": {}, "sell": {"98": 5, "101": 2}}, "best": {"BUY": null, "SELL": 98}}
