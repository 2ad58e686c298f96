"""Encrypt with Caesar and Vigenere ciphers and crack Caesar by letter frequency."""

import string
from itertools import cycle

ALPHABET = string.ascii_lowercase
COMMON = "etaoinshrdlu"


def shift_char(ch: str, by: int) -> str:
    if not ch.isascii() or not ch.isalpha():
        return ch
    base = ord("A") if ch.isupper() else ord("a")
    return chr((ord(ch) - base + by) % 26 + base)


class Caesar:
    def __init__(self, key: int) -> None:
        self._table = str.maketrans(
            ALPHABET + ALPHABET.upper(),
            "".join(shift_char(c, key) for c in ALPHABET + ALPHABET.upper()),
        )

    def __call__(self, text: str) -> str:
        return text.translate(self._table)


class Vigenere:
    def __init__(self, key: str) -> None:
        self.__shifts = [ALPHABET.index(c) for c in key.lower()]

    def _apply(self, text: str, sign: int) -> str:
        shifts = cycle(self.__shifts)
        return "".join(shift_char(c, sign * next(shifts)) if c.isalpha() else c for c in text)

    def encrypt(self, text: str) -> str:
        return self._apply(text, +1)

    def decrypt(self, text: str) -> str:
        return self._apply(text, -1)


def crack(text: str) -> tuple[int, str]:
    def score(candidate: str) -> int:
        return sum(COMMON.find(c) >= 0 and len(COMMON) - COMMON.find(c) for c in candidate.lower())

    best = max(range(26), key=lambda k: score(Caesar(-k)(text)))
    return best, Caesar(-best)(text)


def run(inputs):
    text = inputs["text"]
    secret = Caesar(inputs["key"])(text)
    key, cracked = crack(secret)
    vigenere = Vigenere(inputs["word"])
    hidden = vigenere.encrypt(text)
    return {
        "caesar": secret,
        "cracked": [key, cracked == text],
        "vigenere": hidden,
        "back": vigenere.decrypt(hidden) == text,
    }

# inputs: {"text": "Meet me at the old station, at nine this evening!", "key": 11, "word": "Lemon"}
# expect: {"caesar": "Xppe xp le esp zwo deletzy, le ytyp estd pgpytyr!", "cracked": [11, true], "vigenere": "Xiqh zp ef hup sxr feefwby, ef bvyi fvvd ihsatrs!", "back": true}
