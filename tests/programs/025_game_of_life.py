"""Run Conway's game of life on an unbounded board and draw the generations."""

from collections import Counter
from itertools import product

NEIGHBOURS = [d for d in product((-1, 0, 1), repeat=2) if d != (0, 0)]


class Life:
    def __init__(self, cells):
        self._cells = frozenset(cells)

    @classmethod
    def from_text(cls, rows):
        return cls((r, c) for r, row in enumerate(rows) for c, ch in enumerate(row) if ch == "#")

    def step(self):
        counts = Counter((r + dr, c + dc) for r, c in self._cells for dr, dc in NEIGHBOURS)
        return Life(
            cell for cell, n in counts.items() if n == 3 or (n == 2 and cell in self._cells)
        )

    def __iter__(self):
        board = self
        while board:
            yield board
            board = board.step()

    def __len__(self):
        return len(self._cells)

    def __eq__(self, other):
        return isinstance(other, Life) and self._cells == other._cells

    def __str__(self):
        if not self._cells:
            return ""
        rows, cols = zip(*self._cells)
        return "\n".join(
            "".join("#" if (r, c) in self._cells else "." for c in range(min(cols), max(cols) + 1))
            for r in range(min(rows), max(rows) + 1)
        )


def run(inputs):
    report = {}
    for name, rows in inputs["patterns"].items():
        history = []
        for generation, board in enumerate(Life.from_text(rows)):
            if board in history:
                fate = f"repeats generation {history.index(board)}"
                break
            if generation == inputs["generations"]:
                fate = "still changing"
                break
            history.append(board)
        else:
            fate = "died out"
        report[name] = {
            "fate": fate,
            "alive": [len(b) for b in history],
            "last": str(history[-1]).split("\n"),
        }
    return report

# inputs: {"generations": 5, "patterns": {"blinker": ["###"], "block": ["##", "##"], "glider": [".#.", "..#", "###"], "pair": ["##"]}}
# expect: {"blinker": {"fate": "repeats generation 0", "alive": [3, 3], "last": ["#", "#", "#"]}, "block": {"fate": "repeats generation 0", "alive": [4], "last": ["##", "##"]}, "glider": {"fate": "still changing", "alive": [5, 5, 5, 5, 5], "last": [".#.", "..#", "###"]}, "pair": {"fate": "died out", "alive": [2], "last": ["##"]}}
