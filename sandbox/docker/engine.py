"""The Docker engine, asked in threads of its own, each call with a deadline, its errors translated."""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import structlog
from docker import DockerClient
from docker.errors import APIError, DockerException, NotFound
from requests.exceptions import RequestException

from sandbox.docker.engine_facts import USUAL_URL, missing_pieces
from sandbox.docker.images import ImagePin, find_image
from sandbox.docker.spec import LEASE_LABEL, Runtime
from sandbox.errors import TierUnavailableError
from sandbox.types import Tier

CALL_S_MAX = 20
SETTLE_S_MAX = 3.0
_THREADS = 6
# What `GET /info` says of the kernel's limits: without these no container, and without those a weaker wall.
_NEEDED = {"MemoryLimit": "memory", "PidsLimit": "processes"}
_WISHED = {"SwapLimit": "memory without swap", "CpuCfsQuota": "CPU quota"}
_ATTACH = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}

Answer = TypeVar("Answer")

log = structlog.get_logger(__name__)


class EngineError(Exception):
    """The engine does not answer, or refused; the message says what to do, for an operator."""


class Attachment:
    """A container's standard streams as the engine passes them on: a socket that is the caller's to close."""

    def __init__(self, held: Any) -> None:
        self._held = held  # the engine's answer to the request owns the socket
        self.socket: socket.socket = held._sock
        self.socket.setblocking(False)

    def close(self) -> None:
        """Hang up. Idempotent."""
        self._held._response.close()
        self._held.close()
        self.socket.close()


class Engine:
    """One engine. `connect` comes first.

    Args:
        url: where it answers, as DOCKER_HOST has it; None for the usual socket.
    """

    def __init__(self, url: str | None) -> None:
        self.url = url or USUAL_URL
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="docker-engine")
        self._client: DockerClient | None = None
        self._asked: set[asyncio.Future[Any]] = set()

    @property
    def client(self) -> DockerClient:
        """The connected client, for use within `call`."""
        assert self._client is not None, "connect() comes first"  # noqa: S101 - a defect of ours
        return self._client

    async def connect(
        self, image: str, runtime: str | None, cgroup_parent: str | None = None
    ) -> tuple[ImagePin, Runtime]:
        """Reach the engine, pin the image and look the runtime up; None is the engine's default.

        Raises EngineError; TierUnavailableError for an image that cannot be used or a runtime that the engine has not.
        """
        client = await self.call(self._reach, undo=DockerClient.close)
        try:
            pin = await self.call(find_image, client, image)
            found = await self.call(_find_runtime, client, runtime, cgroup_parent)
        except BaseException:
            client.close()
            raise
        self.hang_up()
        self._client = client
        return pin, found

    async def probe(self, image: str) -> None:
        """Make sure that engine and image are still there. Raises EngineError, ImageUnfitError."""
        await self.call(self.client.ping)
        await self.call(find_image, self.client, image)

    def hang_up(self) -> None:
        """Let go of the connection. Idempotent."""
        if self._client is not None:
            self._client.close()

    async def settle(self) -> None:
        """Wait until everything that was asked is done, and undone where nobody waits for its answer any more."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_S_MAX):
                while self._asked:
                    await asyncio.wait(set(self._asked))

    def close(self) -> None:
        """Let go of connection and threads. Idempotent."""
        self.hang_up()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def call(
        self, ask: Callable[..., Answer], *args: Any, undo: Callable[[Answer], object] | None = None
    ) -> Answer:
        """Ask in a thread. Raises EngineError.

        Args:
            ask: what a thread calls.
            *args: what with.
            undo: gets, in a thread too, an answer that comes when the call was cancelled or has taken too long.
        """
        asked = self._begin(ask, *args)
        try:
            async with asyncio.timeout(CALL_S_MAX):
                return await asyncio.shield(asked)
        except (TimeoutError, asyncio.CancelledError) as error:
            if undo is not None:
                asked.add_done_callback(partial(self._undo, undo))
            if isinstance(error, TimeoutError):
                raise EngineError(f"the Docker engine at {self.url} is slow to answer") from error
            raise
        except APIError as error:
            raise EngineError(f"the Docker engine refused: {error.explanation or error}") from error
        except (DockerException, RequestException, OSError) as error:
            raise EngineError(f"no Docker engine answers at {self.url}: start it or set DOCKER_HOST") from error

    def _begin(self, ask: Callable[..., Answer], *args: Any) -> asyncio.Future[Answer]:
        asked = asyncio.get_running_loop().run_in_executor(self._threads, self._ask, ask, *args)
        self._asked.add(asked)
        asked.add_done_callback(self._asked.discard)
        return asked

    def _undo(self, undo: Callable[[Answer], object], asked: asyncio.Future[Answer]) -> None:
        if asked.cancelled() or asked.exception() is not None:
            return
        try:
            self._begin(undo, asked.result()).add_done_callback(_log_failure)
        except RuntimeError as error:  # closed since
            log.warning("docker.answer_not_undone", error=str(error))

    def _ask(self, ask: Callable[..., Answer], *args: Any) -> Answer:
        # The client library leaves a socket open where nobody listens.
        if self.url.startswith("unix://"):
            with socket.socket(socket.AF_UNIX) as knock:
                knock.settimeout(CALL_S_MAX)
                knock.connect(self.url.removeprefix("unix://"))
        return ask(*args)

    def attach(self, container_id: str) -> Attachment:
        """Open a container's standard streams, within `call`."""
        return Attachment(self.client.api.attach_socket(container_id, params=_ATTACH))

    def remove(self, container_id: str) -> None:
        """Kill and remove a container, within `call`; one that is gone is as good."""
        try:
            self.client.api.remove_container(container_id, v=True, force=True)
        except NotFound:
            return

    def leased(self) -> list[tuple[str, str]]:
        """Id and lease of every container that carries a lease, within `call`."""
        found = self.client.api.containers(all=True, filters={"label": LEASE_LABEL})
        return [(str(row["Id"]), str(row["Labels"].get(LEASE_LABEL, ""))) for row in found]

    def ended_out_of_memory(self, container_id: str) -> bool:
        """Whether the kernel ended a container's first process for memory, within `call`."""
        return bool(self.client.api.inspect_container(container_id)["State"]["OOMKilled"])

    def process_id(self, container_id: str) -> int:
        """The host's number of a container's first process, within `call`."""
        return int(self.client.api.inspect_container(container_id)["State"]["Pid"])

    def _reach(self) -> DockerClient:
        return DockerClient(base_url=self.url, timeout=CALL_S_MAX)


def _log_failure(undone: asyncio.Future[object]) -> None:
    if not undone.cancelled() and (error := undone.exception()) is not None:
        log.warning("docker.answer_not_undone", error=str(error))


def _find_runtime(client: DockerClient, wanted: str | None, cgroup_parent: str | None) -> Runtime:
    info = client.info()
    if missing := missing_pieces(info):
        raise TierUnavailableError(Tier.DOCKER, missing)
    name = wanted or str(info.get("DefaultRuntime", "runc"))
    listed = info.get("Runtimes", {})
    if name not in listed:
        raise TierUnavailableError(
            Tier.DOCKER, (f"the engine has no runtime {name!r}; it lists {', '.join(sorted(listed))}",)
        )
    if without := [words for key, words in _NEEDED.items() if not info.get(key, True)]:
        raise TierUnavailableError(Tier.DOCKER, tuple(f"the engine cannot limit {words}" for words in without))
    if not any("name=seccomp" in option for option in info.get("SecurityOptions") or ()):
        raise TierUnavailableError(Tier.DOCKER, ("the engine has no seccomp",))
    program = str(listed[name].get("path", ""))
    lacks = tuple(words for key, words in _WISHED.items() if not info.get(key, True))
    return Runtime(name, "runsc" in name or "runsc" in program, lacks, cgroup_parent)
