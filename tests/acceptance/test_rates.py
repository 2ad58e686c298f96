"""The dry runs of an hour, counted for all servers of a database; bytes at once; the headers that tell of both."""

import asyncio
import contextlib
from collections.abc import Iterator
from uuid import UUID, uuid4

import httpx
import pytest

from tests.acceptance.running import (
    RunningServer,
    client_for,
    eventually,
    reachable_directory,
    running,
    settings_for,
)

ECHO = "def run(inputs):\n    return inputs"
DRY_RUNS = 6


@pytest.fixture(scope="module")
def two_servers() -> Iterator[tuple[RunningServer, RunningServer]]:
    with reachable_directory() as data_dir:
        settings = settings_for(data_dir, user_dry_runs_per_hour_max=DRY_RUNS, user_body_bytes_max=1024**2)
        with running(settings) as first, running(settings) as second:
            yield first, second


@pytest.fixture
def user_id() -> UUID:
    return uuid4()


async def created(client: httpx.AsyncClient) -> None:
    assert (await client.post("/agents", json={"agent_name": "echo", "code": ECHO})).status_code == 201


async def test_dry_runs_of_all_servers_count_and_live_runs_go_on(
    two_servers: tuple[RunningServer, RunningServer], user_id: UUID
) -> None:
    path = f"/agents/{user_id}/echo"
    token = two_servers[0].token_for(user_id)
    async with client_for(two_servers[0], token) as first, client_for(two_servers[1], token) as second:
        await created(first)
        for number in range(DRY_RUNS):
            client = (first, second)[number % 2]
            answer = await client.get(path, params={"test": "1"})
            assert answer.status_code == 200
            assert answer.headers["RateLimit-Policy"] == f'"dry-runs";q={DRY_RUNS};w=3600'
            limit = answer.headers["RateLimit"]
            assert limit.startswith(f'"dry-runs";r={DRY_RUNS - 1 - number};t=')
            assert 3_500 < int(limit.rpartition("=")[2]) <= 3_600

        for client in (first, second, first):
            refused = await client.post(path, params={"test": "1"}, json={})
            assert (refused.status_code, refused.json()["code"]) == (429, "too_many_dry_runs")
            assert refused.headers["RateLimit-Policy"] == f'"dry-runs";q={DRY_RUNS};w=3600'
            assert refused.headers["RateLimit"] == f'"dry-runs";r=0;t={refused.headers["Retry-After"]}'
            assert 3_500 < int(refused.headers["Retry-After"]) <= 3_600

        live = await second.post(path, json={"a": 1})
        assert (live.status_code, live.json()) == (200, {"a": 1})
        assert "RateLimit" not in live.headers
        runs = (await first.get("/runs")).json()["items"]
        assert sum(run["test"] for run in runs) == DRY_RUNS


async def test_one_users_rate_is_not_anothers(two_servers: tuple[RunningServer, RunningServer], user_id: UUID) -> None:
    server = two_servers[0]
    other_id = uuid4()
    async with (
        client_for(server, server.token_for(user_id)) as user,
        client_for(server, server.token_for(other_id)) as other,
    ):
        for client, owner in ((user, user_id), (other, other_id)):
            await created(client)
            for _ in range(DRY_RUNS):
                assert (await client.get(f"/agents/{owner}/echo?test")).status_code == 200
        assert (await user.get(f"/agents/{user_id}/echo?test")).status_code == 429


async def test_what_never_began_spends_nothing(two_servers: tuple[RunningServer, RunningServer], user_id: UUID) -> None:
    server = two_servers[0]
    path = f"/agents/{user_id}/echo"
    async with client_for(server, server.token_for(user_id)) as user:
        await created(user)
        for _ in range(DRY_RUNS):
            assert (await user.post(path, params={"test": "1"}, content=b"[")).status_code == 422
            assert (await user.get(f"/agents/{user_id}/unknown?test")).status_code == 404

        answer = await user.get(path, params={"test": "1"})

        assert answer.headers["RateLimit"].startswith(f'"dry-runs";r={DRY_RUNS - 1};')


async def test_bytes_of_one_users_bodies_are_bounded_together(
    two_servers: tuple[RunningServer, RunningServer], user_id: UUID
) -> None:
    """A body that does not end holds what came of it; another has no room until it is gone."""
    server = two_servers[0]
    path = f"/agents/{user_id}/echo"
    large = b'{"a":"' + b"x" * (600 * 1024)
    host, port = server.base_url.removeprefix("http://").split(":")
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {server.token_for(user_id)}\r\n"
    async with client_for(server, server.token_for(user_id)) as user, contextlib.AsyncExitStack() as unended:
        await created(user)

        async def refused() -> httpx.Response | None:
            """Each try begins a body of its own: the one that does not end may be the one without room."""
            await unended.aclose()
            _, writer = await asyncio.open_connection(host, int(port))
            unended.callback(writer.close)
            writer.write(f"{head}Content-Length: 1000000\r\n\r\n".encode() + large)
            await writer.drain()
            answer = await user.post(path, content=large + b'"}')
            return answer if answer.status_code == 429 else None

        answer = await eventually(refused)
        assert answer.json()["code"] == "too_many_bytes"
        assert answer.headers["RateLimit-Policy"] == '"bytes-at-once";q=1048576;qu="content-bytes"'
        assert answer.headers["Retry-After"] == "1"

        await unended.aclose()

        async def taken() -> bool:
            return (await user.post(path, content=large + b'"}')).status_code == 200

        await eventually(taken)
