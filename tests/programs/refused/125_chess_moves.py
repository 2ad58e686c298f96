"""List the legal-looking moves of chess pieces on a board given in FEN notation."""

from typing import ClassVar, Iterator

STRAIGHT = ((0, 1), (1, 0), (0, -1), (-1, 0))
DIAGONAL = ((1, 1), (1, -1), (-1, -1), (-1, 1))


class Piece:
    by_letter: ClassVar[dict[str, type["Piece"]]] = {}
    letter: ClassVar[str] = ""
    directions: ClassVar[tuple[tuple[int, int], ...]] = ()
    reach: ClassVar[int] = 7

    def __init_subclass__(cls) -> None:
        if cls.letter:
            cls.by_letter[cls.letter] = cls

    def __init__(self, white: bool) -> None:
        self.white = white

    def targets(self, board: "Board", x: int, y: int) -> Iterator[tuple[int, int]]:
        for dx, dy in self.directions:
            for n in range(1, self.reach + 1):
                square = x + n * dx, y + n * dy
                if not board.inside(square) or board.colour(square) is self.white:
                    break
                yield square
                if board.colour(square) is not None:
                    break


class Rook(Piece):
    letter, directions = "r", STRAIGHT


class Bishop(Piece):
    letter, directions = "b", DIAGONAL


class King(Piece):
    letter, directions, reach = "k", STRAIGHT + DIAGONAL, 1


class Knight(Piece):
    letter, reach = "n", 1
    directions = tuple((a * s, b * t) for a, b in ((1, 2), (2, 1)) for s in (1, -1) for t in (1, -1))


class Board:
    def __init__(self, fen: str) -> None:
        self._pieces: dict[tuple[int, int], Piece] = {}
        for y, row in enumerate(reversed(fen.split("/"))):
            x = 0
            for ch in row:
                if ch.isdigit():
                    x += int(ch)
                else:
                    self._pieces[x, y] = Piece.by_letter[ch.lower()](ch.isupper())
                    x += 1

    def inside(self, square):
        return all(0 <= n < 8 for n in square)

    def colour(self, square):
        return piece.white if (piece := self._pieces.get(square)) else None

    def moves(self, name):
        x, y = "abcdefgh".index(name[0]), int(name[1]) - 1
        found = self._pieces[x, y].targets(self, x, y)
        return sorted(("x" if self.colour(s) is not None else "") + "abcdefgh"[s[0]] + str(s[1] + 1) for s in found)


def run(inputs):
    board = Board(inputs["fen"])
    return {"moves": {s: " ".join(board.moves(s)) for s in inputs["squares"]}, "kinds": "".join(sorted(Piece.by_letter))}

# inputs: {"fen": "r6k/8/2n5/8/3B4/8/1R4K1/8", "squares": ["b2", "d4", "g2", "c6", "h8"]}
# expect: {"moves": {"b2": "a2 b1 b3 b4 b5 b6 b7 b8 c2 d2 e2 f2", "d4": "a7 b6 c3 c5 e3 e5 f2 f6 g1 g7 xh8", "g2": "f1 f2 f3 g1 g3 h1 h2 h3", "c6": "a5 a7 b4 b8 d8 e5 e7 xd4", "h8": "g7 g8 h7"}, "kinds": "bknr"}
