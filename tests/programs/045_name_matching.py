"""Find duplicate customers by Jaro-Winkler similarity of their names."""

from itertools import combinations


def jaro(a: str, b: str) -> float:
    if a == b:
        return 1.0
    if not a or not b:
        return 0.0
    reach = max(len(a), len(b)) // 2 - 1
    a_hit, b_hit = [False] * len(a), [False] * len(b)
    matches = 0
    for i, ch in enumerate(a):
        for j in range(max(0, i - reach), min(len(b), i + reach + 1)):
            if not b_hit[j] and b[j] == ch:
                a_hit[i] = b_hit[j] = True
                matches += 1
                break
    if not matches:
        return 0.0
    a_chars = (c for c, hit in zip(a, a_hit) if hit)
    b_chars = (c for c, hit in zip(b, b_hit) if hit)
    swapped = sum(x != y for x, y in zip(a_chars, b_chars)) / 2
    return (matches / len(a) + matches / len(b) + (matches - swapped) / matches) / 3


def jaro_winkler(a: str, b: str, *, scale: float = 0.1) -> float:
    base = jaro(a, b)
    prefix = 0
    for x, y in zip(a[:4], b[:4]):
        if x != y:
            break
        prefix += 1
    return base + prefix * scale * (1 - base)


def clean(name: str) -> str:
    words = name.upper().replace(".", " ").replace("-", " ").split()
    return " ".join(sorted(w for w in words if w not in {"MR", "MRS", "DR", "INC"}))


def run(inputs):
    names = inputs["names"]
    threshold: float = inputs.get("threshold", 0.9)
    pairs = []
    for left, right in combinations(names, 2):
        if (score := jaro_winkler(clean(left), clean(right))) >= threshold:
            pairs.append({"pair": [left, right], "score": round(score, 3)})
    pairs.sort(key=lambda p: (-p["score"], p["pair"]))
    return {
        "pairs": pairs,
        "martha": round(jaro_winkler("MARTHA", "MARHTA"), 4),
        "dixon": round(jaro("DIXON", "DICKSONX"), 4),
        "nothing": jaro_winkler("abc", "xyz"),
    }

# inputs: {"threshold": 0.92, "names": ["Dr. Anna Meier", "Meier, Anna", "Ana Meyer", "Peter Schmidt", "Peter Schmitt", "Schmid Peter", "Zoe Quinn"]}
# expect: {"pairs": [{"pair": ["Peter Schmidt", "Schmid Peter"], "score": 0.985}, {"pair": ["Dr. Anna Meier", "Meier, Anna"], "score": 0.982}, {"pair": ["Peter Schmidt", "Peter Schmitt"], "score": 0.969}, {"pair": ["Peter Schmitt", "Schmid Peter"], "score": 0.953}], "martha": 0.9611, "dixon": 0.7667, "nothing": 0.0}
