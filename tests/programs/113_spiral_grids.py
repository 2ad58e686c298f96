"""Grid puzzles with comprehensions: spirals, rotations, transposes and word search."""

from itertools import chain, count, zip_longest
from typing import List, TypeVar

T = TypeVar("T")
Grid = List[List[T]]


def spiral(grid: Grid) -> list:
    rows = [list(r) for r in grid]
    out = []
    while rows:
        out += rows.pop(0)
        rows = [list(r) for r in zip(*rows)][::-1]
    return out


def make_spiral(n: int) -> Grid:
    grid = [[0] * n for _ in range(n)]
    r = c = 0
    dr, dc = 0, 1
    for value in count(1):
        grid[r][c] = value
        if value == n * n:
            return grid
        nr, nc = r + dr, c + dc
        if not (0 <= nr < n and 0 <= nc < n) or grid[nr][nc]:
            dr, dc = dc, -dr
        r, c = r + dr, c + dc


def rotate(grid: Grid, turns: int = 1) -> Grid:
    for _ in range(turns % 4):
        grid = [list(row) for row in zip(*grid[::-1])]
    return grid


def lines(rows):
    height, width = len(rows), len(rows[0])
    yield from (("row", i, "".join(r)) for i, r in enumerate(rows))
    yield from (("column", i, "".join(c)) for i, c in enumerate(zip(*rows)))
    for d in range(-height + 1, width):
        yield "diagonal", d, "".join(rows[r][r + d] for r in range(height) if 0 <= r + d < width)


def find(rows, word):
    hits = []
    for kind, number, text in lines(rows):
        for needle, way in ((word, ""), (word[::-1], " backwards")):
            if needle in text:
                hits.append(f"{kind} {number}{way}")
            if word == word[::-1]:
                break
    return hits


def run(inputs):
    rows = inputs["rows"]
    numbers = make_spiral(4)
    table = {f"{x}x{y}": x * y for x in range(2, 5) for y in range(x, 5) if (x + y) % 2}
    return {
        "spiral": "".join(spiral(rows)),
        "made": numbers,
        "ordered": spiral(numbers) == sorted(chain.from_iterable(numbers)),
        "rotated": ["".join(r) for r in rotate(rows)],
        "full_turn": rotate(rotate(numbers, 3)) == numbers,
        "found": {word: find(rows, word) for word in inputs["words"]},
        "table": table,
        "jagged": [[x for x in col if x is not None] for col in zip_longest([1], [2, 3], [4, 5, 6])],
        "squares": [[cell for cell in row if cell % 2 == 0] for row in numbers if sum(row) > 30],
    }

# inputs: {"rows": ["cats", "oxoe", "wart", "srun"], "words": ["cat", "cow", "rot", "war", "oxo", "toa", "dog"]}
# expect: {"spiral": "catsetnurswoxora", "made": [[1, 2, 3, 4], [12, 13, 14, 5], [11, 16, 15, 6], [10, 9, 8, 7]], "ordered": true, "rotated": ["swoc", "raxa", "urot", "ntes"], "full_turn": true, "found": {"cat": ["row 0"], "cow": ["column 0"], "rot": ["column 2 backwards"], "war": ["row 2"], "oxo": ["row 1"], "toa": ["diagonal 1 backwards"], "dog": []}, "table": {"2x3": 6, "3x4": 12}, "jagged": [[1, 2, 4], [3, 5], [6]], "squares": [[12, 14], [16, 6], [10, 8]]}
