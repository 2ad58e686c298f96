"""Summarise survey answers: cross tables, weighted scores and free-text themes."""

import collections
import json
import re

SCALE = ["very bad", "bad", "ok", "good", "very good"]
THEMES = {"price": r"expens|price|cheap|cost", "speed": r"slow|fast|wait", "staff": r"friendly|rude|staff"}


def load(raw):
    """Parse one JSON answer per line; keep what was unreadable."""
    answers, bad = [], []
    for number, line in enumerate(raw.splitlines(), 1):
        try:
            answer = json.loads(line)
            answer["score"] = SCALE.index(answer["rating"].lower()) + 1
        except json.JSONDecodeError as e:
            bad.append(f"line {number}: column {e.colno}: {e.msg}")
        except (KeyError, ValueError) as e:
            bad.append(f"line {number}: {e.__class__.__name__}")
        else:
            answers.append(answer)
    return answers, bad


def cross_table(answers, row, column):
    table = collections.defaultdict(collections.Counter)
    for a in answers:
        table[a.get(row, "n/a")][a.get(column, "n/a")] += 1
    return {r: dict(sorted(c.items())) for r, c in sorted(table.items())}


def themes(answers):
    counts = collections.Counter()
    moods = collections.defaultdict(list)
    for a in answers:
        for theme, pattern in THEMES.items():
            if re.search(pattern, a.get("comment", ""), re.I):
                counts[theme] += 1
                moods[theme].append(a["score"])
    return [{"theme": t, "count": n, "mood": sum(moods[t]) / n} for t, n in counts.most_common()]


def run(inputs):
    answers, bad = load(inputs["answers"])
    scores = [a["score"] for a in answers]
    promoters = sum(s == 5 for s in scores)
    detractors = sum(s <= 2 for s in scores)
    width = max(len(s) for s in SCALE)
    return {
        "bars": [f"{label:>{width}} {'#' * scores.count(i)}".rstrip() for i, label in enumerate(SCALE, 1)],
        "net": round(100 * (promoters - detractors) / len(scores)),
        "table": cross_table(answers, "branch", "rating"),
        "themes": themes(answers),
        "bad": bad,
        "clean": re.sub(r"\b([A-Z])(\w*)\b", lambda m: m[1].lower() + m[2], answers[0]["comment"]),
    }

# inputs: {"answers": "{\"branch\": \"A\", \"rating\": \"good\", \"comment\": \"Fast but Expensive\"}\n{\"branch\": \"B\", \"rating\": \"Very Good\", \"comment\": \"friendly staff, cheap\"}\n{\"branch\": \"A\", \"rating\": \"bad\", \"comment\": \"had to wait\"}\n{oops\n{\"branch\": \"A\", \"rating\": \"meh\"}\n{\"rating\": \"good\"}\n{\"branch\": \"A\"}"}
# expect: {"bars": [" very bad", "      bad #", "       ok", "     good ##", "very good #"], "net": 0, "table": {"A": {"bad": 1, "good": 1}, "B": {"Very Good": 1}, "n/a": {"good": 1}}, "themes": [{"theme": "price", "count": 2, "mood": 4.5}, {"theme": "speed", "count": 2, "mood": 3.0}, {"theme": "staff", "count": 1, "mood": 5.0}], "bad": ["line 4: column 2: Expecting property name enclosed in double quotes", "line 5: ValueError", "line 7: KeyError"], "clean": "fast but expensive"}
