"""Validate sudoku grids: list the rows, columns and boxes with conflicts, and solve easy ones."""

DIGITS = set("123456789")


def units(grid):
    """Yield (name, cells) for the 27 units."""
    for r in range(9):
        yield f"row {r + 1}", grid[r]
    for c in range(9):
        yield f"column {c + 1}", "".join(grid[r][c] for r in range(9))
    for b in range(9):
        top, left = 3 * (b // 3), 3 * (b % 3)
        yield f"box {b + 1}", "".join(grid[r][left:left + 3] for r in range(top, top + 3))


def conflicts(grid):
    found = []
    for name, cells in units(grid):
        seen, doubled = set(), set()
        for ch in cells:
            if ch in DIGITS:
                (doubled if ch in seen else seen).add(ch)
        if doubled:
            found.append(f"{name} repeats {', '.join(sorted(doubled))}")
    return found


def candidates(grid, row, col):
    box = {
        grid[r][c]
        for r in range(row // 3 * 3, row // 3 * 3 + 3)
        for c in range(col // 3 * 3, col // 3 * 3 + 3)
    }
    return DIGITS - set(grid[row]) - {grid[r][col] for r in range(9)} - box


def fill_singles(lines):
    grid = [list(line) for line in lines]
    filled = 0
    progress = True
    while progress:
        progress = False
        for r, c in ((r, c) for r in range(9) for c in range(9) if grid[r][c] == "."):
            options = candidates(grid, r, c)
            if len(options) == 1:
                grid[r][c] = options.pop()
                filled += 1
                progress = True
    return ["".join(row) for row in grid], filled


def run(inputs):
    puzzle = inputs["puzzle"]
    solved, filled = fill_singles(puzzle)
    broken = [*puzzle[:8], "5" + puzzle[8][1:]]
    return {
        "conflicts": conflicts(puzzle),
        "filled": filled,
        "complete": all("." not in row for row in solved) and not conflicts(solved),
        "solved": solved,
        "broken": conflicts(broken),
    }

# inputs: {"puzzle": ["53..7....", "6..195...", ".98....6.", "8...6...3", "4..8.3..1", "7...2...6", ".6....28.", "...419..5", "....8..79"]}
# expect: {"conflicts": [], "filled": 51, "complete": true, "solved": ["534678912", "672195348", "198342567", "859761423", "426853791", "713924856", "961537284", "287419635", "345286179"], "broken": ["column 1 repeats 5"]}
