"""Build a Huffman code for a text, encode it and decode it back."""

import heapq
from collections import Counter
from itertools import count


class Leaf:
    def __init__(self, symbol):
        self.symbol = symbol

    def codes(self, prefix=""):
        yield self.symbol, prefix or "0"


class Branch:
    def __init__(self, left, right):
        self.left, self.right = left, right

    def codes(self, prefix=""):
        yield from self.left.codes(prefix + "0")
        yield from self.right.codes(prefix + "1")


def build(text):
    tie = count()
    frequencies = Counter(text)
    heap = [(n, next(tie), Leaf(s)) for s, n in sorted(frequencies.items())]
    heapq.heapify(heap)
    while len(heap) > 1:
        n1, _, first = heapq.heappop(heap)
        n2, _, second = heapq.heappop(heap)
        heapq.heappush(heap, (n1 + n2, next(tie), Branch(first, second)))
    return heap[0][-1]


def decode(bits, codes):
    symbols = {code: symbol for symbol, code in codes.items()}
    word, out = "", []
    for bit in bits:
        word += bit
        if word in symbols:
            out.append(symbols[word])
            word = ""
    if word:
        raise ValueError(f"dangling bits {word}")
    return "".join(out)


def run(inputs):
    report = []
    for text in inputs["texts"]:
        codes = dict(build(text).codes())
        bits = "".join(codes[ch] for ch in text)
        report.append({
            "codes": dict(sorted(codes.items(), key=lambda kv: (len(kv[1]), kv[1]))),
            "bits": bits,
            "saved": f"{1 - len(bits) / (8 * len(text)):.1%}",
            "ok": decode(bits, codes) == text,
        })
    return {"report": report}

# inputs: {"texts": ["abracadabra", "mississippi", "zzzz"]}
# expect: {"report": [{"codes": {"a": "0", "c": "100", "d": "101", "b": "110", "r": "111"}, "bits": "01101110100010101101110", "saved": "73.9%", "ok": true}, {"codes": {"s": "0", "i": "11", "m": "100", "p": "101"}, "bits": "100110011001110110111", "saved": "76.1%", "ok": true}, {"codes": {"z": "0"}, "bits": "0000", "saved": "87.5%", "ok": true}]}
