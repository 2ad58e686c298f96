"""Play a small text adventure with rooms, items and a locked door."""

import json
from dataclasses import dataclass, field

WORLD = json.loads("""
{
  "hall":    {"exits": {"north": "library", "east": "kitchen"}, "items": ["lamp"]},
  "library": {"exits": {"south": "hall", "up": "attic"}, "items": ["book"], "locked": {"up": "key"}},
  "kitchen": {"exits": {"west": "hall"}, "items": ["key", "bread"]},
  "attic":   {"exits": {"down": "library"}, "items": ["treasure"]}
}
""")


@dataclass
class Room:
    name: str
    exits: dict
    items: list
    locked: dict = field(default_factory=dict)


@dataclass
class Game:
    rooms: dict
    here: str = "hall"
    bag: list = field(default_factory=list)
    moves: int = 0
    over: bool = False

    @classmethod
    def new(cls):
        return cls({name: Room(name, **spec) for name, spec in WORLD.items()})

    def do(self, line):
        if self.over:
            return "The game is over."
        verb, *words = line.lower().split()
        handler = getattr(self, f"do_{verb}", None)
        if handler is None:
            return f"I don't know how to {verb}."
        self.moves += 1
        return handler(*words)

    def do_look(self):
        room = self.rooms[self.here]
        items = ", ".join(room.items) or "nothing"
        return f"{room.name.title()}: you see {items}. Exits: {', '.join(sorted(room.exits))}."

    def do_go(self, where="nowhere", *_):
        room = self.rooms[self.here]
        if where not in room.exits:
            return f"You cannot go {where}."
        if (key := room.locked.get(where)) and key not in self.bag:
            return f"It is locked. You need the {key}."
        self.here = room.exits[where]
        return self.do_look()

    def do_take(self, item):
        room = self.rooms[self.here]
        try:
            room.items.remove(item)
        except ValueError:
            return f"There is no {item} here."
        self.bag += [item]
        if item == "treasure":
            self.over = True
            return f"You win in {self.moves} moves!"
        return f"You take the {item}."


def run(inputs):
    game = Game.new()
    transcript = [{"you": line, "game": game.do(line)} for line in inputs["lines"]]
    return {"transcript": transcript, "bag": game.bag, "won": game.over}

# inputs: {"lines": ["look", "go north", "go up", "go south", "go east", "take key", "take spoon", "dance", "go", "go west", "go north", "go up", "take treasure", "look"]}
# expect: {"transcript": [{"you": "look", "game": "Hall: you see lamp. Exits: east, north."}, {"you": "go north", "game": "Library: you see book. Exits: south, up."}, {"you": "go up", "game": "It is locked. You need the key."}, {"you": "go south", "game": "Hall: you see lamp. Exits: east, north."}, {"you": "go east", "game": "Kitchen: you see key, bread. Exits: west."}, {"you": "take key", "game": "You take the key."}, {"you": "take spoon", "game": "There is no spoon here."}, {"you": "dance", "game": "I don't know how to dance."}, {"you": "go", "game": "You cannot go nowhere."}, {"you": "go west", "game": "Hall: you see lamp. Exits: east, north."}, {"you": "go north", "game": "Library: you see book. Exits: south, up."}, {"you": "go up", "game": "Attic: you see treasure. Exits: down."}, {"you": "take treasure", "game": "You win in 12 moves!"}, {"you": "look", "game": "The game is over."}], "bag": ["key", "treasure"], "won": true}
