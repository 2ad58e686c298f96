"""Judge passwords by pluggable policies and estimate their entropy."""

import hashlib
import math
import re
import string
from functools import cached_property

COMMON = {"password", "letmein", "qwerty", "dragon"}
SEQUENCES = (string.ascii_lowercase, string.digits, "qwertyuiop", "asdfghjkl")


class Password:
    def __init__(self, text: str) -> None:
        self.__text = text

    def __len__(self) -> int:
        return len(self.__text)

    def __repr__(self) -> str:
        return f"Password({'*' * len(self)})"

    @cached_property
    def pools(self) -> dict[str, int]:
        classes = {"lower": string.ascii_lowercase, "upper": string.ascii_uppercase, "digit": string.digits, "other": string.punctuation}
        return {name: len(chars) for name, chars in classes.items() if any(c in chars for c in self.__text)}

    @property
    def entropy(self) -> float:
        return len(set(self.__text)) * math.log2(sum(self.pools.values()) or 1)

    def problems(self):
        """Yield what is wrong, worst first."""
        lowered = self.__text.lower()
        if any(word in lowered.translate(str.maketrans("@013$5", "aoiess")) for word in COMMON):
            yield "contains a common word"
        if len(self) < 10:
            yield f"only {len(self)} characters"
        if m := re.search(r"(.)\1\1", self.__text):
            yield f"repeats {m.group(1)!r}"
        for sequence in SEQUENCES:
            if any(sequence[i:i + 4] in lowered for i in range(len(sequence) - 3)):
                yield f"contains a sequence like {sequence[:4]}"
                break
        if len(self.pools) < 3:
            missing = sorted({"lower", "upper", "digit", "other"} - self.pools.keys())
            yield f"no {', '.join(missing)}"

    def fingerprint(self, salt: str) -> str:
        return hashlib.pbkdf2_hmac("sha256", self.__text.encode(), salt.encode(), 100).hex()[:16]


def verdict(entropy, problems):
    match (entropy, len(problems)):
        case (e, 0) if e >= 60:
            return "strong"
        case (e, n) if e >= 45 and n <= 1:
            return "good"
        case (_, n) if n >= 3:
            return "terrible"
        case _:
            return "weak"


def run(inputs):
    results = []
    for text in inputs["passwords"]:
        password = Password(text)
        problems = list(password.problems())
        results.append({"password": repr(password), "bits": round(password.entropy, 1), "verdict": verdict(password.entropy, problems), "problems": problems})
    same = {Password(t).fingerprint(s) for t, s in (("a", "x"), ("a", "y"), ("a", "x"))}
    return {"results": results, "fingerprints": len(same), "hidden": hasattr(Password("x"), "text")}

# inputs: {"passwords": ["P@ssw0rd", "abcd1111", "Tr0ub4dor&3-horse", "correct horse battery", "", "Zx9!kkkQw7#Lm"]}
# expect: {"results": [{"password": "Password(********)", "bits": 45.9, "verdict": "weak", "problems": ["contains a common word", "only 8 characters"]}, {"password": "Password(********)", "bits": 25.8, "verdict": "terrible", "problems": ["only 8 characters", "repeats '1'", "contains a sequence like abcd", "no other, upper"]}, {"password": "Password(*****************)", "bits": 91.8, "verdict": "strong", "problems": []}, {"password": "Password(*********************)", "bits": 51.7, "verdict": "good", "problems": ["no digit, other, upper"]}, {"password": "Password()", "bits": 0.0, "verdict": "weak", "problems": ["only 0 characters", "no digit, lower, other, upper"]}, {"password": "Password(*************)", "bits": 72.1, "verdict": "good", "problems": ["repeats 'k'"]}], "fingerprints": 2, "hidden": false}
