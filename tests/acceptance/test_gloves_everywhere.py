"""All gloves in one agent: the same in every tier, dry runs that change nothing, and a secret that is nowhere."""

import asyncio
import base64
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import httpx
import psycopg
import pytest
from psycopg import sql

from tests.acceptance.docker_tier import docker_tier
from tests.acceptance.processes import Caller, Process, server_process
from tests.acceptance.running import Json
from tests.support.database import Cluster, Database, database_from
from tests.support.http_server import Received, Served, answering, http_server

CANARY = "canary/53cr3t+Value=="
EVERYTHING = """
def run(inputs, ctx):
    key = ctx.secrets.use("key")
    page = ctx.fetch(inputs["url"], headers={"Authorization": "Bearer " + key})
    ctx.memory.put("weather/ulm", {"high": 21}, tags=["weather"], importance=0.5)
    ctx.memory.put("weather/bonn", "rain")
    ctx.memory.delete("weather/bonn")
    file = ctx.files.write("report.txt", "page: " + page.text, "text/plain")
    doubled = ctx.call("double", {"n": 21})
    refused = ""
    try:
        ctx.fetch("https://elsewhere.example.com/")
    except PermissionError as error:
        refused = str(error)
    print("used", key[:11], page.status)
    return {
        "status": page.status,
        "remembered": ctx.memory.get("weather/ulm"),
        "keys": ctx.memory.list("weather/"),
        "gone": ctx.memory.get("weather/bonn", "nothing"),
        "file": file,
        "doubled": doubled,
        "refused": refused,
    }
"""
SEARCHING = """
def run(inputs, ctx):
    ctx.memory.put("cat", "a small animal that purrs")
    ctx.memory.put("car", "a machine with four wheels")
    return [hit["key"] for hit in ctx.memory.search("kitten", 1)]
"""
DOUBLE = "def run(inputs):\n    return inputs['n'] * 2"
TIERS = ("monty", "restricted")
RECORDS = {"runs", "run_effects", "run_logs", "dry_run_rates", "server_leases"}


@dataclass
class Site:
    """A server process with its database, its data directory and its log."""

    process: Process
    database: Database
    data_dir: Path
    log: Path

    def rows(self) -> dict[str, list[str]]:
        """Every row of every table that is not the migrations', as text."""
        with psycopg.connect(self.database.superuser_url) as conn:
            found = conn.execute(
                "select schemaname, tablename from pg_tables where schemaname in ('public', 'glovebox') order by 1, 2"
            ).fetchall()
            tables: dict[str, list[str]] = {}
            for schema, table in found:
                statement = sql.SQL("select t::text from {} as t order by 1").format(sql.Identifier(schema, table))
                tables[table] = [row[0] for row in conn.execute(statement)]
            return tables

    def files(self) -> list[str]:
        return sorted(str(path) for path in self.data_dir.rglob("*") if path.is_file())

    def texts(self) -> list[str]:
        """What the process logged, what it was started with, and every file of its data directory."""
        places = [self.log, Path(f"/proc/{self.process.popen.pid}/environ"), *map(Path, self.files())]
        return [path.read_bytes().decode("latin-1") for path in places]


@pytest.fixture(scope="module")
def site(cluster: Cluster, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("site")
    log, data_dir = home / "server.log", home / "data"
    variables = {
        "GLOVEBOX_DATA_DIR": str(data_dir),
        "GLOVEBOX_FETCH_PRIVATE_HOSTS": '["localhost"]',
        "GLOVEBOX_SECRETS_KEYS": base64.b64encode(bytes(range(32))).decode(),
        "GLOVEBOX_LOG_LEVEL": "debug",
    }
    with (
        database_from(cluster, template) as database,
        server_process(database, home, log=log, **variables) as process,
    ):
        yield Site(process, database, data_dir, log)


async def prepared(http: httpx.AsyncClient, served: Served, name: str, tier: str) -> None:
    hosts = [f"http://localhost:{served.port}"]
    agent = {"agent_name": name, "code": EVERYTHING, "tier": tier, "allowed_hosts": hosts}
    assert (await http.post("/agents", json=agent)).status_code == 201
    kept = await http.put(f"/agents/{name}/secrets/key", json={"value": CANARY, "hosts": hosts})
    assert kept.status_code in (200, 201, 204), kept.text


def without_times(effects: list[Json]) -> list[Json]:
    """What is the same in every tier: not how long it took, nor what is random or a run's own."""
    left = ("at_ms", "duration_ms", "created_at")
    told = [{name: value for name, value in effect.items() if name not in left} for effect in effects]
    for effect in told:
        if effect["glove"] == "secrets.use":
            effect["response"] = None
        effect["request"] = {
            name: value for name, value in effect["request"].items() if name not in ("run_id", "headers", "revision")
        }
        if effect["glove"] == "fetch" and effect["response"]:
            effect["response"] = effect["response"]["text"]
    return told


async def require_the_same(http: httpx.AsyncClient, user_id: UUID, tiers: Sequence[str], *, test: bool) -> None:
    """Run the agent with all gloves in each tier, and compare what it answers and all that it did."""
    async with http_server(answering(b"hello")) as served:
        await http.post("/agents", json={"agent_name": "double", "code": DOUBLE, "tier": "restricted"})
        results, effects = {}, {}
        for tier in tiers:
            await prepared(http, served, tier, tier)
            inputs = {"url": served.url(host="localhost")}
            path = f"/agents/{user_id}/{tier}"
            answer = await http.post(path, params={"test": "1"} if test else {}, json=inputs)
            assert answer.status_code == 200, answer.text
            results[tier] = answer.json()["result"] if test else answer.json()
            run_id = answer.headers["Glovebox-Run-Id"]
            effects[tier] = without_times((await http.get(f"/runs/{run_id}/effects")).json()["items"])

    first, *others = tiers
    for other in others:
        assert results[other] == results[first]
        assert effects[other] == effects[first]
    assert results[first]["doubled"] == 42
    assert results[first]["keys"] == ["weather/ulm"]
    assert "allowed_hosts" in results[first]["refused"]
    written = "withheld" if test else "performed"
    assert [(effect["glove"], effect["status"]) for effect in effects[first]] == [
        ("secrets.use", "performed"),
        ("fetch", "performed"),
        ("memory.put", written),
        ("memory.put", written),
        ("memory.delete", written),
        ("files.write", written),
        ("call", "performed"),
        ("fetch", "refused"),
        ("memory.get", "performed"),
        ("memory.list", "performed"),
        ("memory.get", "performed"),
    ]
    assert [request.headers["authorization"] for request in served.requests] == [f"Bearer {CANARY}"] * len(tiers)


@pytest.mark.parametrize("test", [False, True], ids=["live", "dry"])
async def test_the_same_agent_does_the_same_in_every_tier(site: Site, test: bool) -> None:
    user = Caller.new()
    async with user.at(site.process) as http:
        await require_the_same(http, user.id, TIERS, test=test)


async def test_the_docker_tier_does_the_same() -> None:
    with docker_tier(fetch_private_hosts=("localhost",)) as tier:
        for test in (False, True):
            user = tier.user()
            async with user.http:
                await require_the_same(user.http, user.id, ("restricted", "docker"), test=test)


async def test_a_dry_run_changes_nothing_but_its_own_record(site: Site) -> None:
    user = Caller.new()
    async with http_server(answering(b"hello")) as served, user.at(site.process) as http:
        await http.post("/agents", json={"agent_name": "double", "code": DOUBLE, "tier": "monty"})
        await prepared(http, served, "all", "restricted")
        inputs = {"url": served.url(host="localhost")}
        assert (await http.post(user.path("all"), json=inputs)).status_code == 200  # there is something to change
        before, files, requests = site.rows(), site.files(), len(served.requests)

        answer = await http.post(user.path("all"), params={"test": "1"}, json=inputs)
        after = site.rows()

    assert answer.json()["complete"] is True
    changed = {table for table in after if after[table] != before.get(table)}
    assert {"runs", "run_effects"} <= changed <= RECORDS
    assert len(after["runs"]) == len(before["runs"]) + 2  # the run, and the one that it called
    assert set(before["run_effects"]) < set(after["run_effects"])
    assert set(before["runs"]) < set(after["runs"])
    assert site.files() == files
    listed = [
        effect for effect in answer.json()["effects"] if (effect["glove"], effect["status"]) == ("fetch", "performed")
    ]
    assert [request.method for request in served.requests[requests:]] == ["GET"] * len(listed) == ["GET"]


async def test_memory_is_searched_by_meaning_in_every_tier(site: Site) -> None:
    user = Caller.new()
    async with user.at(site.process) as http:
        for tier in TIERS:
            agent = {"agent_name": tier, "code": SEARCHING, "tier": tier}
            assert (await http.post("/agents", json=agent)).status_code == 201
            for params in ({"test": "1"}, {}):
                answer = await http.post(user.path(tier), params=params, json={})
                assert (answer.json()["result"] if params else answer.json()) == ["cat"], answer.text


async def test_a_secrets_value_is_nowhere(site: Site) -> None:
    """The other side echoes it in every way that it can; it must come back in none."""
    ways = [CANARY, quote(CANARY, safe=""), base64.b64encode(CANARY.encode()).decode()]
    heard: list[str] = []
    user = Caller.new()
    leaking = EVERYTHING.replace("    print(", "    print(page.text, page.headers, page.url)\n    print(")
    leaking = leaking.replace('"status": page.status,', '"status": page.status, "page": page.text, "url": page.url,')

    async def hear(answer: httpx.Response) -> None:
        await answer.aread()
        heard.append(f"{answer.headers!r} {answer.text}")

    echo = answering(" ".join(ways).encode(), head=f"X-Echo: {CANARY}\r\n")
    async with http_server(echo) as served, user.at(site.process) as http:
        http.event_hooks["response"].append(hear)
        await http.post("/agents", json={"agent_name": "double", "code": DOUBLE, "tier": "monty"})
        for tier in TIERS:
            await prepared(http, served, tier, tier)
            await http.patch(f"/agents/{tier}", json={"code": leaking}, headers={"If-Match": "*"})
            for params in ({"test": "1"}, {}):
                inputs = {"url": served.url(host="localhost")}
                run = await http.post(user.path(tier), params=params, json=inputs)
                assert run.status_code == 200, run.text
                run_id = run.headers["Glovebox-Run-Id"]
                for shown in ("", "/logs", "/effects", "/files"):
                    await http.get(f"/runs/{run_id}{shown}")
            await http.get(f"/agents/{tier}/secrets")
        await http.get("/account/export")

    stored = [row for rows in site.rows().values() for row in rows]
    assert [request.headers["authorization"] for request in served.requests] == [f"Bearer {CANARY}"] * 4
    for way in ways:
        for place in (*heard, *stored, *site.texts()):
            assert way not in place, place[max(0, place.find(way) - 100) :][:300]


async def test_a_killed_server_leaves_a_request_that_it_sent_unknown(
    cluster: Cluster, template: str, tmp_path: Path
) -> None:
    code = (
        "def run(inputs, ctx):\n    ctx.fetch(inputs['url'])\n    ctx.fetch(inputs['url'], 'POST', json={'order': 17})"
    )

    async def answer(request: Received, writer: asyncio.StreamWriter) -> None:
        if request.method == "GET":
            await answering(b"ready")(request, writer)
        else:
            process.signal(signal.SIGKILL)

    user = Caller.new()
    with database_from(cluster, template) as database:
        with server_process(database, tmp_path, GLOVEBOX_FETCH_PRIVATE_HOSTS='["localhost"]') as process:
            async with http_server(answer) as served, user.at(process) as http:
                hosts = [f"http://localhost:{served.port}"]
                agent = {"agent_name": "order", "code": code, "tier": "restricted", "allowed_hosts": hosts}
                assert (await http.post("/agents", json=agent)).status_code == 201
                with pytest.raises(httpx.TransportError):
                    await http.post(user.path("order"), json={"url": served.url(host="localhost")})
        with psycopg.connect(database.superuser_url) as conn:
            found = conn.execute("select seq, glove, request ->> 'method', status from public.run_effects").fetchall()

    assert found == [(2, "fetch", "POST", "unknown")]
