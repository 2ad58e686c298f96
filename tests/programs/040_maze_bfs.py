"""Solve mazes with breadth-first search and count how many cells can be reached."""

from collections import deque

STEPS = {"R": (0, 1), "L": (0, -1), "D": (1, 0), "U": (-1, 0)}


def locate(maze, symbol):
    return next((r, c) for r, row in enumerate(maze) for c, cell in enumerate(row) if cell == symbol)


def solve(maze):
    start, end = locate(maze, "S"), locate(maze, "E")
    queue = deque([(start, "")])
    visited = {start}
    answer = None
    while queue:
        (r, c), path = queue.popleft()
        if (r, c) == end and answer is None:
            answer = path
        for letter, (dr, dc) in STEPS.items():
            cell = (r + dr, c + dc)
            if cell in visited:
                continue
            if not (0 <= cell[0] < len(maze) and 0 <= cell[1] < len(maze[cell[0]])):
                continue
            if maze[cell[0]][cell[1]] == "#":
                continue
            visited.add(cell)
            queue.append((cell, path + letter))
    return answer, len(visited)


def compress(path):
    out, i = [], 0
    while i < len(path):
        j = i
        while j < len(path) and path[j] == path[i]:
            j += 1
        out.append(f"{path[i]}{j - i}")
        i = j
    return " ".join(out)


def run(inputs):
    results = []
    for maze in inputs["mazes"]:
        try:
            path, reachable = solve(maze)
        except StopIteration:
            results.append({"error": "maze needs S and E"})
            continue
        results.append({
            "path": compress(path) if path is not None else None,
            "length": len(path) if path is not None else -1,
            "reachable": reachable,
        })
    return {"results": results}

# inputs: {"mazes": [["S.#...", "..#.#.", "#...#E"], ["S#E"], ["..E"]]}
# expect: {"results": [{"path": "R1 D2 R2 U2 R2 D2", "length": 11, "reachable": 13}, {"path": null, "length": -1, "reachable": 1}, {"error": "maze needs S and E"}]}
