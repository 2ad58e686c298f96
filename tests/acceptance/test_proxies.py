"""Who calls, and how they reach the server: what a header says counts only when a trusted proxy says it."""

from pathlib import Path

import pytest

from tests.acceptance.processes import Caller, Process, server_process
from tests.support.database import Database

SPOOFED = {
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "https",
    "x-forwarded-port": "444",
    "x-forwarded-prefix": "/evil",
    "forwarded": "for=127.0.0.1;host=evil.example;proto=https",
    "x-original-url": "/evil",
}
TRUST_ALL = '["127.0.0.1"]'


async def url_of_agent(process: Process, user: Caller, headers: dict[str, str]) -> str:
    async with user.at(process) as client:
        if (await client.get("/agents/hello")).status_code == 404:
            await client.post("/agents", json={"agent_name": "hello", "code": "def run():\n    return 1"})
        answer = await client.get("/agents/hello", headers=headers)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["url"])


async def metrics_status(process: Process, user: Caller, headers: dict[str, str]) -> int:
    async with user.at(process) as client:
        return (await client.get("/metrics", headers=headers)).status_code


@pytest.fixture
def user() -> Caller:
    return Caller.new()


async def test_an_untrusted_peers_headers_change_nothing(database: Database, tmp_path: Path, user: Caller) -> None:
    with server_process(database, tmp_path) as process:
        plain = await url_of_agent(process, user, {})
        spoofed = await url_of_agent(process, user, SPOOFED)
        local = await metrics_status(process, user, {})
        passed_on = await metrics_status(process, user, SPOOFED)

    assert plain == spoofed == f"{process.url}{user.path('hello')}"
    assert (local, passed_on) == (200, 404)


async def test_a_trusted_proxy_says_the_scheme_and_never_the_host(
    database: Database, tmp_path: Path, user: Caller
) -> None:
    with server_process(database, tmp_path, GLOVEBOX_TRUSTED_PROXIES=TRUST_ALL) as process:
        url = await url_of_agent(process, user, SPOOFED)
        local = await metrics_status(process, user, {})
        # What the proxy itself appends is the last; what its caller made up stands before it.
        passed_on = [
            await metrics_status(process, user, {"x-forwarded-for": claimed})
            for claimed in ("127.0.0.1, 203.0.113.9", "203.0.113.9", "127.0.0.1")
        ]

    assert url == f"{process.url.replace('http:', 'https:')}{user.path('hello')}"
    assert local == 200
    assert passed_on == [404] * 3


async def test_the_public_url_is_what_counts_whatever_anybody_says(
    database: Database, tmp_path: Path, user: Caller
) -> None:
    with server_process(database, tmp_path, GLOVEBOX_PUBLIC_URL="https://gloves.example/api") as process:
        urls = {
            await url_of_agent(process, user, headers)
            for headers in ({}, SPOOFED, {"host": "evil.example"}, {"host": "evil.example", **SPOOFED})
        }

    assert urls == {f"https://gloves.example/api{user.path('hello')}"}


async def test_browsers_may_call_from_the_listed_origins_alone(
    database: Database, tmp_path: Path, user: Caller
) -> None:
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}

    async def allowed(process: Process, origin: str) -> str | None:
        async with user.at(process) as client:
            answer = await client.options("/agents", headers={"Origin": origin, **preflight})
        found: str | None = answer.headers.get("access-control-allow-origin")
        return found

    with server_process(database, tmp_path) as closed:
        assert await allowed(closed, "https://app.example") is None
    with server_process(database, tmp_path, GLOVEBOX_CORS_ORIGINS='["https://app.example"]') as opened:
        assert await allowed(opened, "https://app.example") == "https://app.example"
        for other in ("https://evil.example", "http://app.example", "https://app.example.evil.example", "null"):
            assert await allowed(opened, other) is None
        async with user.at(opened) as client:
            answer = await client.get("/agents", headers={"Origin": "https://app.example"})
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        assert "access-control-allow-credentials" not in answer.headers
