"""Whole invocations over HTTP against a server in a process of its own, on its embedded database."""

import math
import multiprocessing
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from agents_store.embedded import prepare_data_dir
from bench.bare_start import Yardstick
from bench.load import Job, Load, run_load
from bench.processes import CpuTimes, read_cpu_times
from bench.samples import Row, summarise
from bench.tiers import HELLO, STARTS_EVERY, WARM_UP
from bench.wire import Connection, build_request
from sandbox.types import Tier
from server.auth.issuer import LocalIssuer
from server.cli.child_server import ChildServer
from server.settings import Settings

AGENT = "hello"
ANSWER = b'{"hello":"World"}'
TOKEN_TTL_S = 3600
WARM_UP_S = 2.0
READY_S_MAX = 60.0
READY_LOOK_S = 0.5
CONNECTIONS = 16


@dataclass(frozen=True)
class User:
    """One caller with an agent of its own."""

    user_id: UUID
    token: str

    @property
    def request(self) -> bytes:
        """A call of the agent with one input."""
        return self.ask("GET", f"/agents/{self.user_id}/{AGENT}?name=World")

    def ask(self, method: str, path: str, body: object = None) -> bytes:
        """Any request of this user."""
        return build_request(method, path, self.token, body)


class Server:
    """A running server and the means to call it.

    Attributes:
        pid: of the server process.
        settings: what it was started with.
    """

    def __init__(self, url: str, pid: int, settings: Settings) -> None:
        address = urlsplit(url)
        self.host, self.port = str(address.hostname), int(address.port or 0)
        self.pid = pid
        self.settings = settings
        self._issuer = LocalIssuer.load(settings.data_dir)

    def connect(self) -> Connection:
        """A kept-alive connection."""
        return Connection(self.host, self.port)

    def new_user(self) -> User:
        """A new user, who has nothing yet."""
        user_id = uuid4()
        return User(user_id, self._issuer.mint(user_id, TOKEN_TTL_S))

    def add_user(self, tier: Tier) -> User:
        """A new user who has the agent, pinned to a tier. A server whose engine is slow to answer is waited for."""
        user = self.new_user()
        request = user.ask("POST", "/agents", {"agent_name": AGENT, "code": HELLO, "tier": tier})
        deadline = time.monotonic() + READY_S_MAX
        with self.connect() as connection:
            while True:
                status, answer = connection.exchange(request)
                if status != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                    break
                time.sleep(READY_LOOK_S)
        if status != HTTPStatus.CREATED:
            raise RuntimeError(f"the agent was not created: HTTP {status} {answer.decode()}")
        return user

    def cpu_times(self) -> CpuTimes:
        """What the server and all that works for it used so far."""
        postmaster = self.settings.data_dir / "postgres" / "postmaster.pid"
        return read_cpu_times(self.pid, int(postmaster.read_text().split()[0]))


@contextmanager
def running_server(settings: Settings) -> Iterator[Server]:
    """A server on an embedded database in the settings' data directory."""
    prepare_data_dir(settings.data_dir)
    others = {child.pid for child in multiprocessing.active_children()}
    with ChildServer(settings) as child:
        (pid,) = {child.pid for child in multiprocessing.active_children()} - others
        assert pid is not None  # noqa: S101 - it runs
        yield Server(child.url, pid, settings)


def measure_warm(server: Server, tier: Tier, count: int, yardstick: Yardstick) -> Row:
    """One client, one user, one call after the other, with bare starts in between."""
    request = server.add_user(tier).request
    durations, failed = timed_calls(server, request, count, yardstick)
    return summarise(
        f"warm/{tier}",
        f"{tier}, whole HTTP invocation, warm",
        durations,
        starts_s=yardstick.take(),
        failed=failed,
    )


def timed_calls(
    server: Server,
    request: bytes,
    count: int,
    yardstick: Yardstick | None = None,
    *,
    answer: bytes | None = ANSWER,
    seconds_max: float = math.inf,
) -> tuple[list[float], int]:
    """One call after the other over one connection, after a few for warming up.

    Args:
        server: whom to call.
        request: sent again and again.
        count: how many calls to measure.
        yardstick: for bare starts in between; None: without.
        answer: what the body must be; None: anything.
        seconds_max: no further call begins so long after the first one, once one was measured.

    Returns:
        How long each took, in s, at least one; and how many failed.
    """
    durations: list[float] = []
    failed = 0
    until = time.perf_counter() + seconds_max
    with server.connect() as connection:
        for index in range(WARM_UP + count):
            if durations and time.perf_counter() >= until:
                break
            started = time.perf_counter()
            status, body = connection.exchange(request)
            elapsed = time.perf_counter() - started
            if index < WARM_UP:
                continue
            durations.append(elapsed)
            failed += status != HTTPStatus.OK or (answer is not None and body != answer)
            if yardstick is not None and index % STARTS_EVERY == 0:
                yardstick.measure()
    return durations, failed


def measure_first_calls(server: Server, tier: Tier, count: int, rest_s: float, yardstick: Yardstick) -> Row:
    """The first call of one new user after the other, with a rest before each in which the pool may fill up again."""
    durations, failed = [], 0
    for _ in range(count):
        user = server.add_user(tier)
        time.sleep(rest_s)
        with server.connect() as connection:
            started = time.perf_counter()
            status, body = connection.exchange(user.request)
            durations.append(time.perf_counter() - started)
        failed += status != HTTPStatus.OK or body != ANSWER
        yardstick.measure()
    return summarise(
        f"first/{tier}",
        f"{tier}, first call of a user, warm pool",
        durations,
        starts_s=yardstick.take(),
        failed=failed,
    )


def measure_sustained(server: Server, tier: Tier, users: int, seconds: float) -> Row:
    """As many calls as 16 connections get answered in `seconds`, shared out among `users`, and who used the CPU."""
    callers = [server.add_user(tier) for _ in range(users)]
    requests = [callers[index % users].request for index in range(CONNECTIONS)]
    load, cpu_s = drive(server, requests, seconds)
    name = f"{tier}, {CONNECTIONS} connections, {users} user{'s' if users > 1 else ''}"
    return summarise(
        f"sustained{users}/{tier}",
        name,
        load.durations_s,
        failed=load.failed,
        elapsed_s=load.elapsed_s,
        cpu_s=cpu_s,
    )


def drive(server: Server, requests: Sequence[bytes], seconds: float) -> tuple[Load, Mapping[str, float]]:
    """What came of calling with all these requests at once for so long, and the CPU time in s by who used it."""
    before: list[CpuTimes] = []
    job = load_of(server, requests, seconds, warm_up_s=WARM_UP_S)
    load = run_load(job, lambda: before.append(server.cpu_times()))
    return load, {**server.cpu_times().since(before[0]), "load": load.cpu_s}


def load_of(
    server: Server, requests: Sequence[bytes], seconds: float, *, warm_up_s: float = 0, calls_each: int | None = None
) -> Job:
    """A job for the load generator; see there."""
    return Job(server.host, server.port, [request.decode() for request in requests], warm_up_s, seconds, calls_each)
