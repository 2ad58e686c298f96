"""Everybody who may stand before a route, and one of everything that a route's path can name."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import httpx
from jose import jwt

from server.auth.claims import AUDIENCE
from server.auth.clock import Clock
from server.auth.issuer import ALGORITHM, LOCAL_ISSUER, LocalIssuer
from tests.acceptance.running import RunningServer, User, client_for

Json = dict[str, Any]

ECHO = "def run(inputs):\n    return inputs"
LEAVES_A_FILE = "def run(inputs, ctx):\n    ctx.files.write({!r}, 'text')\n    return inputs"
ACTORS = ("owner", "key", "other", "anonymous", "expired", "wrong role", "revoked key")
PROVEN = ACTORS[:3]
KINDS = ("own", "foreign", "unknown", "malformed")

_numbers = count(1)


@dataclass(frozen=True)
class Things:
    """What one user has: ids for every name that a path may have, and the validator of the agent."""

    ids: Mapping[str, str]
    etag: str

    def named(self, **changes: str) -> dict[str, str]:
        return {**self.ids, **changes}


async def things_of(user: User) -> Things:
    """Make one of everything. No two users' things have the same ids."""
    number = next(_numbers)
    agent_name, name, key_of_memory = f"agent-{number}", f"thing_{number}", f"key/{number}"
    await user.create(agent_name, LEAVES_A_FILE.format(name), examples=[{"inputs": {}, "expect": {}}])
    remembered = await user.http.put(f"/agents/{agent_name}/memory/{key_of_memory}", json={"value": 1})
    secret = await user.http.put(
        f"/agents/{agent_name}/secrets/{name}", json={"value": "v-of-8-or-more", "hosts": ["a.example"]}
    )
    assert (remembered.status_code, secret.status_code) == (200, 200)
    run = await user.http.post(user.path(agent_name), json={})
    key = await user.http.post("/api-keys", json={})
    assert (run.status_code, key.status_code) == (200, 201)
    shown = await user.http.get(f"/agents/{agent_name}")
    ids = {
        "user_id": str(user.id),
        "agent_name": agent_name,
        "run_id": run.headers["Glovebox-Run-Id"],
        "api_key_id": key.json()["id"],
        "version": "1",
        "name": name,  # of the run's file, and of the agent's secret
        "key": key_of_memory,
        "generation_id": str(uuid4()),  # nobody's: there is no model here
    }
    return Things(ids, shown.headers.get("ETag", ""))


@dataclass
class Cast:
    """Alice, who owns what is named, Bob, who is the other user, and everybody who is neither."""

    server: RunningServer
    alice: User
    bob: User
    alices: Things
    bobs: Things
    clients: Mapping[str, httpx.AsyncClient]

    def ids(self, kind: str) -> dict[str, str]:
        """What a path names, as Alice sees it."""
        if kind == "own":
            return self.alices.named()
        if kind == "foreign":
            return self.bobs.named()
        if kind == "unknown":
            some = str(uuid4())
            return self.alices.named(
                user_id=some,
                run_id=some,
                api_key_id=some,
                agent_name="nobodys",
                version="77",
                name="nothing",
                key="nothing",
            )
        return dict.fromkeys(self.alices.ids, "Not%20an%20id%21")


@asynccontextmanager
async def cast_on(server: RunningServer) -> AsyncIterator[Cast]:
    """New users each time, who have nothing but what is made here."""
    async with AsyncExitStack() as stack:
        yield await _cast(server, stack)


async def _cast(server: RunningServer, stack: AsyncExitStack) -> Cast:
    async def client(credential: str | None) -> httpx.AsyncClient:
        return await stack.enter_async_context(client_for(server, credential))

    alice_id, bob_id = uuid4(), uuid4()
    alice = User(alice_id, await client(server.token_for(alice_id)))
    bob = User(bob_id, await client(server.token_for(bob_id)))
    good, revoked = [(await alice.http.post("/api-keys", json={})).json() for _ in range(2)]
    assert (await alice.http.delete(f"/api-keys/{revoked['id']}")).status_code == 204
    clients = {
        "owner": alice.http,
        "key": await client(good["key"]),
        "other": bob.http,
        "anonymous": await client(None),
        "expired": await client(_expired(server, alice_id)),
        "wrong role": await client(_of_role(server, alice_id, "service_role")),
        "revoked key": await client(revoked["key"]),
    }
    assert tuple(clients) == ACTORS
    return Cast(server, alice, bob, await things_of(alice), await things_of(bob), clients)


def _expired(server: RunningServer, user_id: UUID) -> str:
    an_hour_ago = Clock(wall=lambda: time.time() - 3600)
    return LocalIssuer.load(server.settings.data_dir, an_hour_ago).mint(user_id, 60)


def _of_role(server: RunningServer, user_id: UUID, role: str) -> str:
    """A token that the issuer itself signed, for a role that is no user's."""
    issuer = LocalIssuer.load(server.settings.data_dir)
    now_s = int(time.time())
    claims = {"iss": LOCAL_ISSUER, "sub": str(user_id), "aud": AUDIENCE, "role": role, "exp": now_s + 600}
    return jwt.encode(claims, issuer._signing_key, algorithm=ALGORITHM, headers={"kid": issuer.kid})
