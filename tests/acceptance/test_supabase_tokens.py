"""Tokens of a project, whatever signs them, and keys that are rotated while requests come in."""

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import httpx
import pytest
from pydantic import AnyHttpUrl, SecretStr

from server.auth.testing import SECRET, StubProject
from tests.acceptance.running import RunningServer, client_for, reachable_directory, running, settings_for
from tests.support.database import Cluster, Database, database_from
from tests.support.http_server import Served, answering, http_server

CALLERS = 6
CALLS_EACH = 40  # before, between and after rotations
_serial = itertools.count()


@pytest.fixture
def database(cluster: Cluster, template: str) -> Iterator[Database]:
    with database_from(cluster, template) as made:
        yield made


@asynccontextmanager
async def project_and_server(database: Database) -> AsyncIterator[tuple[StubProject, Served, RunningServer]]:
    """A project that publishes its keys, and a server that trusts it."""
    async with http_server(answering(b"{}")) as published:
        url = published.url("")
        project = StubProject(f"{url.rstrip('/')}/auth/v1")
        publish(published, project)
        with reachable_directory() as data_dir:
            settings = settings_for(
                data_dir,
                database_url=SecretStr(database.login_url),
                supabase_url=AnyHttpUrl(url),
                supabase_jwt_secret=SecretStr(SECRET),
                files_dir=data_dir / "files",
            )
            data_dir.mkdir()
            # Started and stopped in a thread, so that the keys can be fetched meanwhile.
            manager = running(settings)
            started = await asyncio.to_thread(manager.__enter__)
            try:
                yield project, published, started
            finally:
                await asyncio.to_thread(manager.__exit__, None, None, None)


def publish(published: Served, project: StubProject) -> None:
    published.answer = answering(json.dumps(project.key_document()).encode())


def token_of(project: StubProject, kid: str | None, user_id: UUID) -> str:
    """A token that no server has seen yet."""
    return project.token(kid, sub=str(user_id), jti=str(next(_serial)))


async def test_users_come_with_es256_rs256_and_hs256_tokens(database: Database) -> None:
    async with project_and_server(database) as (project, published, server):
        for kid in ("ec-key", "rsa-key", None):
            user_id = uuid4()
            async with client_for(server, token_of(project, kid, user_id)) as client:
                made = await client.post("/agents", json={"agent_name": "hello", "code": "def run():\n    return 1"})
                assert made.json()["user_id"] == str(user_id)
        assert len(published.requests) == 1


async def test_keys_are_rotated_under_load_without_a_failed_request(database: Database) -> None:
    statuses: Counter[int] = Counter()

    async def call(client: httpx.AsyncClient, project: StubProject, kids: list[str | None]) -> None:
        user_id = uuid4()
        for number in range(CALLS_EACH):
            token = token_of(project, kids[number % len(kids)], user_id)
            answer = await client.get("/credits", headers={"Authorization": f"Bearer {token}"})
            statuses[answer.status_code] += 1

    async with project_and_server(database) as (project, published, server), client_for(server, None) as client:
        await asyncio.gather(*(call(client, project, ["ec-key", "rsa-key", None]) for _ in range(CALLERS)))
        rotated = StubProject(project.issuer)
        project.signing_keys["next-key"] = rotated.signing_keys["ec-key"]
        publish(published, project)
        # Some callers hold tokens of the old key, others have new ones.
        await asyncio.gather(*(call(client, project, ["ec-key", "next-key"]) for _ in range(CALLERS)))
        del project.signing_keys["ec-key"]
        publish(published, project)
        await asyncio.gather(*(call(client, project, ["next-key", None]) for _ in range(CALLERS)))

    assert statuses == {200: 3 * CALLERS * CALLS_EACH}
    assert len(published.requests) == 2
