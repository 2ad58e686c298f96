"""Callers that leave at every stage of a call: what began is finished and settled, what did not leaves nothing."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.acceptance.processes import Caller, Process, server_process, token_of
from tests.acceptance.running import eventually
from tests.faults.afterwards import Possessions, tell_books, tell_nothing_left, tell_recovery
from tests.faults.load import create_agents
from tests.faults.matrix import NewRow
from tests.support.database import Database

EACH = 8
BEFORE, SENT = "before the call's body ends", "once the call is sent"
NAP = "import time\ndef run(inputs):\n    time.sleep(0.5)\n    return 1"
LARGE = "def run(inputs):\n    return 'x' * 1_000_000"
AGENTS = {"nap": NAP, "large": LARGE}
RESET = struct.pack("ii", 1, 0)  # struct linger: closed at once, with a reset


class Connection:
    """One caller's, with a small window, so that a large answer is not taken by the kernel alone."""

    def __init__(self, server: Process, user: Caller) -> None:
        address = urlsplit(server.url)
        self._address = (address.hostname, address.port)
        self._user = user
        self._socket = socket.socket()
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

    async def send(self, agent_name: str, body_bytes: int = 2) -> None:
        """A request with the first two bytes of its body."""
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self._socket, self._address)
        head = f"POST {self._user.path(agent_name)} HTTP/1.1\r\nHost: a\r\nContent-Length: {body_bytes}\r\n"
        await loop.sock_sendall(
            self._socket, f"{head}Authorization: Bearer {token_of(self._user.id)}\r\n\r\n{{}}".encode()
        )

    async def first_bytes(self) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self._socket, 100)

    def close(self, number: int) -> None:
        """In good order or with a reset, in turn."""
        if number % 2:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._socket.close()


Begun = Callable[[], Awaitable[bool]]


async def before_its_body_ends(connections: list[Connection], _: Begun) -> None:
    await asyncio.gather(*(connection.send("nap", body_bytes=1000) for connection in connections))


async def once_it_is_sent(connections: list[Connection], _: Begun) -> None:
    await asyncio.gather(*(connection.send("nap") for connection in connections))


async def while_it_runs(connections: list[Connection], begun: Begun) -> None:
    await asyncio.gather(*(connection.send("nap") for connection in connections))
    await eventually(begun)


async def while_the_answer_is_written(connections: list[Connection], _: Begun) -> None:
    await asyncio.gather(*(connection.send("large") for connection in connections))
    for connection in connections:
        async with asyncio.timeout(30):
            assert (await connection.first_bytes()).startswith(b"HTTP/1.1 200 ")


STAGES: dict[str, Callable[[list[Connection], Begun], Awaitable[None]]] = {
    BEFORE: before_its_body_ends,
    SENT: once_it_is_sent,
    "while the run executes": while_it_runs,
    "while the answer is written": while_the_answer_is_written,
}


async def runs_of(database: Database) -> tuple[int, int]:
    """How many runs of the agents that are left here began, and how many succeeded."""

    def counted() -> tuple[int, int]:
        with psycopg.connect(database.superuser_url) as conn:
            found = conn.execute(
                "select count(*), count(*) filter (where outcome = 'succeeded') from public.runs"
                " where agent_name <> 'echo'"
            ).fetchone()
            assert found is not None
            return int(found[0]), int(found[1])

    return await asyncio.to_thread(counted)


@pytest.mark.parametrize("rounds", [1, pytest.param(7, marks=pytest.mark.long)])
async def test_callers_leave_at_every_stage(
    rounds: int, database: Database, tmp_path: Path, temporary: Path, new_row: NewRow
) -> None:
    user, count = Caller.new(), rounds * EACH
    # As many interpreters started as runs at once: that pool would grow under load, and stay so.
    variables = {"TMPDIR": str(temporary), "GLOVEBOX_RUNS_LIVE_MAX": str(EACH), "GLOVEBOX_MONTY_WORKERS": str(EACH)}
    with server_process(database, tmp_path, log=tmp_path / "log", **variables) as server:
        await create_agents(server, [user])
        async with user.at(server) as client:
            for name, code in AGENTS.items():
                assert (await client.post("/agents", json={"agent_name": name, "code": code})).status_code == 201
                assert (await client.post(user.path(name), json={})).status_code == 200
        possessed = Possessions.of(server, temporary)
        for stage, leave in STAGES.items():
            row = new_row(
                "Clients", f"{count} callers leave {stage}", "what began ends and is charged; nothing else is"
            )
            _, before = await runs_of(database)
            for _ in range(rounds):
                await leave_at(leave, server, user, database)
            await tell_recovery(row, server, user)
            await tell_books(row, database)
            await tell_nothing_left(row, server, possessed, temporary)

            runs = (await runs_of(database))[1] - before
            row.callers = f"none waited for an answer; {runs} runs came to their end"
            # A call whose caller is gone before it began may be dropped.
            assert runs <= (0 if stage == BEFORE else count)
            assert runs >= (0 if stage in (BEFORE, SENT) else count)


async def leave_at(
    stage: Callable[[list[Connection], Begun], Awaitable[None]], server: Process, user: Caller, database: Database
) -> None:
    """A round of callers who leave at one stage."""
    before, _ = await runs_of(database)

    async def begun() -> bool:
        return (await runs_of(database))[0] - before == EACH

    connections = [Connection(server, user) for _ in range(EACH)]
    try:
        await stage(connections, begun)
    finally:
        for number, connection in enumerate(connections):
            connection.close(number)
