"""A whole server on a loopback port: embedded database, local issuer, restricted tier, real HTTP."""

import asyncio
import socket
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import httpx
import uvicorn
from fastapi import FastAPI

from sandbox.types import Tier
from server.app import create_app
from server.auth.issuer import LocalIssuer
from server.services import Services
from server.settings import Settings

START_S_MAX = 60
STOP_S_MAX = 60
EVENTUALLY_S_MAX = 30

T = TypeVar("T")

Json = dict[str, Any]


async def eventually(look: Callable[[], Awaitable[T | None]]) -> T:
    """What `look` gives once it is true; fails after `EVENTUALLY_S_MAX`."""
    async with asyncio.timeout(EVENTUALLY_S_MAX):
        while not (seen := await look()):  # noqa: ASYNC110 - what is looked at is another process's or thread's
            await asyncio.sleep(0.02)
        return seen


@dataclass
class RunningServer:
    """One server process's worth of application, in a thread of its own."""

    base_url: str
    settings: Settings
    app: FastAPI
    uvicorn: uvicorn.Server
    failure: list[BaseException] = field(default_factory=list)

    def token_for(self, user_id: UUID, ttl_s: int = 3600) -> str:
        return LocalIssuer.load(self.settings.data_dir).mint(user_id, ttl_s)

    def stop(self) -> None:
        """Do what SIGTERM does."""
        self.uvicorn.should_exit = True

    @property
    def services(self) -> Services:
        services: Services = self.app.state.services
        return services


@dataclass
class User:
    """A user with a client that carries their token."""

    id: UUID
    http: httpx.AsyncClient

    async def create(self, agent_name: str, code: str, **contract: Any) -> Json:
        answer = await self.http.post("/agents", json={"agent_name": agent_name, "code": code, **contract})
        assert answer.status_code == 201, answer.text
        created: Json = answer.json()
        return created

    def path(self, agent_name: str) -> str:
        return f"/agents/{self.id}/{agent_name}"

    async def balance(self) -> Json:
        balance: Json = (await self.http.get("/credits")).json()
        return balance

    async def finished(self, run_id: str) -> Json:
        """The run once it is finished."""

        async def finished_run() -> Json | None:
            run: Json = (await self.http.get(f"/runs/{run_id}")).json()
            return run if run["finished_at"] is not None else None

        return await eventually(finished_run)

    async def runs(self) -> list[Json]:
        items: list[Json] = (await self.http.get("/runs", params={"limit": 100})).json()["items"]
        return items


class StoppingServer(uvicorn.Server):
    """Tells the application that it stops as soon as it is told to, as `glovebox serve` does."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        app: Any = self.config.app
        app.state.services.stop_admitting()
        await super().shutdown(sockets)


@contextmanager
def running(settings: Settings) -> Iterator[RunningServer]:
    # With its protocol named: asyncio turns off Nagle's algorithm only on sockets that say they are TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    host, port = listener.getsockname()
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        lifespan="off",
        timeout_keep_alive=120,
        timeout_graceful_shutdown=60,
    )
    server = RunningServer(f"http://{host}:{port}", settings, app, StoppingServer(config))
    up = threading.Event()

    async def serve() -> None:
        async with app.router.lifespan_context(app):
            up.set()
            await server.uvicorn.serve(sockets=[listener])

    def main() -> None:
        try:
            asyncio.run(serve())
        except BaseException as exc:  # noqa: BLE001 - handed to the test that waits for it
            server.failure.append(exc)
        finally:
            up.set()

    thread = threading.Thread(target=main, name="server")
    thread.start()
    assert up.wait(START_S_MAX)
    try:
        if server.failure:
            raise server.failure[0]
        yield server
    finally:
        server.uvicorn.should_exit = True
        thread.join(STOP_S_MAX)
        listener.close()
    assert not thread.is_alive()
    assert not server.failure


def settings_for(data_dir: Path, **changes: Any) -> Settings:
    own: dict[str, Any] = {
        "database_url": None,
        "supabase_url": None,
        "supabase_jwt_secret": None,
        "anthropic_api_key": None,
        # Containers only where a test asks for them: tests/acceptance/docker_tier.py.
        "tiers": (Tier.MONTY, Tier.RESTRICTED),
    }
    return Settings(_env_file=None, data_dir=data_dir, **(own | {"shutdown_grace_s": 5} | changes))


@contextmanager
def open_directory() -> Iterator[Path]:
    """An empty directory that the database's own user can get through; pytest's are closed, which matters as root."""
    with tempfile.TemporaryDirectory(prefix="glovebox-") as made:
        parent = Path(made)
        parent.chmod(0o711)
        yield parent


@contextmanager
def reachable_directory() -> Iterator[Path]:
    """A data directory that does not exist yet, where it can be made."""
    with open_directory() as parent:
        yield parent / "data"


def client_for(server: RunningServer, token: str | None) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=server.base_url,
        headers={} if token is None else {"Authorization": f"Bearer {token}"},
        timeout=60,
        trust_env=False,
        verify=False,  # noqa: S501 - there is no TLS here, and loading certificates takes most of making a client
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
    )
