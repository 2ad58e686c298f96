"""Begin and finish cost one round trip each, counted on the wire."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from agents_store.postgres.store import PostgresStore
from tests.integration.store.conftest import Author
from tests.support.database import Database
from tests.support.records import run_start, succeeded

# Frontend messages that the server answers with ReadyForQuery: Sync and Query
# (PostgreSQL documentation, "Message Formats").
_ENDING_A_TRIP = (b"S", b"Q")


@dataclass
class Wire:
    """A proxy in front of the server's socket."""

    trips: int = 0
    tasks: tuple[asyncio.Task[None], ...] = ()

    async def count(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """Forward what the client sends, counting what asks for an answer."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            startup = await source.readexactly(4)  # the one message without a type
            target.write(startup + await source.readexactly(int.from_bytes(startup, "big") - 4))
            while True:
                head = await source.readexactly(5)
                self.trips += head[:1] in _ENDING_A_TRIP
                target.write(head + await source.readexactly(int.from_bytes(head[1:], "big") - 4))
        target.close()

    async def forward(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while chunk := await source.read(65536):
                target.write(chunk)
        target.close()


@asynccontextmanager
async def proxied(database: Database) -> AsyncIterator[tuple[Wire, str]]:
    """A proxy and the login's URL through it."""
    wire = Wire()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream = str(database.cluster.socket_dir / ".s.PGSQL.5432")
        server_reader, server_writer = await asyncio.open_unix_connection(upstream)
        await asyncio.gather(wire.count(reader, server_writer), wire.forward(server_reader, writer))

    with TemporaryDirectory(prefix="gbx-wire-") as home:
        path = Path(home) / ".s.PGSQL.5432"
        async with await asyncio.start_unix_server(serve, path):
            yield wire, database.login_url.split("?")[0] + f"?host={home}&gssencmode=disable"


async def test_begin_and_finish_are_one_round_trip_each(
    database: Database, store: PostgresStore, author: Author
) -> None:
    async with proxied(database) as (wire, url):
        counted = PostgresStore(url, pool_max=1)
        await counted.open()
        for _ in range(5):  # until every statement is prepared
            warm = await counted.begin(author.principal, run_start(author.detail))
            await counted.finish(author.principal, warm, succeeded())

        wire.trips = 0
        begun = await counted.begin(author.principal, run_start(author.detail))
        begin_trips, wire.trips = wire.trips, 0
        await counted.finish(author.principal, begun, succeeded())
        finish_trips, wire.trips = wire.trips, 0
        await counted.get_agent(author.principal, "hello")
        await counted.close()

    assert (begin_trips, finish_trips) == (1, 1)
    assert wire.trips >= 1  # the proxy does count


async def test_without_prepared_statements_it_is_one_round_trip_from_the_first_call(
    database: Database, store: PostgresStore, author: Author
) -> None:
    async with proxied(database) as (wire, url):
        counted = PostgresStore(url + "&pgbouncer=true", pool_max=1)
        await counted.open()
        await counted.ping()
        wire.trips = 0
        await counted.begin(author.principal, run_start(author.detail))
        trips = wire.trips
        await counted.close()

    assert trips == 1
