"""A Bloom filter over a bytearray, with hashes derived from SHA-256."""

import hashlib
import math


class BloomFilter:
    def __init__(self, capacity, error_rate=0.01):
        self._bits = max(8, math.ceil(-capacity * math.log(error_rate) / math.log(2) ** 2))
        self._hashes = max(1, round(self._bits / capacity * math.log(2)))
        self._array = bytearray((self._bits + 7) // 8)
        self._count = 0

    def _positions(self, item):
        digest = hashlib.sha256(item.encode("utf-8")).digest()
        first = int.from_bytes(digest[:8], "big")
        second = int.from_bytes(digest[8:16], "big") | 1
        for i in range(self._hashes):
            yield (first + i * second) % self._bits

    def add(self, item):
        for position in self._positions(item):
            self._array[position // 8] |= 1 << (position % 8)
        self._count += 1

    def update(self, items):
        for item in items:
            self.add(item)
        return self

    def __contains__(self, item):
        return all(self._array[p >> 3] & (1 << (p & 7)) for p in self._positions(item))

    def __len__(self):
        return self._count

    @property
    def fill(self):
        return sum(bin(byte).count("1") for byte in self._array) / self._bits


def run(inputs):
    known = inputs["known"]
    bloom = BloomFilter(inputs["capacity"]).update(known)
    probes = [f"user{n}@example.org" for n in range(500)]
    false_positives = [p for p in probes if p in bloom and p not in known]
    return {
        "bits": bloom._bits,
        "hashes": bloom._hashes,
        "count": len(bloom),
        "fill": round(bloom.fill, 4),
        "all_known_found": all(k in bloom for k in known),
        "false_positives": len(false_positives),
    }

# inputs: {"capacity": 20, "known": ["ada@example.org", "bob@example.org", "user7@example.org", "eve@example.org"]}
# expect: {"bits": 192, "hashes": 7, "count": 4, "fill": 0.1302, "all_known_found": true, "false_positives": 1}
