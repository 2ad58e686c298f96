"""Hostile tokens and keys at every protected route of a real server: one 401, nothing fetched, no row written."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import cycle, product

import httpx
import psycopg
import pytest

from server.auth.api_key import mint_key
from server.auth.testing import StubProject
from tests.acceptance.running import RunningServer, client_for, reachable_directory, running, settings_for
from tests.acceptance.test_access_matrix import PROTECTED, Operation
from tests.rls.statements import TABLES
from tests.support.database import Cluster, Database, database_from
from tests.support.figures import Record
from tests.unit.auth.test_hostile_tokens import KINDS

PATH_NAMES = {
    "user_id": "6f0e0a7e-3d0a-4a52-9d4e-6a3f3f0f2a11",
    "agent_name": "hello",
    "run_id": "6f0e0a7e-3d0a-4a52-9d4e-6a3f3f0f2a11",
    "api_key_id": "6f0e0a7e-3d0a-4a52-9d4e-6a3f3f0f2a11",
    "version": "1",
    "generation_id": "6f0e0a7e-3d0a-4a52-9d4e-6a3f3f0f2a11",
    "key": "last",
    "name": "last",
}
SENDABLE_MIN = 200


@dataclass(frozen=True)
class Site:
    """A server that trusts one project, and the database under it."""

    server: RunningServer
    project: StubProject
    database: Database

    def rows(self) -> dict[str, int]:
        """How many rows there are, of everything but the servers' leases."""
        with psycopg.connect(self.database.superuser_url) as conn:
            counts = {}
            for table in set(TABLES) - {"server_leases"}:
                found = conn.execute(f"select count(*) from public.{table}".encode()).fetchone()  # noqa: S608 - ours
                assert found is not None
                counts[table] = found[0]
        return counts


@pytest.fixture(scope="module")
def site(cluster: Cluster, template: str) -> Iterator[Site]:
    project = StubProject()
    verifier, _ = project.verifier()
    with (
        pytest.MonkeyPatch.context() as patch,
        database_from(cluster, template) as database,
        reachable_directory() as data_dir,
    ):
        patch.setattr("server.app.build_verifier", lambda _: verifier)
        with running(settings_for(data_dir, database_url=database.login_url)) as server:
            yield Site(server, project, database)


@pytest.fixture
async def http(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with client_for(site.server, None) as client:
        yield client


async def refused(http: httpx.AsyncClient, operation: Operation, token: str) -> bool:
    """Whether it was; False where no client could send it at all."""
    try:
        answer = await http.request(
            operation.method,
            operation.path.format(**PATH_NAMES),
            headers={b"Authorization": f"Bearer {token}".encode("utf-8", "surrogatepass")},
            content=b"{}" if operation.method in ("POST", "PATCH", "PUT") else None,
        )
    except httpx.LocalProtocolError:
        return False
    assert answer.status_code in (400, 401, 431), (token[:80], answer.status_code)
    if answer.status_code == 401:
        assert answer.json()["code"] == "unauthenticated"
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="glovebox"'
        assert not [part for part in token.split(".") if len(part) > 12 and part in answer.text]
    return True


async def test_every_kind_of_hostile_token_is_refused_and_writes_nothing(
    site: Site, http: httpx.AsyncClient, record_property: Record
) -> None:
    """Each kind at one route, all routes in turn; the long form below does each at every route."""
    before, routes = site.rows(), cycle(PROTECTED)

    sent = [await refused(http, next(routes), forge(site.project)) for forge in KINDS.values()]

    record_property("kinds_of_token", len(KINDS))
    assert sum(sent) >= SENDABLE_MIN
    assert site.rows() == before


@pytest.mark.long
async def test_every_kind_of_hostile_token_is_refused_at_every_route(
    site: Site, http: httpx.AsyncClient, record_property: Record
) -> None:
    before = site.rows()

    sent = [
        await refused(http, operation, forge(site.project)) for operation, forge in product(PROTECTED, KINDS.values())
    ]

    record_property("routes", len(PROTECTED))
    record_property("requests_refused", sum(sent))
    assert sum(sent) >= SENDABLE_MIN * len(PROTECTED)
    assert site.rows() == before


async def test_hostile_keys_are_refused_at_every_route_and_write_nothing(site: Site, http: httpx.AsyncClient) -> None:
    key = mint_key().text
    keys = [key, key[:-1], key + "a", key.upper(), "gbx_", f"{key}.{key}", f"{key}\x00", key.replace("_", "-")]
    before = site.rows()

    for operation, hostile in product(PROTECTED, keys):
        await refused(http, operation, hostile)

    assert site.rows() == before


@pytest.mark.parametrize("kid", ["ec-key", "rsa-key", None])
async def test_good_tokens_are_taken(site: Site, http: httpx.AsyncClient, kid: str | None) -> None:
    """The control: the same server takes what the project really signed."""
    for _ in range(7):
        token = site.project.token(kid)
        answer = await http.get("/credits", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200
