"""The image is pinned by digest: one that is gone or another is refused, and nothing is ever pulled."""

import io
import time
from collections.abc import Iterator

import pytest
from docker import DockerClient

from sandbox.docker.images import GUEST_LABEL
from sandbox.types import Tier
from tests.acceptance.docker_tier import DockerTier, docker_tier, run_code
from tests.support import docker_engine

HELLO = 'def run(inputs):\n    return "hello"\n'
NAME = "glovebox-guest:test-pin"


@pytest.fixture
def engine() -> Iterator[DockerClient]:
    """The engine, which must not have been asked to pull anything by the end of the test."""
    with docker_engine.engine() as client:
        docker_engine.guest_image(client)
        since = int(time.time())
        yield client
        pulled = {"type": "image", "event": "pull"}
        assert list(client.events(since=since, until=int(time.time()) + 1, filters=pulled)) == []


@pytest.fixture
def other(engine: DockerClient) -> Iterator[str]:
    """The digest of an image with this release's guest which is not the usual one; `NAME` means it."""
    dockerfile = f"FROM {docker_engine.TAG}\nLABEL test.pin=other\n"
    image, _ = engine.images.build(fileobj=io.BytesIO(dockerfile.encode()), tag=NAME, rm=True)
    yield str(image.id)
    engine.images.remove(NAME, force=True)


async def assert_refused(tier: DockerTier, reason: str) -> None:
    """Docker's calls are refused with what to do, the other tier goes on."""
    user = tier.user()
    refused = await user.http.post("/agents", json={"agent_name": "of-docker", "code": HELLO, "tier": "docker"})
    await user.create("of-restricted", HELLO, tier="restricted")
    answered = await user.http.post(user.path("of-restricted"), json={})
    ready = await user.http.get("/health/ready")
    await user.http.aclose()

    assert (refused.status_code, refused.json()["code"]) == (503, "tier_unavailable")
    assert int(refused.headers["Retry-After"]) > 0
    assert (answered.status_code, answered.json()) == (200, "hello")
    assert ready.status_code == 200
    (missing,) = tier.server.services.tiers.missing(Tier.DOCKER)
    assert reason in missing
    assert "glovebox image build" in missing


async def test_a_digest_that_the_engine_has_not_is_refused(engine: DockerClient) -> None:
    with docker_tier(docker_image="sha256:" + "0" * 64) as tier:
        await assert_refused(tier, "the engine has no image")


async def test_an_image_that_was_removed_is_refused(engine: DockerClient, other: str) -> None:
    engine.images.remove(NAME)

    with docker_tier(docker_image=other) as tier:
        await assert_refused(tier, "the engine has no image")
    engine.images.get(docker_engine.TAG).tag(NAME)


async def test_a_name_that_means_another_guest_now_is_refused(engine: DockerClient) -> None:
    dockerfile = f"FROM {docker_engine.TAG}\nLABEL {GUEST_LABEL}=older\n"
    engine.images.build(fileobj=io.BytesIO(dockerfile.encode()), tag=NAME, rm=True)

    with docker_tier(docker_image=NAME) as tier:
        await assert_refused(tier, "has guest older")
    engine.images.remove(NAME, force=True)


async def test_a_digest_goes_on_meaning_what_it_meant_when_its_name_moves(engine: DockerClient, other: str) -> None:
    with docker_tier(docker_image=NAME) as tier:
        engine.images.get(docker_engine.TAG).tag(NAME)
        users = [tier.user() for _ in range(3)]
        for user in users:  # each needs a container of its own, made after the name moved
            assert await run_code(user, HELLO) == "hello"
            await user.http.aclose()
        images = {container.attrs["Image"] for container in tier.containers()}

    assert images == {other}
