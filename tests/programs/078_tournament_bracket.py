"""Build a seeded knock-out bracket with byes and play it out deterministically."""

import random
from dataclasses import dataclass
from typing import List, Optional


@dataclass(eq=False)
class Team:
    name: str
    rating: int
    wins: int = 0

    def __lt__(self, other: "Team") -> bool:
        return (-self.rating, self.name) < (-other.rating, other.name)


@dataclass
class Match:
    home: Team
    away: Optional[Team]
    score: tuple = ()

    def play(self, rng: random.Random) -> Team:
        if self.away is None:
            return self.home
        while True:
            home = rng.randint(0, 2) + self.home.rating // 40
            away = rng.randint(0, 2) + self.away.rating // 40
            if home != away:
                break
        self.score = (home, away)
        winner = self.home if home > away else self.away
        winner.wins += 1
        return winner

    def __str__(self) -> str:
        if self.away is None:
            return f"{self.home.name} has a bye"
        return "{} {}:{} {}".format(self.home.name, *self.score, self.away.name)


def seeding(size: int) -> List[int]:
    order = [1]
    while len(order) < size:
        total = 2 * len(order) + 1
        order = [seed for s in order for seed in (s, total - s)]
    return order


def run(inputs):
    rng = random.Random(inputs["seed"])
    teams = sorted(Team(*row) for row in inputs["teams"])
    size = 1
    while size < len(teams):
        size *= 2
    slots = [teams[s - 1] if s <= len(teams) else None for s in seeding(size)]
    rounds = []
    while len(slots) > 1:
        matches = [Match(slots[i], slots[i + 1]) for i in range(0, len(slots), 2)]
        slots = [m.play(rng) for m in matches]
        rounds.append([str(m) for m in matches])
    champion = slots[0]
    played = sum(t.wins for t in teams)
    assert played == len(teams) - 1, "every match has one loser"
    return {"seeding": seeding(8), "rounds": rounds, "champion": champion.name, "wins": champion.wins, "played": played}

# inputs: {"seed": 3, "teams": [["Foxes", 80], ["Owls", 65], ["Bears", 90], ["Crows", 40], ["Newts", 41], ["Hares", 77]]}
# expect: {"seeding": [1, 8, 4, 5, 2, 7, 3, 6], "rounds": [["Bears has a bye", "Owls 1:3 Newts", "Foxes has a bye", "Hares 3:1 Crows"], ["Bears 4:1 Newts", "Foxes 4:1 Hares"], ["Bears 4:2 Foxes"]], "champion": "Bears", "wins": 2, "played": 5}
