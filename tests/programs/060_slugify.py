"""Make unique slugs of titles in several scripts, with Unicode normalisation."""

import re
import unicodedata
from collections import Counter

SPECIAL = str.maketrans({"ß": "ss", "æ": "ae", "Æ": "ae", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "&": " and ", "'": ""})


class Slugger:
    """Turn titles into slugs and number those that collide."""

    def __init__(self, *, max_length: int = 40, separator: str = "-") -> None:
        self._max_length = max_length
        self._separator = separator
        self._used: Counter[str] = Counter()

    def _ascii(self, text: str) -> str:
        decomposed = unicodedata.normalize("NFKD", text.translate(SPECIAL))
        return "".join(ch for ch in decomposed if not unicodedata.combining(ch))

    def __call__(self, title: str) -> str:
        words = re.findall(r"[a-z0-9]+", self._ascii(title).lower())
        slug = ""
        for word in words:
            candidate = slug + self._separator + word if slug else word
            if len(candidate) > self._max_length:
                break
            slug = candidate
        slug = slug or "untitled"
        self._used[slug] += 1
        if (n := self._used[slug]) > 1:
            slug += f"{self._separator}{n}"
        return slug


def describe(text: str) -> dict:
    categories = Counter(unicodedata.category(ch)[0] for ch in text)
    return {
        "nfc": len(unicodedata.normalize("NFC", text)),
        "nfd": len(unicodedata.normalize("NFD", text)),
        "letters": categories["L"],
        "marks": categories["M"],
        "first": unicodedata.name(text[0], "unnamed"),
    }


def run(inputs):
    slug = Slugger(max_length=24)
    return {
        "slugs": [slug(t) for t in inputs["titles"]],
        "described": {t: describe(t) for t in inputs["describe"]},
        "same": unicodedata.normalize("NFC", "e\u0301") == "é",
        "folded": "STRASSE".casefold() == "straße".casefold(),
        "value": unicodedata.numeric("½"),
    }

# inputs: {"titles": ["Crème Brûlée & Co.", "Straße nach Łódź", "Hello, World!", "Hello World", "it's ½ price", "日本語", "A very long title that never seems to end", "hello... world?"], "describe": ["Ångström", "ñandú"]}
# expect: {"slugs": ["creme-brulee-and-co", "strasse-nach-lodz", "hello-world", "hello-world-2", "its-1-2-price", "untitled", "a-very-long-title-that", "hello-world-3"], "described": {"Ångström": {"nfc": 8, "nfd": 10, "letters": 8, "marks": 0, "first": "LATIN CAPITAL LETTER A WITH RING ABOVE"}, "ñandú": {"nfc": 5, "nfd": 7, "letters": 5, "marks": 0, "first": "LATIN SMALL LETTER N WITH TILDE"}}, "same": true, "folded": true, "value": 0.5}
