"""What the users of a soak do. Each action is seen to its end, and raises on an answer that it must not get."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from tests.acceptance.following import STREAM, Event, events_of
from tests.acceptance.processes import Caller
from tests.soak.agents import ABUSES, contracts, examples
from tests.soak.notes import Notes, UnexpectedError, expect

LINES = 8
FOLLOWED_S_MAX = 60.0
LOOKED_AT = ("/runs", "/agents", "/credits", "/credits/entries", "/agents/keeper", "/agents/keeper/memory")
BODY = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Member:
    """A user of a soak, with a kept-alive client and an agent of every kind."""

    caller: Caller
    http: httpx.AsyncClient
    docker: bool

    async def settle_in(self) -> None:
        """Make every agent."""
        for name, contract in contracts(docker=self.docker).items():
            made = await self.http.post("/agents", json={"agent_name": name, **contract})
            assert made.status_code == 201, made.text

    def post(self, agent_name: str, inputs: Mapping[str, Any], **more: Any) -> Awaitable[httpx.Response]:
        return self.http.post(self.caller.path(agent_name), json=dict(inputs), **more)


Action = Callable[[Member, random.Random, Notes], Awaitable[None]]


def hello(tier: str) -> Action:
    """One whole invocation of the smallest agent: what latencies are taken from."""

    async def call(member: Member, chance: random.Random, notes: Notes) -> None:
        name = f"n{chance.randrange(10**6)}"
        answer = await member.http.get(member.caller.path(f"hello-{tier}"), params={"name": name})
        expect(notes, answer, 200, {"hello": name})

    return call


def example(*, docker: bool) -> Action:
    """An agent that does real work, on one of its own examples."""
    files = {name: files["examples"] for name, files in examples(docker=True).items()}
    slow = {name for name in files if name not in examples(docker=False)}
    cases = [(name, case) for name, found in files.items() if (name in slow) is docker for case in found]

    async def call(member: Member, chance: random.Random, notes: Notes) -> None:
        name, case = chance.choice(cases)
        expect(notes, await member.post(name, case["inputs"]), 200, case["expect"])

    return call


async def dry_run(member: Member, chance: random.Random, notes: Notes) -> None:
    """Lists what it would remember, and remembers nothing."""
    key = f"dry/{uuid4()}"
    answer = await member.post("keeper", {"key": key, "value": 1}, params={"test": "true"})
    told = expect(notes, answer, 200)
    if told["result"] != 1 or not any(effect["status"] == "withheld" for effect in told["effects"]):
        raise UnexpectedError(answer, f"a dry run that is none: {answer.text[:300]}")
    expect(notes, await member.http.get(f"/agents/keeper/memory/{key}"), 404)


async def keyed(member: Member, chance: random.Random, notes: Notes) -> None:
    """The same request twice with one key: one run, one answer."""
    headers, name = {"Idempotency-Key": str(uuid4())}, f"n{chance.randrange(10**6)}"
    first = await member.post("hello-restricted", {"name": name}, headers=headers)
    expect(notes, first, 200, {"hello": name})
    again = await member.post("hello-restricted", {"name": name}, headers=headers)
    expect(notes, again, 200, {"hello": name})
    if first.headers["glovebox-run-id"] != again.headers["glovebox-run-id"]:
        raise UnexpectedError(None, "one key, two runs")


async def remember(member: Member, chance: random.Random, notes: Notes) -> None:
    key, value = f"k{chance.randrange(500)}", {"n": chance.random(), "text": "é" * chance.randrange(200)}
    expect(notes, await member.post("keeper", {"key": key, "value": value}), 200)


async def leave_file(member: Member, chance: random.Random, notes: Notes) -> None:
    text = "x" * chance.randrange(1, 20_000)
    answer = await member.post("writer", {"text": text})
    expect(notes, answer, 200, len(text))
    file = await member.http.get(f"/runs/{answer.headers['glovebox-run-id']}/files/note.txt")
    if file.status_code != 200 or file.text != text:
        raise UnexpectedError(file, f"{file.status_code}: not the file that was left")


async def call_agents(member: Member, chance: random.Random, notes: Notes) -> None:
    names = [f"n{number}" for number in range(chance.randrange(1, 4))]
    expect(notes, await member.post("caller", {"names": names}), 200, names)


async def follow(member: Member, chance: random.Random, notes: Notes) -> None:
    """Begin without waiting, follow over a connection that is cut once, and be told every line once, in order."""
    begun = await member.post("lines", {"lines": LINES}, headers={"Prefer": "respond-async"})
    run_id = expect(notes, begun, 202)["id"]
    events: list[Event] = []
    cut_s = chance.uniform(0.02, 0.3)
    async with asyncio.timeout(FOLLOWED_S_MAX):
        while not events or events[-1].name != "done":
            with suppress(TimeoutError):
                async with asyncio.timeout(cut_s):
                    await _hear(member, run_id, events)
            cut_s = FOLLOWED_S_MAX
    lines = [event.data["message"] for event in events if event.name == "log"]
    if lines != [f"line {number}" for number in range(LINES)] or events[-1].data["outcome"] != "succeeded":
        raise UnexpectedError(None, f"followed {lines}, {events[-1].data}")
    notes.outcomes[run_id] = events[-1].data["outcome"]


async def _hear(member: Member, run_id: str, events: list[Event]) -> None:
    """One connection: events are added as they come, but for those that say why it ends early."""
    heard = [event.id for event in events if event.id is not None]
    headers = STREAM | ({"Last-Event-ID": heard[-1]} if heard else {})
    async with member.http.stream("GET", f"/runs/{run_id}/logs", headers=headers) as response:
        if response.status_code == 503:
            await asyncio.sleep(0.5)  # as long as a polite client waits, on a machine of its own
            return
        if response.status_code != 200:
            await response.aread()
            raise UnexpectedError(response, f"{response.status_code}: {response.text[:300]}")
        async for event in events_of(response):
            if event.name in ("log", "done"):
                events.append(event)  # noqa: PERF401 - kept as they come: the connection may be cut at any of them


async def leave_early(member: Member, chance: random.Random, notes: Notes) -> None:
    """Hang up in the middle of a run, which goes on and is paid for."""
    with suppress(TimeoutError):
        async with asyncio.timeout(chance.uniform(0.001, 0.08)):
            notes.saw(await member.post("nap", {"seconds": 0.05}))


async def abuse(member: Member, chance: random.Random, notes: Notes) -> None:
    name = chance.choice([name for name, found in ABUSES.items() if member.docker or not found.needs_docker])
    answer = await member.post(name, {})
    told = expect(notes, answer, ABUSES[name].status)
    if told["code"] != ABUSES[name].outcome:
        raise UnexpectedError(answer, f"{name}: {told['code']}")


async def be_refused(member: Member, chance: random.Random, notes: Notes) -> None:
    """Requests that nobody should send."""
    path, http = member.caller.path("hello-monty"), member.http
    asks: list[tuple[int, Callable[[], Awaitable[httpx.Response]]]] = [
        (422, lambda: http.post(path, content=b"[" * 5_000, headers=BODY)),
        (422, lambda: http.post(path, content=json.dumps([1]), headers=BODY)),
        (422, lambda: http.get(path, params={"test": "perhaps"})),
        (413, lambda: http.post(path, content=b" " * (2 * 1024**2), headers=BODY)),
        (404, lambda: http.get(member.caller.path("nobody"))),
        (403, lambda: http.get(Caller.new().path("hello-monty"))),
        (401, lambda: http.get(path, headers={"Authorization": "Bearer x.y.z"})),
        (422, lambda: http.post("/agents", json={"agent_name": "wrong", "code": "def run(:"})),
    ]
    status, ask = chance.choice(asks)
    expect(notes, await ask(), status)


async def look_around(member: Member, chance: random.Random, notes: Notes) -> None:
    path = chance.choice(
        ["/runs", "/agents", "/credits", "/credits/entries", "/agents/keeper", "/agents/keeper/memory"]
    )
    expect(notes, await member.http.get(path), 200)


async def come_and_go(member: Member, chance: random.Random, notes: Notes) -> None:
    """An agent is made, edited, run and deleted."""
    name, code = f"a{uuid4().hex[:12]}", "def run(inputs):\n    return {}\n"
    expect(notes, await member.http.post("/agents", json={"agent_name": name, "code": code.format(1)}), 201)
    edited = await member.http.patch(f"/agents/{name}", json={"code": code.format(2)}, headers={"If-Match": "*"})
    expect(notes, edited, 200)
    expect(notes, await member.post(name, {}), 200, 2)
    expect(notes, await member.http.delete(f"/agents/{name}"), 204)


# How often out of 1,000 each is done; what is abuse is one in twenty.
_EVERYWHERE: Mapping[str, tuple[int, Action]] = {
    "monty": (300, hello("monty")),
    "restricted": (220, hello("restricted")),
    "example": (120, example(docker=False)),
    "dry run": (50, dry_run),
    "idempotency key": (40, keyed),
    "memory": (40, remember),
    "file": (20, leave_file),
    "call between agents": (25, call_agents),
    "followed": (15, follow),
    "hung up": (15, leave_early),
    "abuse": (35, abuse),
    "refused": (15, be_refused),
    "lists": (40, look_around),
    "agent made and deleted": (5, come_and_go),
}
_DOCKER: Mapping[str, tuple[int, Action]] = {
    "docker": (80, hello("docker")),
    "docker example": (15, example(docker=True)),
}
TIMED = ("monty", "restricted", "docker")  # whose latencies are told: one plain invocation each


def mix(*, docker: bool) -> Mapping[str, tuple[int, Action]]:
    """What is done, and how often."""
    return {**_EVERYWHERE, **(_DOCKER if docker else {})}
