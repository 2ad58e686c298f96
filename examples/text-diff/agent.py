"""Compare two texts: a unified diff, counts, and inside changed lines the words that changed."""

import difflib
import re

TOKEN = re.compile(r"\s+|[^\W]+|[^\w\s]")


def run(inputs):
    before, after = inputs["before"].splitlines(), inputs["after"].splitlines()
    if inputs.get("ignore_space", False):
        before, after = [normal(line) for line in before], [normal(line) for line in after]
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    counts = {"added": 0, "removed": 0, "changed": 0}
    words = []
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if kind == "insert":
            counts["added"] += j2 - j1
        elif kind == "delete":
            counts["removed"] += i2 - i1
        elif kind == "replace":
            pairs = min(i2 - i1, j2 - j1)
            counts["changed"] += pairs
            counts["removed"] += i2 - i1 - pairs
            counts["added"] += j2 - j1 - pairs
            for offset in range(pairs):
                changes = changed_words(before[i1 + offset], after[j1 + offset])
                words.append({"line": j1 + offset + 1, "changes": changes})
    unified = difflib.unified_diff(before, after, "before", "after", lineterm="", n=inputs.get("context", 3))
    return {
        "same": before == after,
        "similarity": round(matcher.ratio(), 4),
        "counts": counts,
        "words": words,
        "diff": "\n".join(unified),
    }


def normal(line):
    return " ".join(line.split())


def changed_words(before, after):
    old, new = TOKEN.findall(before), TOKEN.findall(after)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return [
        {"from": "".join(old[i1:i2]), "to": "".join(new[j1:j2])}
        for kind, i1, i2, j1, j2 in matcher.get_opcodes()
        if kind != "equal"
    ]
