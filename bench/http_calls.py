"""Whole invocations over HTTP against a server in a process of its own, on its embedded database."""

import http.client
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from agents_store.embedded import prepare_data_dir
from bench.bare_start import bare_start
from bench.samples import Row, summarise
from bench.tiers import HELLO, WARM_UP
from server.auth.issuer import LocalIssuer
from server.cli.child_server import ChildServer
from server.settings import Settings

AGENT = "hello"
TOKEN_TTL_S = 3600


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

    def add_user(self) -> User:
        """A new user who has the agent."""
        user_id = uuid4()
        user = User(user_id, self._issuer.mint(user_id, TOKEN_TTL_S))
        body = json.dumps({"agent_name": AGENT, "code": HELLO, "tier": "restricted"})
        with closing(self.connect()) as connection:
            headers = {**user.headers, "Content-Type": "application/json"}
            status = call(connection, user, "POST", "/agents", body, headers)[0]
        if status != http.client.CREATED:
            raise RuntimeError(f"the agent was not created: HTTP {status}")
        return user


@contextmanager
def running_server(data_dir: Path) -> Iterator[Server]:
    """A server on an embedded database in `data_dir`."""
    settings = Settings(data_dir=data_dir, database_url=None, supabase_url=None, log_format="json", log_level="warning")
    prepare_data_dir(data_dir)
    with ChildServer(settings) as child:
        yield Server(child.url, LocalIssuer.load(data_dir))


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


def measure_warm(server: Server, count: int, starts_every: int) -> tuple[Row, list[float]]:
    """One client, one user: the row, and the bare starts interleaved with it."""
    user = server.add_user()
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
    return summarise("restricted, whole HTTP invocation, warm", durations, failed=failed), starts


def measure_sustained(server: Server, users: int, connections: int, seconds: float) -> Row:
    """As many calls as `connections` clients get answered in `seconds`, shared out among `users`."""
    callers = [server.add_user() for _ in range(users)]
    deadline = time.perf_counter() + seconds
    started = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        shares = [callers[index % users] for index in range(connections)]
        answers = [
            answer for part in pool.map(lambda user: _call_until(server, user, deadline), shares) for answer in part
        ]
    elapsed = time.perf_counter() - started
    return _summarise_sustained(answers, users, connections, elapsed)


def _call_until(server: Server, user: User, deadline: float) -> list[tuple[int, float]]:
    answers = []
    with closing(server.connect()) as connection:
        while time.perf_counter() < deadline:
            answers.append(call(connection, user))
    return answers


def _summarise_sustained(answers: Sequence[tuple[int, float]], users: int, connections: int, elapsed: float) -> Row:
    name = f"restricted, sustained, {connections} connections, {users} user{'s' if users > 1 else ''}"
    good = [seconds for status, seconds in answers if status == http.client.OK]
    return summarise(name, good, failed=len(answers) - len(good), elapsed_s=elapsed)
