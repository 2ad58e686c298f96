"""Closures with nonlocal state: counters, an accumulator and memoisation."""

from typing import Any, Callable

calls = 0


def make_counter(start: int = 0, step: int = 1):
    value = start

    def increment(by: int | None = None) -> int:
        nonlocal value
        value += step if by is None else by
        return value

    def reset() -> None:
        nonlocal value
        value = start

    increment.reset = reset
    return increment


def make_average() -> Callable[[float], float]:
    total, count = 0.0, 0

    def add(x: float) -> float:
        nonlocal total, count
        total += x
        count += 1
        return total / count

    return add


def memoise(func):
    cache: dict[tuple, Any] = {}

    def wrapper(*args, **kwargs):
        global calls
        key = (args, tuple(sorted(kwargs.items())))
        if key not in cache:
            calls += 1
            cache[key] = func(*args, **kwargs)
        return cache[key]

    wrapper.cache = cache
    return wrapper


@memoise
def grid_paths(rows, cols):
    return 1 if rows == 0 or cols == 0 else grid_paths(rows - 1, cols) + grid_paths(rows, cols - 1)


def run(inputs):
    a, b = make_counter(), make_counter(100, -5)
    counted = [a(), a(), b(), a(10), b()]
    a.reset()
    average = make_average()
    adders = [lambda x, n=n: x + n for n in range(3)]
    return {
        "counted": counted + [a()],
        "averages": [round(average(x), 3) for x in inputs["values"]],
        "paths": grid_paths(*inputs["grid"]),
        "computed": calls,
        "cached": len(grid_paths.cache),
        "adders": [f(10) for f in adders],
    }

# inputs: {"values": [2, 4, 9], "grid": [6, 7]}
# expect: {"counted": [1, 2, 95, 12, 90, 1], "averages": [2.0, 3.0, 5.0], "paths": 1716, "computed": 55, "cached": 55, "adders": [10, 11, 12]}
