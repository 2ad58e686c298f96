"""Label the connected regions of a picture and repaint one of them."""

from typing import Iterator, NamedTuple


class Point(NamedTuple):
    row: int
    col: int

    def around(self) -> Iterator["Point"]:
        yield Point(self.row - 1, self.col)
        yield Point(self.row + 1, self.col)
        yield self._replace(col=self.col - 1)
        yield self._replace(col=self.col + 1)


class Picture:
    def __init__(self, rows: list[str]):
        self.__pixels = {Point(r, c): ch for r, row in enumerate(rows) for c, ch in enumerate(row)}
        self.__shape = (len(rows), max(map(len, rows)))

    def region(self, start: Point) -> set[Point]:
        colour = self.__pixels[start]
        stack, seen = [start], {start}
        while stack:
            for p in stack.pop().around():
                if p not in seen and self.__pixels.get(p) == colour:
                    seen.add(p)
                    stack.append(p)
        return seen

    def regions(self) -> Iterator[tuple[str, set[Point]]]:
        left = set(self.__pixels)
        while left:
            start = min(left)
            found = self.region(start)
            left -= found
            yield self.__pixels[start], found

    def fill(self, start: Point, colour: str) -> int:
        region = self.region(start)
        self.__pixels.update(dict.fromkeys(region, colour))
        return len(region)

    def __str__(self) -> str:
        height, width = self.__shape
        return "\n".join("".join(self.__pixels.get(Point(r, c), " ") for c in range(width)) for r in range(height))


def run(inputs):
    picture = Picture(inputs["picture"])
    before = [f"{colour}{len(cells)}" for colour, cells in picture.regions()]
    painted = picture.fill(Point(*inputs["start"]), inputs["colour"])
    after = list(picture.regions())
    biggest = max(after, key=lambda item: len(item[1]))
    row, col = min(biggest[1])
    return {
        "before": before,
        "painted": painted,
        "after": len(after),
        "biggest": {"colour": biggest[0], "from": [row, col], "cells": len(biggest[1])},
        "picture": str(picture).splitlines(),
    }

# inputs: {"picture": ["aabbc", "abbcc", "aaabd", "dddbb"], "start": [0, 2], "colour": "a"}
# expect: {"before": ["a6", "b4", "c3", "b3", "d1", "d3"], "painted": 4, "after": 5, "biggest": {"colour": "a", "from": [0, 0], "cells": 10}, "picture": ["aaaac", "aaacc", "aaabd", "dddbb"]}
