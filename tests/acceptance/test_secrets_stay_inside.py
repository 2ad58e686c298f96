"""What a server logs and what it answers when things go wrong, searched for everything that must not be there."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql

from server.auth.api_key import mint_key
from server.auth.testing import SECRET
from tests.acceptance.processes import Caller, Process, server_process, token_of
from tests.acceptance.running import eventually
from tests.acceptance.shell import ROOT
from tests.support.database import LOGIN_PASSWORD, Cluster, Database, database_from

CANARIES = {name: f"canary{number}{name}" for number, name in enumerate(("input", "query", "code", "print", "header"))}
FAILING = f"""
def run(inputs):
    print("{CANARIES["print"]}")
    secret = "{CANARIES["code"]}"
    raise ValueError(inputs["text"])
"""
OURS = (str(ROOT), "site-packages", "/lib/python3", "Traceback", '.py\\", line')
SQL = ("select ", "insert into", "update public", "public.", "glovebox.begin", "SQLSTATE", "constraint", "pg_")


@dataclass
class Wiretap:
    """A server, its log, and every refusal that it sent."""

    process: Process
    database: Database
    log: Path
    refusals: list[str] = field(default_factory=list)

    async def heard(self, answer: httpx.Response) -> None:
        await answer.aread()
        if answer.status_code >= 400:
            self.refusals.append(f"{answer.status_code} {answer.headers!r} {answer.text}")

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def tap(cluster: Cluster, template: str, tmp_path: Path) -> Iterator[Wiretap]:
    log = tmp_path / "server.log"
    with (
        database_from(cluster, template) as database,
        server_process(database, tmp_path, log=log, GLOVEBOX_LOG_LEVEL="debug") as process,
    ):
        yield Wiretap(process, database, log)


@pytest.fixture
def user() -> Caller:
    return Caller.new()


@pytest.fixture
async def http(tap: Wiretap, user: Caller) -> AsyncIterator[httpx.AsyncClient]:
    async with user.at(tap.process) as client:
        client.event_hooks["response"].append(tap.heard)
        yield client


def found(needles: dict[str, str], haystack: list[str]) -> dict[str, str]:
    return {name: line[:300] for name, needle in needles.items() for line in haystack if needle in line}


async def test_no_secret_no_path_and_no_sql_leaves(tap: Wiretap, http: httpx.AsyncClient, user: Caller) -> None:
    made = await http.post("/agents", json={"agent_name": "failing", "code": FAILING})
    assert made.status_code == 201
    key = (await http.post("/api-keys", json={"name": "mine"})).json()
    unknown = mint_key().text

    await _ask_for_trouble(http, user, key["key"], unknown)
    told = await _metrics_and_streams(http)
    await http.delete(f"/api-keys/{key['id']}")
    await http.get("/credits", headers={"Authorization": f"Bearer {key['key']}"})
    await _lose_the_database(tap, http, user)

    secrets = {
        "token": token_of(user.id).rpartition(".")[2],
        "token head": token_of(user.id).partition(".")[0],
        "key": key["key"],
        "key's random part": key["key"][12:24],
        "unknown key": unknown,
        "shared secret": SECRET,
        "database password": LOGIN_PASSWORD,
        "header": CANARIES["header"],
    }
    ours = {name: name for name in (*OURS, str(tap.log.parent))}
    assert found(secrets | ours | {name: name for name in (*SQL, "psycopg")}, tap.refusals) == {}
    assert found(secrets | CANARIES | ours | {name: name for name in SQL}, tap.lines()) == {}
    assert found(secrets | ours | {name: name for name in SQL}, told) == {}
    assert len(told) > 2
    assert {refusal[:3] for refusal in tap.refusals} >= {"401", "403", "404", "409", "413", "415", "422", "502", "503"}
    assert len([line for line in tap.lines() if json.loads(line)["event"] == "request"]) > len(tap.refusals)


async def _ask_for_trouble(http: httpx.AsyncClient, user: Caller, key: str, unknown: str) -> None:
    """Requests of every kind that is refused, with something in each that must not come out elsewhere."""
    header = {"X-Canary": CANARIES["header"], "If-Match": CANARIES["header"]}
    own, inputs = user.path("failing"), {"text": CANARIES["input"]}
    for credential in (key[:-1], unknown, token_of(user.id)[:-6], f"{key}, {key}", CANARIES["header"]):
        await http.get("/credits", headers={**header, "Authorization": f"Bearer {credential}"})
    for path in (f"/agents/{key}", f"/agents/{token_of(user.id)}", f"/runs/{key}", f"/api-keys/{unknown}", f"/{key}"):
        await http.get(path, headers=header)
    for params in ({"text": CANARIES["query"]}, {"test": CANARIES["query"]}, {"token": key}, {"text": "x" * 20_000}):
        await http.get(own, params=params, headers=header)
    await http.post(own, json=inputs)
    await http.post(own, json=inputs, params={"test": "1"})
    for body in (b"\xff", b"[", b"{" * 5_000, json.dumps({CANARIES["input"]: key}).encode() * 2, b"x" * 2_000_000):
        for path in (own, "/agents", "/api-keys"):
            await http.post(path, content=body)
    await http.post(own, content=b"{}", headers={"Content-Encoding": "gzip"})
    for code in ("import os", "def run(:", f"def run(inputs):\n    return eval('{CANARIES['code']}')", "\0"):
        await http.post("/agents", json={"agent_name": "refused", "code": code})
    await http.post("/agents", json={"agent_name": "failing", "code": FAILING})
    await http.post("/agents", json={"agent_name": "x", "code": "x", CANARIES["input"]: 1})
    await http.get(Caller.new().path("failing"), params={"text": CANARIES["query"]})
    await http.post("/api-keys", json={}, headers={"Authorization": f"Bearer {key}"})
    await http.get("/runs", params={"cursor": CANARIES["query"]})


async def _metrics_and_streams(http: httpx.AsyncClient) -> list[str]:
    """What Prometheus and the followers of runs are told."""
    runs = (await http.get("/runs")).json()["items"]
    paths = ["/metrics", *(f"/runs/{run['id']}/logs" for run in runs)]
    answers = [await http.get(path, headers={"Accept": "text/event-stream, text/plain"}) for path in paths]
    assert {answer.status_code for answer in answers} == {200}
    assert "event: done" in answers[-1].text
    return [answer.text for answer in answers]


async def _lose_the_database(tap: Wiretap, http: httpx.AsyncClient, user: Caller) -> None:
    name = sql.Identifier(tap.database.name)
    with psycopg.connect(tap.database.cluster.superuser_url(), autocommit=True) as conn:
        conn.execute(sql.SQL("alter database {} allow_connections false").format(name))
        conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [tap.database.name])

        async def unavailable() -> bool:
            return (await http.get("/credits")).status_code == 503

        await eventually(unavailable)
        await asyncio.gather(
            http.post(user.path("failing"), json={"text": CANARIES["input"]}),
            http.post("/agents", json={"agent_name": "late", "code": FAILING}),
            http.get("/credits", headers={"Authorization": f"Bearer {mint_key().text}"}),
        )
        conn.execute(sql.SQL("alter database {} allow_connections true").format(name))


def test_search_would_find_what_is_there() -> None:
    """The control."""
    assert found({"key": "gbx_x"}, ["a line", "with gbx_x in it"]) == {"key": "with gbx_x in it"}
