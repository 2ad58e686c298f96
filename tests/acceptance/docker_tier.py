"""A whole server whose docker tier runs on a real engine, and that tier's containers as the engine sees them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from docker import DockerClient
from docker.models.containers import Container

from sandbox.types import Tier
from tests.acceptance.running import RunningServer, User, client_for, reachable_directory, running, settings_for
from tests.support import docker_engine

LEASE_LABEL = "glovebox.lease"


@dataclass(frozen=True)
class DockerTier:
    """The server, a client of its engine, and the digest of the image that it runs."""

    server: RunningServer
    engine: DockerClient
    image_id: str

    def user(self) -> User:
        user_id = uuid4()
        return User(user_id, client_for(self.server, self.server.token_for(user_id)))

    def containers(self) -> list[Container]:
        """Those of this server, whoever else uses the engine."""
        label = f"{LEASE_LABEL}={self.server.services.lease.name}"
        return self.engine.containers.list(filters={"label": label}, ignore_removed=True)


@contextmanager
def docker_tier(**changes: Any) -> Iterator[DockerTier]:
    """A server that offers this tier and the restricted one. Skips, or in CI fails, where there is no engine."""
    with docker_engine.engine() as engine, reachable_directory() as data_dir:
        if runtime := changes.get("docker_runtime"):
            docker_engine.require_runtime(engine, runtime)
        pin = docker_engine.guest_image(engine)
        own = {
            "tiers": (Tier.RESTRICTED, Tier.DOCKER),
            "docker_host": docker_engine.engine_url(),
            "docker_image": docker_engine.TAG,
            "docker_pool_size": 1,
        }
        with running(settings_for(data_dir, **(own | changes))) as server:
            yield DockerTier(server, engine, pin.id)


async def run_code(user: User, code: str, inputs: Mapping[str, Any] | None = None, **contract: Any) -> Any:
    """What one run of this code answers in the docker tier."""
    name = f"agent-{uuid4().hex[:8]}"
    await user.create(name, code, tier="docker", **contract)
    answer = await user.http.post(user.path(name), json=dict(inputs or {}))
    assert answer.status_code == 200, answer.text
    assert answer.headers["Glovebox-Tier"] == "docker"
    return answer.json()
