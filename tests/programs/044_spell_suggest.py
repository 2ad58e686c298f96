"""Suggest spellings by edit distance with a transposition, and word frequency as tie-break."""

import difflib
from functools import lru_cache


def distance(a, b):
    """Edits to turn a into b: insert, delete, replace or swap neighbours."""

    @lru_cache(maxsize=None)
    def d(i, j):
        if min(i, j) == 0:
            return max(i, j)
        cost = a[i - 1] != b[j - 1]
        best = min(d(i - 1, j) + 1, d(i, j - 1) + 1, d(i - 1, j - 1) + cost)
        if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
            best = min(best, d(i - 2, j - 2) + 1)
        return best

    return d(len(a), len(b))


class SpellChecker:
    def __init__(self, frequencies):
        self._frequencies = {w.lower(): n for w, n in frequencies.items()}
        self._checked = 0

    def suggest(self, word, limit=2, max_distance=2):
        self._checked += 1
        word = word.lower()
        if word in self._frequencies:
            return []
        scored = [(distance(word, w), -n, w) for w, n in self._frequencies.items()
                  if abs(len(w) - len(word)) <= max_distance]
        return [w for d, _, w in sorted(scored) if d <= max_distance][:limit]

    def correct(self, text):
        words = []
        for word in text.split():
            core = word.strip(".,!?")
            options = self.suggest(core)
            if options:
                fixed = options[0].capitalize() if core[0].isupper() else options[0]
                word = word.replace(core, fixed)
            words.append(word)
        return " ".join(words)


def run(inputs):
    checker = SpellChecker(inputs["frequencies"])
    corrected = checker.correct(inputs["text"])
    return {
        "corrected": corrected,
        "suggestions": {w: checker.suggest(w, limit=3) for w in inputs["words"]},
        "close": difflib.get_close_matches("recieve", inputs["frequencies"], n=1),
        "distances": [distance(a, b) for a, b in (("kitten", "sitting"), ("ab", "ba"), ("", "xyz"))],
        "checked": checker._checked,
    }

# inputs: {"frequencies": {"the": 500, "receive": 20, "letter": 30, "better": 40, "later": 35, "form": 60, "from": 90, "tomorrow": 10, "we": 200}, "text": "We recieve teh lettr form hte bank tommorow!", "words": ["frmo", "beter", "xyzzyq"]}
# expect: {"corrected": "We receive the letter form the bank tomorrow!", "suggestions": {"frmo": ["from", "form"], "beter": ["better", "later", "letter"], "xyzzyq": []}, "close": ["receive"], "distances": [3, 1, 3], "checked": 11}
