"""Pack parcels into boxes with interchangeable strategies and compare them."""

from abc import ABCMeta, abstractmethod
from typing import List, Optional


class Box:
    def __init__(self, capacity: int) -> None:
        self.__capacity = capacity
        self.__parcels: List[int] = []

    @property
    def room(self) -> int:
        return self.__capacity - sum(self.__parcels)

    def put(self, size: int) -> None:
        if size > self.room:
            raise OverflowError(f"{size} does not fit into {self.room}")
        self.__parcels.append(size)

    def __len__(self) -> int:
        return len(self.__parcels)

    def __repr__(self) -> str:
        return f"<{'+'.join(map(str, self.__parcels)) or 'empty'}>"


class Strategy(metaclass=ABCMeta):
    sort_first = False

    def pack(self, sizes: List[int], capacity: int) -> List[Box]:
        boxes: List[Box] = []
        for size in sorted(sizes, reverse=True) if self.sort_first else sizes:
            fitting = [b for b in boxes if b.room >= size]
            box = self.choose(fitting)
            if box is None:
                boxes.append(box := Box(capacity))
            box.put(size)
        return boxes

    @abstractmethod
    def choose(self, fitting: List[Box]) -> Optional[Box]:
        ...


class FirstFit(Strategy):
    def choose(self, fitting):
        return next(iter(fitting), None)


class BestFit(Strategy):
    def choose(self, fitting):
        return min(fitting, key=lambda b: b.room, default=None)


class FirstFitDecreasing(FirstFit):
    sort_first = True


def run(inputs):
    sizes, capacity = inputs["parcels"], inputs["capacity"]
    report = {}
    for strategy in (FirstFit(), BestFit(), FirstFitDecreasing()):
        boxes = strategy.pack(sizes, capacity)
        report[type(strategy).__name__] = {
            "boxes": [repr(b) for b in boxes],
            "waste": sum(b.room for b in boxes),
            "fullest": max(len(b) for b in boxes),
            "complete": sum(len(b) for b in boxes) == len(sizes),
        }
    try:
        FirstFit().pack([capacity + 1], capacity)
    except OverflowError as exc:
        report["too_big"] = str(exc)
    report["lower_bound"] = -(-sum(sizes) // capacity)
    return report

# inputs: {"capacity": 10, "parcels": [5, 7, 5, 2, 4, 2, 5, 1, 6]}
# expect: {"FirstFit": {"boxes": ["<5+5>", "<7+2+1>", "<4+2>", "<5>", "<6>"], "waste": 13, "fullest": 3, "complete": true}, "BestFit": {"boxes": ["<5+5>", "<7+2+1>", "<4+2>", "<5>", "<6>"], "waste": 13, "fullest": 3, "complete": true}, "FirstFitDecreasing": {"boxes": ["<7+2+1>", "<6+4>", "<5+5>", "<5+2>"], "waste": 3, "fullest": 3, "complete": true}, "too_big": "11 does not fit into 10", "lower_bound": 4}
