"""What it costs that much is stored: a server on a database with little and one on a full database, call by call."""

import json
import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg.rows import TupleRow

from agents_store.postgres.queries import parse_queries
from bench.bare_start import Yardstick
from bench.http_calls import ANSWER, Server, User, running_server
from bench.processes import unique_bytes
from bench.samples import Row, summarise
from bench.tiers import HELLO, STARTS_EVERY, WARM_UP
from sandbox.types import Tier
from server.settings import Settings

FEW_AGENTS = 10
IDLE_AGENTS = 10_000
MANY_AGENTS = 100_000
MANY_RUNS = 1_000_000
OTHER_USERS = 999
SETTLE_CALLS = 500
PAGE = 10
STATEMENT_S_MAX = 300
TABLES = ("agents", "agent_versions", "version_tiers", "runs", "credit_entries", "credit_accounts")


def measure_growth(settings: Settings, tier: Tier, count: int, yardstick: Yardstick, scratch: Path) -> Iterator[Row]:
    """Rows of pairs, each call on the small database followed by the same on the large one; and idle agents' memory."""
    few_settings, many_settings = (
        settings.model_copy(update={"data_dir": scratch / name, "tiers": (tier,)}) for name in ("few", "many")
    )
    with running_server(few_settings) as few, running_server(many_settings) as many:
        users = [_user_with_agents(server, tier) for server in (few, many)]
        with Filling(many_settings.data_dir) as filling:
            yield _measure_idle_agents(many, users[1], filling)
            filling.store_the_rest()
        for what, name, requests in (
            ("invocation", f"{tier}, warm", [user.request for user in users]),
            ("runs", "GET /runs", [user.ask("GET", f"/runs?limit={PAGE}") for user in users]),
            ("agents", "GET /agents", [user.ask("GET", f"/agents?limit={PAGE}") for user in users]),
        ):
            yield from _measure_pair((few, many), requests, count, what, name, yardstick)


class Filling:
    """A session of the superuser of an embedded database, which fills it. Use it as a context."""

    def __init__(self, data_dir: Path) -> None:
        self._queries = parse_queries(Path(__file__).with_name("growth.sql").read_text("utf-8"))
        self._data_dir = data_dir

    def __enter__(self) -> Self:
        password = json.loads((self._data_dir / "passwords.json").read_text())["superuser"]
        self._session = psycopg.connect(
            host=str(self._data_dir / "s"),
            user="postgres",
            password=password,
            dbname="glovebox",
            autocommit=True,
            options=f"-c statement_timeout={STATEMENT_S_MAX}s",
        )
        self._run("bypass_triggers")
        self._run("take_pattern")
        self._run("make_users", users=OTHER_USERS)
        self._run("make_agents", users=OTHER_USERS, agents=MANY_AGENTS - FEW_AGENTS)
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._session.close()

    def store_agents(self, first: int, last: int) -> None:
        """Those with these numbers, counted from 1."""
        for name in ("store_agents", "store_versions", "store_tiers"):
            self._run(name, first=first, last=last)

    def store_the_rest(self) -> None:
        """All other agents, all runs and what they cost. Raises RuntimeError if the books do not agree afterwards."""
        agents = MANY_AGENTS - FEW_AGENTS
        self.store_agents(IDLE_AGENTS - FEW_AGENTS + 1, agents)
        self._run("store_runs", runs=MANY_RUNS - 1, agents=agents)
        for name in ("store_entries", "store_grants", "store_accounts", "continue_numbers"):
            self._run(name)
        # As autovacuum does it some time after; and no checkpoint of what was filled in falls into the measurements.
        for table in TABLES:
            self._session.execute(f"vacuum analyze public.{table}".encode())
        self._session.execute("checkpoint")
        if wrong := self._run("audit").fetchall():
            raise RuntimeError(f"{len(wrong)} balances are not the sum of their entries")

    def _run(self, name: str, **parameters: int) -> psycopg.Cursor[TupleRow]:
        return self._session.execute(self._queries[name], parameters or None)


def _user_with_agents(server: Server, tier: Tier) -> User:
    """A user with ten agents, of which one has run."""
    user = server.add_user(tier)
    with server.connect() as connection:
        for index in range(1, FEW_AGENTS):
            body = {"agent_name": f"idle-{index}", "code": HELLO, "tier": tier}
            if connection.exchange(user.ask("POST", "/agents", body))[0] != HTTPStatus.CREATED:
                raise RuntimeError("the agent was not created")
        if connection.exchange(user.request) != (HTTPStatus.OK, ANSWER):
            raise RuntimeError("the agent did not run")
    return user


def _measure_idle_agents(server: Server, user: User, filling: Filling) -> Row:
    """How much more memory the server has of its own when there are 10,000 agents instead of 10, each time in use."""
    _settle(server, user)
    before = unique_bytes(server.pid)
    filling.store_agents(1, IDLE_AGENTS - FEW_AGENTS)
    _settle(server, user)
    more = max(0, unique_bytes(server.pid) - before)
    return Row(
        key="memory/idle-agent",
        name="idle agent, in the server process",
        count=IDLE_AGENTS,
        bytes_each=more // (IDLE_AGENTS - FEW_AGENTS),
    )


def _settle(server: Server, user: User) -> None:
    """Use the server until it has all the memory that use takes."""
    listing = user.ask("GET", "/agents?limit=100")
    with server.connect() as connection:
        for _ in range(SETTLE_CALLS):
            if connection.exchange(user.request)[0] != HTTPStatus.OK:
                raise RuntimeError("the agent did not run")
            if connection.exchange(listing)[0] != HTTPStatus.OK:
                raise RuntimeError("the agents were not listed")


def _measure_pair(
    servers: Sequence[Server], requests: Sequence[bytes], count: int, what: str, name: str, yardstick: Yardstick
) -> Iterator[Row]:
    durations: tuple[list[float], list[float]] = ([], [])
    failed = [0, 0]
    with servers[0].connect() as few, servers[1].connect() as many:
        for index in range(WARM_UP + count):
            for which, connection in enumerate((few, many)):
                started = time.perf_counter()
                status = connection.exchange(requests[which])[0]
                elapsed = time.perf_counter() - started
                if index >= WARM_UP:
                    durations[which].append(elapsed)
                    failed[which] += status != HTTPStatus.OK
            if index % STARTS_EVERY == 0:
                yardstick.measure()
    starts = yardstick.take()
    row = summarise(f"growth/{what}-few", f"{name}, little stored", durations[0], starts_s=starts, failed=failed[0])
    yield row
    yield summarise(
        f"growth/{what}-many", f"{name}, much stored", durations[1], starts_s=starts, failed=failed[1], ratio_to=row
    )
