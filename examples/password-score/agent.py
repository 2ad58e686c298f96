"""Estimate how many guesses a password withstands, and say what makes it weak. The password is never echoed."""

import math
import re
import string

COMMON = {
    "password", "passwort", "letmein", "welcome", "qwerty", "admin", "login", "dragon", "monkey", "football",
    "iloveyou", "sunshine", "princess", "master", "shadow", "secret", "summer", "winter", "hello", "freedom",
}  # fmt: skip
RUNS = [string.ascii_lowercase, string.digits, "qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz2wsx3edc"]
LOOKALIKES = str.maketrans("@4301!5$7", "aaeoiisst")
RUN_LENGTH_MIN = 3
COMMON_WORD_BITS = 8.0
YEAR_BITS = 6.5
GRADES = [(28, "very weak"), (36, "weak"), (60, "fair"), (80, "strong"), (math.inf, "very strong")]


class Estimate:
    """Cuts the password into what a guesser would try whole, and sums the bits of the pieces."""

    def __init__(self, password):
        self._rest = password
        self._bits = 0.0
        self.reasons = []

    @property
    def bits(self):
        return round(self._bits, 1)

    def take_common_words(self):
        lowered = self._rest.lower().translate(LOOKALIKES)
        for word in sorted(COMMON, key=lambda word: (-len(word), word)):
            at = lowered.find(word)
            if at >= 0:
                self._cut(at, len(word), COMMON_WORD_BITS, "contains a common word")
                lowered = self._rest.lower().translate(LOOKALIKES)

    def take_years(self):
        match = re.search(r"(19|20)[0-9]{2}", self._rest)
        if match:
            self._cut(match.start(), 4, YEAR_BITS, "contains a year")

    def take_runs(self):
        found = self._longest_run()
        while found:
            at, length = found
            self._cut(at, length, math.log2(len(RUNS) * 30) + math.log2(length), "contains a keyboard or alphabet run")
            found = self._longest_run()

    def take_repeats(self):
        match = re.search(r"(.)\1{2,}", self._rest)
        while match:
            self._cut(match.start(), len(match.group()), 6.0 + math.log2(len(match.group())), "repeats a character")
            match = re.search(r"(.)\1{2,}", self._rest)

    def take_rest(self):
        if self._rest:
            self._bits += len(self._rest) * math.log2(alphabet_size(self._rest))

    def _longest_run(self):
        lowered = self._rest.lower()
        best = None
        for alphabet in RUNS:
            for sequence in (alphabet, alphabet[::-1]):
                for start in range(len(lowered) - RUN_LENGTH_MIN + 1):
                    length = RUN_LENGTH_MIN
                    while start + length <= len(lowered) and lowered[start : start + length] in sequence:
                        length += 1
                    length -= 1
                    if length >= RUN_LENGTH_MIN and (best is None or length > best[1]):
                        best = (start, length)
        return best

    def _cut(self, at, length, bits, reason):
        self._rest = self._rest[:at] + self._rest[at + length :]
        self._bits += bits
        if reason not in self.reasons:
            self.reasons.append(reason)


def alphabet_size(text):
    size = 0
    for characters in (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation + " "):
        if any(char in characters for char in text):
            size += len(characters)
    if any(ord(char) > 126 for char in text):
        size += 100
    return max(size, 2)


def run(inputs):
    password = inputs["password"]
    estimate = Estimate(password)
    estimate.take_common_words()
    estimate.take_years()
    estimate.take_repeats()
    estimate.take_runs()
    estimate.take_rest()
    grade = next(name for limit, name in GRADES if estimate.bits < limit)
    reasons = estimate.reasons
    if len(password) < 12:
        reasons = [*reasons, "is shorter than 12 characters"]
    return {"length": len(password), "bits": estimate.bits, "grade": grade, "reasons": reasons}
