"""What the users of a soak have: agents of every tier that work, call each other, remember, leave files, or hurt."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.cli.manifest import read_agent

Json = dict[str, Any]

WALL_MS_MAX = 60_000
_EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
_HELLO = 'def run(inputs):\n    return {"hello": inputs["name"]}\n'
_LINES = """
import time
def run(inputs):
    for number in range(inputs["lines"]):
        print("line", number)
        time.sleep(0.02)
    return "done"
"""
_KEEPER = """
def run(inputs, ctx):
    ctx.memory.put(inputs["key"], inputs["value"])
    return ctx.memory.get(inputs["key"])
"""
_WRITER = """
def run(inputs, ctx):
    ctx.files.write("note.txt", inputs["text"])
    return len(inputs["text"])
"""
_CALLER = """
def run(inputs, ctx):
    return [ctx.call("hello-monty", {"name": name})["hello"] for name in inputs["names"]]
"""
_NAP = "import time\ndef run(inputs):\n    time.sleep(inputs['seconds'])\n    return 1\n"


@dataclass(frozen=True)
class Abuse:
    """A program that hurts, and how the host must end it."""

    code: str
    tier: str
    status: int
    outcome: str
    limits: dict[str, int] = field(default_factory=dict)

    @property
    def needs_docker(self) -> bool:
        return self.tier == "docker"


_SPIN = "def run():\n    while True:\n        pass\n"
_HOG = "def run():\n    kept = []\n    while True:\n        kept.append('x' * 10 ** 6 + str(len(kept)))\n"
_FLOOD = "def run():\n    while True:\n        print('x' * 1000)\n"
ABUSES = {
    "spin-monty": Abuse(_SPIN, "monty", 504, "timed_out", {"wall_ms_max": 150}),
    "spin-restricted": Abuse(_SPIN, "restricted", 504, "timed_out", {"cpu_ms_max": 100}),
    "spin-docker": Abuse(_SPIN, "docker", 504, "timed_out", {"cpu_ms_max": 100}),
    "hog-restricted": Abuse(_HOG, "restricted", 502, "out_of_memory", {"memory_bytes_max": 48 * 1024**2}),
    "hog-docker": Abuse(_HOG, "docker", 502, "out_of_memory", {"memory_bytes_max": 48 * 1024**2}),
    "flood-restricted": Abuse(_FLOOD, "restricted", 502, "too_much_output", {"output_bytes_max": 65_536}),
    "flood-monty": Abuse(_FLOOD, "monty", 502, "too_much_output", {"output_bytes_max": 65_536}),
    "exit": Abuse("def run():\n    raise SystemExit(3)\n", "restricted", 502, "failed"),
    "recursion": Abuse("def run():\n    return run()\n", "restricted", 502, "failed"),
    "no-json": Abuse("def run():\n    return float('nan')\n", "restricted", 502, "bad_result"),
    "forks": Abuse(
        "import os, time\ndef run():\n    while True:\n        os.fork() or time.sleep(60)\n",
        "docker", 502, "too_many_processes", {"processes_max": 8},
    ),
}  # fmt: skip


def examples(*, docker: bool) -> dict[str, Json]:
    """The example agents as files, by name."""
    found = {path.parent.name: read_agent(path) for path in sorted(_EXAMPLES.glob("*/agent.py"))}
    return {name: files for name, files in found.items() if docker or files.get("tier") != "docker"}


def contracts(*, docker: bool) -> dict[str, Json]:
    """Every agent that a user of a soak has: what `POST /agents` takes, by name."""
    restricted = {"tier": "restricted"}
    own: dict[str, Json] = {
        "hello-monty": {"code": _HELLO, "tier": "monty"},
        "hello-restricted": {"code": _HELLO, **restricted},
        "lines": {"code": _LINES, **restricted},
        "keeper": {"code": _KEEPER, **restricted},
        "writer": {"code": _WRITER, **restricted},
        "caller": {"code": _CALLER, **restricted},
        "nap": {"code": _NAP, **restricted},
    }
    if docker:
        own["hello-docker"] = {"code": _HELLO, "tier": "docker"}
    own = {name: _patient(contract) for name, contract in own.items()}
    for name, abuse in ABUSES.items():
        if docker or not abuse.needs_docker:
            own[name] = {"code": abuse.code, "tier": abuse.tier, "limits": abuse.limits}
    return own | {name: _patient(files) for name, files in examples(docker=docker).items()}


def _patient(contract: Json) -> Json:
    """With the time that a machine needs where everything goes on at once."""
    return contract | {"limits": {"wall_ms_max": WALL_MS_MAX, **contract.get("limits", {})}}
