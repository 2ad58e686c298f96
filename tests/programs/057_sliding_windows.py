"""Detect anomalies and best stretches in a series with sliding windows."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, islice


def windows(values: Iterable[float], size: int) -> Iterator[tuple[float, ...]]:
    it = iter(values)
    window = deque(islice(it, size), maxlen=size)
    if len(window) == size:
        yield tuple(window)
    for value in it:
        window.append(value)
        yield tuple(window)


def maxima(values: Sequence[int], size: int) -> list[int]:
    """Maximum of each window in linear time, with a queue of candidates."""
    queue: deque[int] = deque()
    result = []
    for i, value in enumerate(values):
        while queue and values[queue[-1]] <= value:
            queue.pop()
        queue.append(i)
        if queue[0] <= i - size:
            queue.popleft()
        if i >= size - 1:
            result.append(values[queue[0]])
    return result


def longest_unique(text: str) -> str:
    start, best = 0, ""
    last: dict[str, int] = {}
    for end, ch in enumerate(text):
        if (seen := last.get(ch, -1)) >= start:
            start = seen + 1
        last[ch] = end
        if end - start + 1 > len(best):
            best = text[start:end + 1]
    return best


def best_stretch(changes: Sequence[int]) -> tuple[int, int, int]:
    total, start = 0, 0
    best = (changes[0], 0, 0)
    for i, change in enumerate(changes):
        if total <= 0:
            total, start = 0, i
        total += change
        best = max(best, (total, start, i), key=lambda b: b[0])
    return best


def run(inputs):
    values, size = inputs["values"], inputs["size"]
    averages = [round(sum(w) / size, 2) for w in windows(values, size)]
    spikes = [i + size for i, (a, v) in enumerate(zip(averages, values[size:])) if v > 2 * a]
    total, start, end = best_stretch([b - a for a, b in zip(values, values[1:])])
    return {
        "averages": averages,
        "maxima": maxima(values, size),
        "spikes": spikes,
        "cumulative": list(accumulate(values)),
        "rise": {"gain": total, "from": start, "to": end + 1},
        "unique": [longest_unique(t) for t in ("abcabcbb", "pwwkew", "", "tmmzuxt")],
        "too_short": list(windows([1], 3)),
    }

# inputs: {"values": [4, 5, 3, 14, 6, 5, 4, 20, 3], "size": 3}
# expect: {"averages": [4.0, 7.33, 7.67, 8.33, 5.0, 9.67, 9.0], "maxima": [5, 14, 14, 14, 6, 20, 20], "spikes": [3, 7], "cumulative": [4, 9, 12, 26, 32, 37, 41, 61, 64], "rise": {"gain": 17, "from": 2, "to": 7}, "unique": ["abc", "wke", "", "mzuxt"], "too_short": []}
