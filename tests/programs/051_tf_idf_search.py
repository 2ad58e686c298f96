"""Rank documents for a query with TF-IDF in miniature."""

import math
import re
from collections import Counter
from functools import cached_property

STOP_WORDS = frozenset("a an and the of to in is it for on with".split())


def tokens(text):
    return [stem(w) for w in re.findall(r"[a-z]+", text.lower()) if w not in STOP_WORDS]


def stem(word):
    for ending in ("ing", "es", "s", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


class Document:
    def __init__(self, name, text):
        self.name = name
        self.text = text

    @cached_property
    def frequencies(self):
        counts = Counter(tokens(self.text))
        total = counts.total()
        return {t: n / total for t, n in counts.items()}


class Index:
    def __init__(self, documents):
        self.documents = [Document(n, t) for n, t in documents.items()]
        spread = Counter()
        for d in self.documents:
            spread.update(d.frequencies.keys())
        self._idf = {t: math.log((1 + len(self.documents)) / (1 + n)) + 1 for t, n in spread.items()}

    def search(self, query):
        terms = tokens(query)
        scored = []
        for d in self.documents:
            score = sum(d.frequencies.get(t, 0) * self._idf.get(t, 0) for t in terms)
            if score:
                scored.append((d.name, score))
        return sorted(scored, key=lambda item: item[1], reverse=True)

    def keywords(self, name, n=2):
        d = next(d for d in self.documents if d.name == name)
        weights = {t: f * self._idf[t] for t, f in d.frequencies.items()}
        return sorted(weights, key=lambda t: (-weights[t], t))[:n]


def run(inputs):
    index = Index(inputs["documents"])
    return {
        "results": {q: [[name, round(s, 4)] for name, s in index.search(q)] for q in inputs["queries"]},
        "keywords": {d.name: index.keywords(d.name) for d in index.documents},
    }

# inputs: {"documents": {"bread": "Baking bread: mix flour with water and yeast, bake the bread for an hour.", "pasta": "Boil water for the pasta and mix it with sauces.", "bikes": "Repairing bikes needs tools; bike chains need oil."}, "queries": ["bread", "water mixing", "oiled bikes", "zebra"]}
# expect: {"results": {"bread": [["bread", 0.3763]], "water mixing": [["pasta", 0.5151], ["bread", 0.2862]], "oiled bikes": [["bikes", 0.4233]], "zebra": []}, "keywords": {"bread": ["bread", "bak"], "pasta": ["boil", "pasta"], "bikes": ["need", "bik"]}}
