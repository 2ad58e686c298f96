"""A least-recently-used cache with hit statistics, replayed over a list of requests."""

from collections import OrderedDict


class LRUCache:
    def __init__(self, capacity):
        if capacity < 1:
            raise ValueError("capacity must be positive")
        self.capacity = capacity
        self._items = OrderedDict()
        self._hits = self._misses = 0

    def __len__(self):
        return len(self._items)

    def __contains__(self, key):
        return key in self._items

    def __getitem__(self, key):
        if key not in self._items:
            self._misses += 1
            raise KeyError(key)
        self._hits += 1
        self._items.move_to_end(key)
        return self._items[key]

    def __setitem__(self, key, value):
        self._items[key] = value
        self._items.move_to_end(key)
        if len(self._items) > self.capacity:
            self._items.popitem(last=False)

    def __delitem__(self, key):
        del self._items[key]

    def get(self, key, default=None):
        try:
            return self[key]
        except KeyError:
            return default

    @property
    def hit_rate(self):
        total = self._hits + self._misses
        return self._hits / total if total else 0.0

    def keys(self):
        return list(self._items)


def run(inputs):
    cache = LRUCache(inputs.get("capacity", 2))
    computed = []
    for n in inputs["requests"]:
        if cache.get(n) is None:
            computed.append(n)
            cache[n] = n * n
    kept = cache.keys()
    if kept:
        del cache[kept[0]]
    return {
        "computed": computed,
        "kept": kept,
        "size_after_delete": len(cache),
        "hit_rate": round(cache.hit_rate, 3),
        "has_5": 5 in cache,
    }

# inputs: {"capacity": 3, "requests": [1, 2, 3, 1, 4, 2, 5, 1, 5]}
# expect: {"computed": [1, 2, 3, 4, 2, 5, 1], "kept": [2, 1, 5], "size_after_delete": 2, "hit_rate": 0.222, "has_5": true}
