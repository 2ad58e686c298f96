"""Interpret a robot's commands with structural pattern matching."""

from dataclasses import dataclass


@dataclass
class Robot:
    x: int = 0
    y: int = 0
    facing: str = "N"
    cargo: tuple = ()


DELTAS = {"N": (0, 1), "E": (1, 0), "S": (0, -1), "W": (-1, 0)}
ORDER = "NESW"


def execute(robot, command):
    match command:
        case "noop" | None:
            return "nothing"
        case ["go", int(steps)] if steps > 0:
            dx, dy = DELTAS[robot.facing]
            robot.x += dx * steps
            robot.y += dy * steps
            return f"at {robot.x},{robot.y}"
        case ["go", *_]:
            return "bad steps"
        case ["turn", ("left" | "right") as side]:
            step = 1 if side == "right" else -1
            robot.facing = ORDER[(ORDER.index(robot.facing) + step) % 4]
            return f"facing {robot.facing}"
        case {"load": str(item), **options}:
            count = options.get("count", 1)
            robot.cargo += (item,) * count
            return f"loaded {count} {item}" + (" carefully" if options.get("fragile") else "")
        case ["drop", first, *rest]:
            wanted = {first, *rest}
            before = len(robot.cargo)
            robot.cargo = tuple(c for c in robot.cargo if c not in wanted)
            return f"dropped {before - len(robot.cargo)}"
        case [["at", x, y], *then]:
            if (robot.x, robot.y) != (x, y):
                return "elsewhere"
            return [execute(robot, c) for c in then]
        case float() | bool():
            return "not a command"
        case str(text):
            return f"unknown word {text}"
        case _:
            return f"unknown {type(command).__name__}"


def summary(robot):
    match robot:
        case Robot(x=0, y=0):
            return "home"
        case Robot(x=x, y=y, cargo=()):
            return f"empty at {x},{y}"
        case Robot(cargo=(only,)):
            return f"carrying {only}"
        case Robot(cargo=cargo):
            return f"carrying {len(cargo)}"


def run(inputs):
    robot = Robot()
    trace = []
    summaries = [summary(robot)]
    for command in inputs["commands"]:
        trace.append(execute(robot, command))
        summaries.append(summary(robot))
    return {"trace": trace, "summaries": summaries, "robot": repr(robot)}

# inputs: {"commands": ["noop", ["go", 3], ["turn", "right"], ["go", -1], {"load": "egg", "count": 2, "fragile": true}, ["go", 2], [["at", 2, 3], ["turn", "left"], {"load": "box"}, "noop"], ["drop", "egg", "cup"], 1.5, "jump", ["fly"], ["drop", "box"], null]}
# expect: {"trace": ["nothing", "at 0,3", "facing E", "bad steps", "loaded 2 egg carefully", "at 2,3", ["facing N", "loaded 1 box", "nothing"], "dropped 2", "not a command", "unknown word jump", "unknown list", "dropped 1", "nothing"], "summaries": ["home", "home", "empty at 0,3", "empty at 0,3", "empty at 0,3", "carrying 2", "carrying 2", "carrying 3", "carrying box", "carrying box", "carrying box", "carrying box", "empty at 2,3", "empty at 2,3"], "robot": "Robot(x=2, y=3, facing='N', cargo=())"}
