"""A whole server for the session, and users of it."""

from collections.abc import AsyncIterator, Callable, Iterator
from uuid import uuid4

import httpx
import pytest

from tests.acceptance.running import RunningServer, User, client_for, reachable_directory, running, settings_for

__all__ = ["User"]  # what tests say of the fixtures' types


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    with reachable_directory() as data_dir, running(settings_for(data_dir)) as started:
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
