"""A whole server for the session, and users of it."""

from collections.abc import AsyncIterator, Callable, Iterator
from uuid import uuid4

import httpx
import pytest
from pydantic import AnyHttpUrl, SecretStr

from tests.acceptance.running import RunningServer, User, client_for, reachable_directory, running, settings_for
from tests.support.supabase import Lite

__all__ = ["User"]  # what tests say of the fixtures' types


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    with (
        reachable_directory() as data_dir,
        running(settings_for(data_dir, fetch_private_hosts=("localhost",))) as started,
    ):
        yield started


@pytest.fixture
async def new_user(server: RunningServer) -> AsyncIterator[Callable[[], User]]:
    """Makes users that nobody has seen before."""
    clients: list[httpx.AsyncClient] = []

    def make() -> User:
        user_id = uuid4()
        client = client_for(server, server.token_for(user_id))
        clients.append(client)
        return User(user_id, client)

    yield make
    for client in clients:
        await client.aclose()


@pytest.fixture
def alice(new_user: Callable[[], User]) -> User:
    return new_user()


@pytest.fixture
def bob(new_user: Callable[[], User]) -> User:
    return new_user()


@pytest.fixture
async def anonymous(server: RunningServer) -> AsyncIterator[httpx.AsyncClient]:
    async with client_for(server, None) as client:
        yield client


@pytest.fixture(scope="module")
def supabase_server(lite: Lite) -> Iterator[RunningServer]:
    """A server on a project of Supabase, by its URL and keys alone, without users."""
    lite.renew()
    project = lite.project
    changes = {
        "supabase_url": AnyHttpUrl(project.url),
        "supabase_publishable_key": SecretStr(project.publishable_key),
        "supabase_secret_key": SecretStr(project.secret_key),
        "supabase_jwt_secret": SecretStr(str(project.jwt_secret)),
        "jwt_issuer_required": False,  # this project's tokens name none; a real one's do
    }
    with reachable_directory() as data_dir:
        data_dir.mkdir()
        with running(settings_for(data_dir, files_dir=data_dir / "files", **changes)) as started:
            yield started
