"""Clean sensor readings with a pipeline of generators that work one item at a time."""

from collections import deque
from itertools import islice, tee
from statistics import mean


def parse(lines):
    for line in lines:
        line = line.strip()
        if line and not line.startswith("#"):
            sensor, value = line.split("=")
            yield sensor.strip(), value.strip()


def to_numbers(pairs, errors):
    for sensor, value in pairs:
        try:
            yield sensor, float(value)
        except ValueError:
            errors.append(f"{sensor}: {value!r}")


def clamp(pairs, low, high):
    yield from ((s, min(max(v, low), high)) for s, v in pairs)


def smooth(pairs, size=3):
    windows = {}
    for sensor, value in pairs:
        window = windows.setdefault(sensor, deque(maxlen=size))
        window.append(value)
        yield sensor, round(mean(window), 2)


def changes(pairs):
    last = {}
    for sensor, value in pairs:
        if last.get(sensor) != value:
            last[sensor] = value
            yield f"{sensor}:{value}"


def pairwise(items):
    a, b = tee(items)
    next(b, None)
    return zip(a, b)


def run(inputs):
    errors = []
    stream = parse(inputs["lines"])
    stream = to_numbers(stream, errors)
    stream = clamp(stream, *inputs["range"])
    stream = smooth(stream, size=2)
    first = list(islice(stream, 2))
    rest = list(changes(stream))
    return {
        "first": [list(p) for p in first],
        "changes": rest,
        "steps": [f"{a} > {b}" for a, b in pairwise(rest)][:2],
        "errors": errors,
        "exhausted": next(stream, None) is None,
    }

# inputs: {"range": [0, 100], "lines": ["# header", "t1 = 20.5", "t2=99", "", "t1=21.5", "t2=oops", "t2=140", "t1=21.5", "t1=21.5", "t2=-5"]}
# expect: {"first": [["t1", 20.5], ["t2", 99.0]], "changes": ["t1:21.0", "t2:99.5", "t1:21.5", "t2:50"], "steps": ["t1:21.0 > t2:99.5", "t2:99.5 > t1:21.5"], "errors": ["t2: 'oops'"], "exhausted": true}
