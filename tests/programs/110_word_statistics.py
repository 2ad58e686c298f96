"""Count words of multilingual text: frequencies, readability, palindromes and anagrams."""

import re
import unicodedata
from collections import Counter, defaultdict
from itertools import chain

SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")


class TextStats:
    def __init__(self, text: str) -> None:
        self.text = unicodedata.normalize("NFC", text)
        self._words: list[str] | None = None

    @property
    def words(self) -> list[str]:
        if self._words is None:
            self._words = [w.casefold() for w in re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)*", self.text)]
        return self._words

    @property
    def sentences(self) -> list[str]:
        return [s for s in SENTENCE_END.split(self.text.strip()) if s]

    def top(self, n: int = 3) -> list[list]:
        return [[w, c] for w, c in sorted(Counter(self.words).items(), key=lambda wc: (-wc[1], wc[0]))[:n]]

    def syllables(self, word: str) -> int:
        plain = "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))
        return max(1, len(re.findall(r"[aeiouy]+", plain)) - plain.endswith("e"))

    def reading_ease(self) -> float:
        syllables = sum(map(self.syllables, self.words))
        return 206.835 - 1.015 * len(self.words) / len(self.sentences) - 84.6 * syllables / len(self.words)

    def palindromes(self) -> list[str]:
        return sorted({w for w in self.words if len(w) > 2 and w == w[::-1]})

    def anagrams(self) -> list[list[str]]:
        groups: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
        for word in self.words:
            groups[tuple(sorted(word))].add(word)
        return sorted(sorted(g) for g in groups.values() if len(g) > 1)

    def scripts(self) -> dict[str, int]:
        names = (unicodedata.name(c).split()[0] for c in self.text if c.isalpha())
        return dict(Counter(names).most_common())


def ngrams(words, n):
    yield from zip(*(words[i:] for i in range(n)))


def run(inputs):
    stats = TextStats(inputs["text"])
    pairs = Counter(ngrams(stats.words, 2))
    (pair, times), *_ = sorted(pairs.items(), key=lambda p: (-p[1], p[0]))
    return {
        "words": len(stats.words),
        "sentences": len(stats.sentences),
        "top": stats.top(),
        "ease": round(stats.reading_ease(), 1),
        "palindromes": stats.palindromes(),
        "anagrams": stats.anagrams(),
        "scripts": stats.scripts(),
        "pair": f"{' '.join(pair)} x{times}",
        "letters": "".join(sorted(set(chain.from_iterable(stats.words)) & set("aeiouåäö"))),
    }

# inputs: {"text": "Anna didn't listen to the silent level. The level of the radar was silent! Was it Ångström's? Да, да."}
# expect: {"words": 19, "sentences": 4, "top": [["the", 3], ["level", 2], ["silent", 2]], "ease": 81.8, "palindromes": ["anna", "level", "radar"], "anagrams": [["listen", "silent"]], "scripts": {"LATIN": 72, "CYRILLIC": 4}, "pair": "anna didn't x1", "letters": "aeioåö"}
