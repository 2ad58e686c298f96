"""Plan a path over terrain of different cost with A* and an admissible heuristic."""

from heapq import heappop, heappush

COST = {".": 1, "~": 3, "^": 5}


class Terrain:
    def __init__(self, rows):
        self.rows = rows
        self.height, self.width = len(rows), len(rows[0])

    def find(self, mark):
        for y, row in enumerate(self.rows):
            if (x := row.find(mark)) >= 0:
                return x, y
        raise LookupError(f"no {mark} on the map")

    def neighbours(self, point):
        x, y = point
        for nx, ny in ((x + 1, y), (x, y + 1), (x - 1, y), (x, y - 1)):
            if 0 <= nx < self.width and 0 <= ny < self.height and self.rows[ny][nx] != "#":
                yield (nx, ny), COST.get(self.rows[ny][nx], 1)


def a_star(terrain, start, goal):
    def heuristic(p):
        return abs(p[0] - goal[0]) + abs(p[1] - goal[1])

    frontier = [(heuristic(start), 0, start)]
    came_from, best = {start: None}, {start: 0}
    expanded = 0
    while frontier:
        _, cost, point = heappop(frontier)
        if point == goal:
            path = []
            while point:
                path.append(point)
                point = came_from[point]
            return path[::-1], cost, expanded
        if cost > best[point]:
            continue
        expanded += 1
        for following, step in terrain.neighbours(point):
            total = cost + step
            if total < best.get(following, float("inf")):
                best[following] = total
                came_from[following] = point
                heappush(frontier, (total + heuristic(following), total, following))
    return None, None, expanded


def run(inputs):
    terrain = Terrain(inputs["map"])
    path, cost, expanded = a_star(terrain, terrain.find("S"), terrain.find("G"))
    if path is None:
        return {"found": False, "expanded": expanded}
    canvas = [list(row) for row in terrain.rows]
    for x, y in path[1:-1]:
        canvas[y][x] = "*"
    blocked = a_star(Terrain(["S#G"]), (0, 0), (2, 0))
    return {
        "found": True,
        "cost": cost,
        "steps": len(path) - 1,
        "map": ["".join(row) for row in canvas],
        "expanded_less_than_all": expanded < terrain.width * terrain.height,
        "blocked": blocked[0],
    }

# inputs: {"map": ["S..^^....", ".#.^^.##.", ".#.~~.#G.", ".#####.#.", "........."]}
# expect: {"found": true, "cost": 15, "steps": 15, "map": ["S..^^....", "*#.^^.##.", "*#.~~.#G*", "*#####.#*", "*********"], "expanded_less_than_all": true, "blocked": null}
