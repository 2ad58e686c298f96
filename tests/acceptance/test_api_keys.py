"""API keys over HTTP: shown once, good until revoked on every server, and unable to do what would outlive them."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from agents_store.types import API_KEYS_LIVE_MAX
from server.auth.api_key import mint_key
from tests.acceptance.running import (
    RunningServer,
    User,
    client_for,
    eventually,
    reachable_directory,
    running,
    settings_for,
)
from tests.acceptance.shell import Shell

HELLO = 'def run(inputs):\n    return {"hello": inputs["name"]}'
REVOKED_EVERYWHERE_S_MAX = 5.0

Json = dict[str, Any]
Open = Callable[[str | None], httpx.AsyncClient]


@pytest.fixture
async def by_key(server: RunningServer) -> AsyncIterator[Open]:
    """Clients that carry a key."""
    clients: list[httpx.AsyncClient] = []

    def open_client(key: str | None) -> httpx.AsyncClient:
        clients.append(client_for(server, key))
        return clients[-1]

    yield open_client
    for client in clients:
        await client.aclose()


async def made(user: User, **asked: Any) -> Json:
    answer = await user.http.post("/api-keys", json=asked)
    assert answer.status_code == 201, answer.text
    created: Json = answer.json()
    return created


async def listed(user: User) -> list[Json]:
    items: list[Json] = (await user.http.get("/api-keys", params={"limit": 100})).json()["items"]
    return items


def without_ids(answer: httpx.Response) -> Json:
    document: Json = answer.json()
    document.pop("instance")
    return document


async def test_key_is_shown_once_and_does_what_its_user_does(alice: User, by_key: Open) -> None:
    await alice.create("hello", HELLO)
    key = await made(alice, name="laptop", expires_in_days=30)
    client = by_key(key["key"])

    assert re.fullmatch(r"gbx_[0-9A-Za-z]{24}_[0-9A-Za-z]{6}", key["key"])
    assert key["key"].startswith(f"gbx_{key['prefix']}")
    assert len(key["prefix"]) == 8

    answer = await client.get(alice.path("hello"), params={"name": "key"})
    assert (answer.status_code, answer.json()) == (200, {"hello": "key"})
    assert (await client.get("/credits")).json() == await alice.balance()
    assert (await client.post("/agents", json={"agent_name": "second", "code": HELLO})).status_code == 201

    page = await client.get("/api-keys")
    (item,) = page.json()["items"]
    assert item == {name: value for name, value in key.items() if name != "key"} | {
        "last_used_at": item["last_used_at"]
    }
    assert key["key"] not in page.text
    assert key["key"][12:27] not in page.text


async def test_key_is_its_own_users_and_nobody_elses(alice: User, bob: User, by_key: Open) -> None:
    await bob.create("hello", HELLO)
    client = by_key((await made(alice))["key"])

    assert (await client.get(bob.path("hello"))).status_code == 403
    assert (await client.get("/agents/hello")).status_code == 404
    assert (await client.get("/agents")).json()["items"] == []


async def test_last_use_is_noted(alice: User, by_key: Open) -> None:
    key = await made(alice)
    assert (await listed(alice))[0]["last_used_at"] is None

    assert (await by_key(key["key"]).get("/credits")).status_code == 200

    async def noted() -> str | None:
        moment: str | None = (await listed(alice))[0]["last_used_at"]
        return moment

    assert await eventually(noted) >= key["created_at"]


async def test_revoked_key_is_one_401_like_every_other(alice: User, by_key: Open, anonymous: httpx.AsyncClient) -> None:
    key = await made(alice)
    client = by_key(key["key"])
    assert (await client.get("/credits")).status_code == 200

    for _ in range(2):
        assert (await alice.http.delete(f"/api-keys/{key['id']}")).status_code == 204

    refused = [
        await client.get("/credits"),
        await anonymous.get("/credits"),
        await by_key(mint_key().text).get("/credits"),
        await by_key("gbx_garbage").get("/credits"),
        await by_key(key["key"][:-1]).get("/credits"),
        await by_key(key["key"].swapcase()).get("/credits"),
    ]
    assert {answer.status_code for answer in refused} == {401}
    assert all(without_ids(answer) == without_ids(refused[0]) for answer in refused)
    (item,) = await listed(alice)
    assert item["revoked_at"] is not None


async def test_key_of_another_looks_like_none(alice: User, bob: User) -> None:
    key = await made(bob)

    refused = [
        await alice.http.delete(f"/api-keys/{api_key_id}")
        for api_key_id in (key["id"], str(uuid4()), "no-id", key["key"])
    ]

    assert {answer.status_code for answer in refused} == {404}
    assert all(without_ids(answer) == without_ids(refused[0]) for answer in refused)
    assert (await listed(bob))[0]["revoked_at"] is None


async def test_key_neither_makes_nor_revokes_keys(alice: User, by_key: Open) -> None:
    key = await made(alice)
    client = by_key(key["key"])

    refused = [
        await client.post("/api-keys", json={"name": "more"}),
        await client.post("/api-keys", content=b"not read at all"),
        await client.delete(f"/api-keys/{key['id']}"),
        await client.delete(f"/api-keys/{uuid4()}"),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(403, "token_required")] * 4
    assert [item["revoked_at"] for item in await listed(alice)] == [None]


async def test_live_keys_are_bounded(alice: User) -> None:
    keys = await asyncio.gather(*(made(alice, name=str(number)) for number in range(API_KEYS_LIVE_MAX)))

    refused = await alice.http.post("/api-keys", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_api_keys")

    await alice.http.delete(f"/api-keys/{keys[0]['id']}")
    await made(alice)


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x" * 101},
        {"name": None},
        {"name": "a\u0000b"},
        {"expires_in_days": 0},
        {"expires_in_days": 3_651},
        {"expires_in_days": "30"},
        {"expires_in_days": 1.5},
        {"expires_in_days": True},
        {"scopes": ["all"]},
        {"key": "gbx_chosen"},
        [],
    ],
)
async def test_what_a_key_cannot_be_is_refused(alice: User, body: object) -> None:
    answer = await alice.http.post("/api-keys", json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert await listed(alice) == []


@pytest.fixture
def two_servers() -> Iterator[tuple[RunningServer, RunningServer]]:
    with (
        reachable_directory() as data_dir,
        running(settings_for(data_dir)) as first,
        running(settings_for(data_dir)) as second,
    ):
        yield first, second


async def test_revocation_reaches_every_server_within_five_seconds(
    two_servers: tuple[RunningServer, RunningServer],
) -> None:
    first, second = two_servers
    async with client_for(first, first.token_for(uuid4())) as user:
        key = (await user.post("/api-keys", json={})).json()
        async with client_for(first, key["key"]) as near, client_for(second, key["key"]) as far:
            for client in (near, far):
                assert (await client.get("/credits")).status_code == 200

            await user.delete(f"/api-keys/{key['id']}")
            revoked_at = time.monotonic()

            assert (await near.get("/credits")).status_code == 401

            async def refused() -> bool:
                return (await far.get("/credits")).status_code == 401

            await eventually(refused)
            assert time.monotonic() - revoked_at < REVOKED_EVERYWHERE_S_MAX


async def test_keys_on_the_command_line(server: RunningServer, alice: User, tmp_path: Path) -> None:
    await alice.create("hello", HELLO)
    by_token = Shell(tmp_path, {"GLOVEBOX_URL": server.base_url, "GLOVEBOX_TOKEN": server.token_for(alice.id)})

    made = await asyncio.to_thread(by_token, "keys", "create", "--name", "laptop", "--expires-in-days", "30")
    assert made.exit_code == 0
    assert re.fullmatch(r"gbx_[0-9A-Za-z]{24}_[0-9A-Za-z]{6}\n", made.out)
    by_key = by_token.with_(GLOVEBOX_TOKEN=made.out.strip())

    listed = (await asyncio.to_thread(by_key, "keys", "list", "--json")).object["items"]
    assert [(key["name"], key["prefix"]) for key in listed] == [("laptop", made.out[4:12])]
    table = await asyncio.to_thread(by_key, "keys", "list")
    assert f"gbx_{made.out[4:12]}" in table.out
    assert made.out.strip() not in table.out
    agents = await asyncio.to_thread(by_key, "agents", "list", "--json")
    assert [agent["agent_name"] for agent in agents.object["items"]] == ["hello"]
    refused = await asyncio.to_thread(by_key, "keys", "create")
    assert (refused.exit_code, "token_required" in refused.err) == (3, True)

    revoked = await asyncio.to_thread(by_token, "keys", "revoke", listed[0]["id"])
    assert revoked.exit_code == 0
    assert (await asyncio.to_thread(by_key, "agents", "list")).exit_code == 3
    assert (await asyncio.to_thread(by_token, "keys", "revoke", "no-id")).exit_code == 4
