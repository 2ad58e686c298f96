"""Draw winners fairly and verifiably: commit to a seed, draw, and let anyone check."""

import hashlib
import hmac
import random


def commitment(seed: str) -> str:
    return hashlib.sha256(seed.encode("utf-8")).hexdigest()


def ticket_order(seed: str, tickets: list[str]) -> list[str]:
    """Order tickets by a keyed hash, so that nobody can choose a position."""
    return sorted(tickets, key=lambda t: hmac.new(seed.encode(), t.encode(), "sha256").digest())


def draw(seed: str, tickets: list[str], prizes: int) -> list[str]:
    if prizes > len(set(tickets)):
        raise ValueError(f"{prizes} prizes for {len(set(tickets))} different tickets")
    rng = random.Random(commitment(seed))
    pool = ticket_order(seed, tickets)
    winners: list[str] = []
    while len(winners) < prizes:
        candidate = rng.choice(pool)
        if candidate not in winners:
            winners.append(candidate)
    return winners


def verify(published: str, seed: str, tickets: list[str], winners: list[str]) -> str:
    if not hmac.compare_digest(published, commitment(seed)):
        return "the seed is not the one committed to"
    if draw(seed, tickets, len(winners)) != winners:
        return "the winners do not follow from the seed"
    return "fair"


def run(inputs, ctx):
    seed, tickets, prizes = inputs["seed"], inputs["tickets"], inputs["prizes"]
    published = commitment(seed)
    ctx.log("committed", hash=published[:16], tickets=len(tickets))
    winners = draw(seed, tickets, prizes)
    if ctx.test:
        ctx.log("dry run: winners are not announced")
    try:
        draw(seed, tickets, 99)
    except ValueError as exc:
        refused = str(exc)
    return {
        "commitment": published[:16],
        "winners": winners,
        "checks": [
            verify(published, seed, tickets, winners),
            verify(published, seed + "!", tickets, winners),
            verify(published, seed, tickets, winners[::-1]),
            verify(published, seed, list(reversed(tickets)), winners),
        ],
        "refused": refused,
    }

# inputs: {"seed": "rain on a tin roof", "prizes": 3, "tickets": ["ann", "bob", "cyd", "dee", "eve", "ann", "fay"]}
# expect: {"commitment": "f00315432a358f85", "winners": ["fay", "ann", "bob"], "checks": ["fair", "the seed is not the one committed to", "the winners do not follow from the seed", "fair"], "refused": "99 prizes for 6 different tickets"}
