"""A server whose agents may fetch from this machine, users of it, and an agent that uses every glove."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import uuid4

from tests.acceptance.running import Json, RunningServer, User, client_for, reachable_directory, running, settings_for

EVERYTHING = """
def run(inputs, ctx):
    token = ctx.secrets.use("TOKEN")
    page = ctx.fetch(inputs["url"] + "/today", headers={"Authorization": "Bearer " + token})
    seen = ctx.memory.get("count", 0)
    ctx.memory.put("count", seen + 1, tags=["number"])
    ctx.memory.put("note", "the cat sat on the mat", importance=0.5)
    found = ctx.memory.search("a kitten", 1)
    answer = ctx.fetch(inputs["url"] + "/orders", method="POST", json={"seen": seen})
    ctx.memory.delete("old")
    ctx.files.write("report.txt", "seen " + str(seen), media_type="text/plain")
    return {
        "page": page.text, "seen": seen, "now": ctx.memory.get("count"), "keys": ctx.memory.list(),
        "found": [hit["key"] for hit in found], "status": answer.status,
    }
"""
MOCKS = [{"glove": "fetch", "match": {"method": "POST"}, "answer": {"status": 201, "json": {"id": 7}}}]


@contextmanager
def glove_server(**changes: Any) -> Iterator[RunningServer]:
    own: dict[str, Any] = {"fetch_private_hosts": ("127.0.0.1",), "tiers": ("monty", "restricted")}
    with reachable_directory() as data_dir, running(settings_for(data_dir, **(own | changes))) as started:
        yield started


@asynccontextmanager
async def user_of(server: RunningServer) -> AsyncIterator[User]:
    user_id = uuid4()
    async with client_for(server, server.token_for(user_id)) as client:
        yield User(user_id, client)


async def dry_run(user: User, agent_name: str, inputs: Json, mocks: Any = ()) -> Json:
    """A dry run's report, with its id."""
    answer = await user.http.post(f"{user.path(agent_name)}/dry-runs", json={"inputs": inputs, "mocks": list(mocks)})
    assert answer.status_code == 200, answer.text
    report: Json = answer.json()
    return {**report, "run_id": answer.headers["glovebox-run-id"]}
