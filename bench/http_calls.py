"""Whole invocations over HTTP against a server in a process of its own, on its embedded database."""

import http.client
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from agents_store.embedded import prepare_data_dir
from bench.bare_start import bare_start
from bench.samples import Row, summarise
from bench.tiers import HELLO, WARM_UP
from sandbox.types import Tier
from server.auth.issuer import LocalIssuer
from server.cli.child_server import ChildServer
from server.settings import Settings

AGENT = "hello"
TOKEN_TTL_S = 3600
WARM_UP_S = 2.0


@dataclass(frozen=True)
class User:
    """One caller with an agent of its own."""

    user_id: UUID
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """What proves the caller."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def path(self) -> str:
        """The agent's URL, called with one input."""
        return f"/agents/{self.user_id}/{AGENT}?name=World"


class Server:
    """A running server and the means to call it."""

    def __init__(self, url: str, issuer: LocalIssuer) -> None:
        self._address = urlsplit(url).netloc
        self._issuer = issuer

    def connect(self) -> http.client.HTTPConnection:
        """A kept-alive connection."""
        return http.client.HTTPConnection(self._address, timeout=60)

    def add_user(self, tier: Tier) -> User:
        """A new user who has the agent, pinned to a tier."""
        user_id = uuid4()
        user = User(user_id, self._issuer.mint(user_id, TOKEN_TTL_S))
        body = json.dumps({"agent_name": AGENT, "code": HELLO, "tier": tier})
        with closing(self.connect()) as connection:
            headers = {**user.headers, "Content-Type": "application/json"}
            status = call(connection, user, "POST", "/agents", body, headers)[0]
        if status != http.client.CREATED:
            raise RuntimeError(f"the agent was not created: HTTP {status}")
        return user


@contextmanager
def running_server(settings: Settings) -> Iterator[Server]:
    """A server on an embedded database in the settings' data directory."""
    prepare_data_dir(settings.data_dir)
    with ChildServer(settings) as child:
        yield Server(child.url, LocalIssuer.load(settings.data_dir))


def call(
    connection: http.client.HTTPConnection,
    user: User,
    method: str = "GET",
    path: str | None = None,
    body: str | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, float]:
    """One call: its HTTP status and how many seconds it took."""
    started = time.perf_counter()
    connection.request(method, path or user.path, body, headers or user.headers)
    response = connection.getresponse()
    response.read()
    return response.status, time.perf_counter() - started


def measure_warm(server: Server, tier: Tier, count: int, starts_every: int) -> tuple[Row, list[float]]:
    """One client, one user: the row, and the bare starts interleaved with it."""
    user = server.add_user(tier)
    durations, starts, failed = [], [], 0
    with closing(server.connect()) as connection:
        for index in range(WARM_UP + count):
            status, elapsed = call(connection, user)
            if index < WARM_UP:
                continue
            durations.append(elapsed)
            failed += status != http.client.OK
            if index % starts_every == 0:
                starts.append(bare_start())
    return summarise(f"{tier}, whole HTTP invocation, warm", durations, failed=failed), starts


def measure_first_calls(server: Server, tier: Tier, count: int, rest_s: float) -> tuple[Row, list[float]]:
    """The first call of one new user after the other, with a rest before each in which the pool may fill up again."""
    durations, starts, failed = [], [], 0
    for _ in range(count):
        user = server.add_user(tier)
        time.sleep(rest_s)
        with closing(server.connect()) as connection:
            connection.connect()
            status, elapsed = call(connection, user)
        durations.append(elapsed)
        failed += status != http.client.OK
        starts.append(bare_start())
    return summarise(f"{tier}, first call of a user, warm pool", durations, failed=failed), starts


def measure_sustained(server: Server, tier: Tier, users: int, connections: int, seconds: float) -> Row:
    """As many calls as `connections` clients get answered in `seconds`, shared out among `users`."""
    callers = [server.add_user(tier) for _ in range(users)]
    shares = [callers[index % users] for index in range(connections)]
    with ThreadPoolExecutor(connections) as pool:
        _call_all(pool, server, shares, WARM_UP_S)
        started = time.perf_counter()
        answers = _call_all(pool, server, shares, seconds)
        elapsed = time.perf_counter() - started
    name = f"{tier}, sustained, {connections} connections, {users} user{'s' if users > 1 else ''}"
    return _summarise_sustained(name, answers, elapsed)


def _call_all(pool: Executor, server: Server, shares: Sequence[User], seconds: float) -> list[tuple[int, float]]:
    deadline = time.perf_counter() + seconds
    parts = pool.map(lambda user: _call_until(server, user, deadline), shares)
    return [answer for part in parts for answer in part]


def _call_until(server: Server, user: User, deadline: float) -> list[tuple[int, float]]:
    answers = []
    with closing(server.connect()) as connection:
        while time.perf_counter() < deadline:
            answers.append(call(connection, user))
    return answers


def _summarise_sustained(name: str, answers: Sequence[tuple[int, float]], elapsed: float) -> Row:
    good = [seconds for status, seconds in answers if status == http.client.OK]
    return summarise(name, good, failed=len(answers) - len(good), elapsed_s=elapsed)
