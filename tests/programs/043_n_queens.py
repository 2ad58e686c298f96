"""Place N queens by backtracking in a generator, and draw the first solution."""

from itertools import islice


class Board:
    def __init__(self, size):
        self.size = size
        self._columns, self._rising, self._falling = set(), set(), set()
        self._placed = []

    def place(self, column):
        row = len(self._placed)
        marks = ((self._columns, column), (self._rising, row + column), (self._falling, row - column))
        if any(value in used for used, value in marks):
            return False
        for used, value in marks:
            used.add(value)
        self._placed.append(column)
        return True

    def undo(self):
        column = self._placed.pop()
        row = len(self._placed)
        self._columns.discard(column)
        self._rising.discard(row + column)
        self._falling.discard(row - column)

    def solutions(self):
        if len(self._placed) == self.size:
            yield tuple(self._placed)
            return
        for column in range(self.size):
            if self.place(column):
                yield from self.solutions()
                self.undo()


def draw(columns):
    return [" ".join("Q" if c == q else "." for c in range(len(columns))) for q in columns]


def is_symmetric(columns):
    return columns == tuple(len(columns) - 1 - c for c in reversed(columns))


def run(inputs):
    counts = {str(n): sum(1 for _ in Board(n).solutions()) for n in range(1, inputs["up_to"] + 1)}
    first = next(Board(inputs["draw"]).solutions())
    board = Board(inputs["draw"])
    some = list(islice(board.solutions(), 3))
    return {
        "counts": counts,
        "first": draw(first),
        "some": [list(s) for s in some],
        "symmetric": [is_symmetric(s) for s in Board(5).solutions()].count(True),
    }

# inputs: {"up_to": 7, "draw": 6}
# expect: {"counts": {"1": 1, "2": 0, "3": 0, "4": 2, "5": 10, "6": 4, "7": 40}, "first": [". Q . . . .", ". . . Q . .", ". . . . . Q", "Q . . . . .", ". . Q . . .", ". . . . Q ."], "some": [[1, 3, 5, 0, 2, 4], [2, 5, 1, 4, 0, 3], [3, 0, 4, 1, 5, 2]], "symmetric": 2}
