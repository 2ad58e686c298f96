"""Moderate comments with an ordered table of rules, each giving points and a reason."""

import re
from typing import Callable, List, NamedTuple, Optional

BLOCKED = {"viagra", "casino"}
LINK = re.compile(r"https?://\S+", re.IGNORECASE)


class Rule(NamedTuple):
    name: str
    points: int
    test: Callable[[dict], Optional[str]]


def rule(name: str, points: int):
    def add(func):
        RULES.append(Rule(name, points, func))
        return func
    return add


RULES: List[Rule] = []


@rule("blocked word", 10)
def blocked_words(comment):
    text = comment["text"].lower().translate(str.maketrans("014$", "oias"))
    hits = sorted(w for w in BLOCKED if w in re.sub(r"[^a-z]", "", text))
    return ", ".join(hits) or None


@rule("links", 4)
def too_many_links(comment):
    links = LINK.findall(comment["text"])
    return f"{len(links)} links" if len(links) > comment.get("links_allowed", 1) else None


@rule("shouting", 3)
def shouting(comment):
    letters = [c for c in comment["text"] if c.isalpha()]
    share = sum(c.isupper() for c in letters) / max(len(letters), 1)
    return f"{share:.0%} capitals" if len(letters) > 8 and share > 0.6 else None


@rule("repetition", 3)
def repetition(comment):
    m = re.search(r"(.)\1{4,}", comment["text"])
    return f"{m[1]!r} x {len(m[0])}" if m else None


@rule("trusted author", -5)
def trusted(comment):
    return "long-time member" if comment.get("karma", 0) >= 100 else None


def moderate(comment):
    reasons, score = [], 0
    for name, points, test in RULES:
        if detail := test(comment):
            score += points
            reasons.append(f"{name}: {detail} ({points:+d})")
    decision = "reject" if score >= 8 else "review" if score >= 3 else "accept"
    return {"decision": decision, "score": score, "reasons": reasons}


def run(inputs, ctx):
    results = [moderate(c) for c in inputs["comments"]]
    for comment, result in zip(inputs["comments"], results):
        if result["decision"] != "accept":
            ctx.log("moderated", decision=result["decision"], score=result["score"], start=comment["text"][:10])
    return {"results": results, "dry": ctx.test}

# inputs: {"comments": [{"text": "Great article, thanks!"}, {"text": "Win at the C4S1N0 now http://a.b http://c.d"}, {"text": "THIS IS OUTRAGEOUS!!!!!!"}, {"text": "SEE HTTP://X.ORG AND HTTP://Y.ORG", "karma": 250}, {"text": "nooooooo"}]}
# expect: {"results": [{"decision": "accept", "score": 0, "reasons": []}, {"decision": "reject", "score": 14, "reasons": ["blocked word: casino (+10)", "links: 2 links (+4)"]}, {"decision": "review", "score": 6, "reasons": ["shouting: 100% capitals (+3)", "repetition: '!' x 6 (+3)"]}, {"decision": "accept", "score": 2, "reasons": ["links: 2 links (+4)", "shouting: 100% capitals (+3)", "trusted author: long-time member (-5)"]}, {"decision": "review", "score": 3, "reasons": ["repetition: 'o' x 7 (+3)"]}], "dry": false}
