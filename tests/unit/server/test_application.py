"""The application over HTTP on fakes: what is answered before anything is read, and by which problem."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import httpx
import pytest
import structlog
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.tiers import Tiers
from sandbox.types import Inputs, Outcome, Program, Refusal, Result
from server.app import build_app
from server.edge import HEADER_BYTES_MAX, HEADER_FIELDS_MAX
from server.services import Services, wire
from server.settings import Settings
from tests.unit.server.fakes import FakeSandbox, FakeStore, FakeVerifier, fake_fitting

ALICE, BOB = uuid4(), uuid4()
OWN = f"/agents/{ALICE}/hello"


class Site:
    """An application and the fakes under it."""

    def __init__(self, **settings: Any) -> None:
        self.settings = Settings(_env_file=None, **settings)
        self.store = FakeStore()
        self.sandbox = FakeSandbox()
        self.store.put_agent(ALICE, "hello")
        self.app = build_app(self.settings, self._services)

    @asynccontextmanager
    async def _services(self) -> AsyncIterator[Services]:
        tiers, fitting = Tiers([self.sandbox]), fake_fitting(self.store)
        yield wire(self.settings, self.store, tiers, FakeVerifier(), fitting)  # type: ignore[arg-type]

    @asynccontextmanager
    async def client(self, user_id: UUID | None = ALICE) -> AsyncIterator[httpx.AsyncClient]:
        headers = {} if user_id is None else {"Authorization": f"Bearer {user_id}"}
        async with (
            self.app.router.lifespan_context(self.app),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(self.app), base_url="http://server", headers=headers
            ) as client,
        ):
            yield client


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
async def alice(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with site.client() as client:
        yield client


@pytest.fixture
async def anonymous(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with site.client(None) as client:
        yield client


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    document: dict[str, Any] = answer.json()
    assert (document["status"], document["code"]) == (status, code)
    assert document["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"
    return document


PROTECTED: list[tuple[str, str, Any]] = [
    ("GET", OWN, None),
    ("POST", OWN, {}),
    ("GET", f"/agents/{BOB}/hello", None),
    ("GET", f"{OWN}?test=maybe", None),
    ("GET", f"{OWN}?{'x' * 20_000}", None),
    ("POST", OWN, b"not json"),
    ("POST", OWN, b"x" * 2_000_000),
    ("POST", "/agents", {}),
    ("POST", "/agents", b"x" * 2_000_000),
    ("GET", "/agents", None),
    ("GET", "/agents?limit=nonsense", None),
    ("GET", "/agents/hello", None),
    ("GET", "/agents/Not-A-Name", None),
    ("PATCH", "/agents/hello", {}),
    ("PATCH", "/agents/hello", b"x" * 2_000_000),
    ("DELETE", "/agents/hello", None),
    ("GET", "/agents/hello/versions", None),
    ("GET", "/agents/hello/versions/nonsense", None),
    ("POST", "/agents/hello/versions/1/activate", None),
    ("POST", "/agents/hello/check", None),
    ("GET", "/account", None),
    ("GET", "/account/export", None),
    ("DELETE", "/account", None),
    ("GET", "/runs", None),
    ("GET", "/runs?cursor=nonsense", None),
    ("GET", f"/runs/{uuid4()}", None),
    ("GET", "/runs/nonsense", None),
    ("GET", "/runs/nonsense/logs", None),
    ("GET", "/credits", None),
    ("GET", "/credits/entries?limit=0", None),
]


@pytest.mark.parametrize(("method", "path", "body"), PROTECTED)
async def test_who_proves_nothing_is_told_so_before_anything_is_read(
    anonymous: httpx.AsyncClient, site: Site, method: str, path: str, body: Any
) -> None:
    content = {"content": body} if isinstance(body, bytes) else {"json": body}

    answer = await anonymous.request(method, path, **content)

    assert_problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert site.store.reads == 0


async def test_two_authorization_headers_prove_nothing(anonymous: httpx.AsyncClient) -> None:
    headers = [("Authorization", f"Bearer {ALICE}"), ("Authorization", f"Bearer {ALICE}")]

    assert_problem(await anonymous.get("/credits", headers=headers), 401, "unauthenticated")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"/agents/{BOB}/hello", None),
        ("GET", f"/agents/{BOB}/nobody?test=maybe", None),
        ("POST", f"/agents/{BOB}/hello", b"not json"),
        ("GET", f"/agents/{BOB}/Not%20A%20Name", None),
    ],
)
async def test_anothers_path_is_forbidden_before_anything_is_read(
    alice: httpx.AsyncClient, site: Site, method: str, path: str, body: bytes | None
) -> None:
    assert_problem(await alice.request(method, path, content=body), 403, "forbidden")

    assert site.store.reads == 0


@pytest.mark.parametrize("spelling", [str(ALICE), str(ALICE).upper(), ALICE.hex])
async def test_any_spelling_of_the_users_id_names_the_user(alice: httpx.AsyncClient, spelling: str) -> None:
    assert (await alice.get(f"/agents/{spelling}/hello")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "no_such_route"),
        ("GET", "/agents/", 404, "no_such_route"),
        ("GET", "/nowhere", 404, "no_such_route"),
        ("GET", f"/agents/{ALICE}", 404, "unknown_agent"),
        ("GET", f"/agents/{ALICE}/nobody", 404, "unknown_agent"),
        ("GET", f"/agents/{ALICE}/a%00b", 404, "unknown_agent"),
        ("GET", f"/agents/{ALICE}/hello/more", 404, "no_such_route"),
        ("GET", "/agents/hello/version", 404, "no_such_route"),
        ("GET", "/runs/nonsense", 404, "unknown_run"),
        ("GET", f"/runs/{uuid4()}", 404, "unknown_run"),
        ("GET", f"/runs/{uuid4()}/logs", 404, "unknown_run"),
        ("DELETE", "/agents/nobody", 404, "unknown_agent"),
        ("GET", "/agents?limit=0", 422, "invalid_request"),
        ("GET", "/agents?limit=101", 422, "invalid_request"),
        ("GET", "/agents?cursor=x", 422, "invalid_cursor"),
        ("GET", f"/runs/{uuid4()}/logs?cursor=x", 422, "invalid_cursor"),
        ("GET", f"/runs/{uuid4()}/logs?cursor=99999999999", 422, "invalid_cursor"),
        ("GET", f"{OWN}?a=%ff", 422, "invalid_request"),
        ("GET", f"{OWN}?a=%00", 422, "invalid_request"),
        ("GET", f"{OWN}?test=maybe", 422, "invalid_request"),
        ("GET", f"{OWN}?test=1&test=1", 422, "invalid_request"),
        ("GET", f"{OWN}?{'x' * 20_000}", 414, "query_too_long"),
        ("GET", f"{OWN}?{'a&' * 2_000}", 422, "invalid_request"),
        ("POST", OWN, 422, "invalid_request"),
        ("POST", f"{OWN}?name=World", 422, "invalid_request"),
        ("GET", f"/agents?{'x' * 20_000}", 414, "query_too_long"),
    ],
)
async def test_what_cannot_be_served_is_answered_by_a_problem(
    alice: httpx.AsyncClient, site: Site, method: str, path: str, status: int, code: str
) -> None:
    assert_problem(await alice.request(method, path), status, code)

    assert not site.store.starts


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("HEAD", OWN, "GET, POST"),
        ("OPTIONS", OWN, "GET, POST"),
        ("PUT", OWN, "GET, POST"),
        ("DELETE", "/agents", "GET, POST"),
        ("PUT", "/agents/hello", "DELETE, GET, PATCH"),
        ("HEAD", "/runs", "GET"),
        ("POST", "/credits", "GET"),
        ("POST", "/health/live", "GET"),
    ],
)
async def test_an_unknown_method_runs_nothing_and_is_told_which_are_known(
    alice: httpx.AsyncClient, site: Site, method: str, path: str, allow: str
) -> None:
    answer = await alice.request(method, path)

    assert (answer.status_code, answer.headers["allow"]) == (405, allow)
    assert not site.store.starts


@pytest.mark.parametrize("content", [b"", b"[]", b"1", b'"x"', b"null", b'{"a":1,"a":2}', b'{"a":NaN}', b"{"])
async def test_a_body_that_is_no_json_object_runs_nothing(alice: httpx.AsyncClient, site: Site, content: bytes) -> None:
    assert_problem(await alice.post(OWN, content=content), 422, "invalid_request")

    assert not site.store.starts


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_above_the_bound_is_refused(alice: httpx.AsyncClient, site: Site, announced: bool) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 65_536

    answer = await alice.post(OWN, content=b" " * 2_000_000 if announced else chunks())

    assert assert_problem(answer, 413, "body_too_large")["body_bytes_max"] == 1024 * 1024
    assert not site.store.starts


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Sec-Purpose": "prefetch;anonymous-client-ip"},
        {"Purpose": "prefetch"},
    ],
)
async def test_a_prefetch_runs_nothing(alice: httpx.AsyncClient, site: Site, headers: dict[str, str]) -> None:
    assert_problem(await alice.get(OWN, headers=headers), 400, "prefetch_refused")

    assert not site.store.starts


@pytest.mark.parametrize(
    "headers",
    [{"X-Large": "x" * HEADER_BYTES_MAX}, {f"X-{index}": "1" for index in range(HEADER_FIELDS_MAX + 1)}],
)
async def test_too_many_headers_are_refused(alice: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert_problem(await alice.get("/credits", headers=headers), 431, "headers_too_large")


async def test_a_defect_of_ours_is_logged_and_says_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise KeyError("postgresql://glovebox:hunter2@db")

    monkeypatch.setattr(site.store, "get_balance", broken)
    async with site.client() as client:
        answer = await client.get("/credits")

    assert_problem(answer, 500, "internal")
    assert "hunter2" not in answer.text


async def test_an_absent_database_is_ours_and_says_when_to_try_again(site: Site) -> None:
    async with site.client() as client:
        for path in ("/credits", "/agents", OWN):
            site.store.down = 1
            answer = await client.get(path)

            assert_problem(answer, 503, "store_unavailable")
            assert answer.headers["retry-after"] == "2"


async def test_every_answer_carries_what_browsers_need_to_be_told(alice: httpx.AsyncClient) -> None:
    for path in (OWN, "/credits", "/health/live", "/nowhere"):
        answer = await alice.get(path)

        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert str(UUID(answer.headers["x-request-id"])) == answer.headers["x-request-id"]


async def test_probes_are_open(anonymous: httpx.AsyncClient, site: Site) -> None:
    assert (await anonymous.get("/health/live")).json() == {"status": "ok"}
    assert_problem(await anonymous.get("/health/ready"), 503, "not_ready")

    await services_of(site.app).lease.beat()

    assert (await anonymous.get("/health/ready")).json() == {"status": "ok"}


async def test_a_stopping_process_is_not_ready_and_admits_nothing(alice: httpx.AsyncClient, site: Site) -> None:
    services_of(site.app).stop_admitting()

    assert_problem(await alice.get("/health/ready"), 503, "not_ready")
    assert_problem(await alice.get(OWN), 503, "shutting_down")
    assert not site.store.starts


def services_of(app: FastAPI) -> Services:
    services: Services = app.state.services
    return services


async def test_probing_asks_the_database_at_most_once_a_second(
    anonymous: httpx.AsyncClient, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    pings: list[int] = []

    async def ping() -> None:
        pings.append(1)

    monkeypatch.setattr(site.store, "ping", ping)
    for _ in range(5):
        await anonymous.get("/health/ready")

    assert len(pings) == 1


async def test_a_body_that_does_not_arrive_in_time_is_refused(
    alice: httpx.AsyncClient, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.bodies.BODY_MS_MAX", 10)

    async def stalled() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(5)

    async with asyncio.timeout(2):
        answer = await alice.post(OWN, content=stalled())

    assert_problem(answer, 408, "body_too_slow")
    assert not site.store.starts


async def test_a_user_at_the_bound_has_no_further_body_read(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(user_runs_live_max=1)
    release = asyncio.Event()

    async def wait(program: Program, inputs: Inputs) -> Result:
        await release.wait()
        return Result(Outcome.SUCCEEDED)

    site.sandbox.behaviour = wait
    async with site.client() as client:
        first = asyncio.create_task(client.get(OWN))
        await site.sandbox.started.wait()

        answer = await client.post(OWN, content=b"not json")

        assert_problem(answer, 429, "too_many_runs")
        assert answer.headers["retry-after"] == "1"
        release.set()
        assert (await first).status_code == 200


async def test_a_requests_log_line_has_its_ids_and_nothing_of_its_query(
    alice: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with structlog.testing.capture_logs() as lines:
        answer = await alice.get(f"{OWN}?password=hunter2")

    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["method"], line["path"], line["status"]) == ("GET", OWN, 200)
    assert (line["user_id"], line["run_id"]) == (str(ALICE), answer.headers["glovebox-run-id"])
    assert "hunter2" not in str(lines)


ANY_ROUTE = st.sampled_from(
    ["/agents", "/agents/hello", OWN, "/runs", f"/runs/{BOB}", f"/runs/{BOB}/logs", "/credits", "/credits/entries"]
)
ANY_VALUE = st.text(max_size=20) | st.sampled_from(
    ["", "1", "-1", "0", "99999999999999999999", "\x00", "null", "\udc00"]
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["agent_name", "code", "tier", "inputs_schema", "examples", "limits", "type", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "DELETE", "PUT"]),
    path=ANY_ROUTE,
    query=st.dictionaries(
        st.sampled_from(["test", "limit", "cursor", "name", "agent_name", "x"]), ANY_VALUE, max_size=3
    ),
    body=st.binary(max_size=40) | ANY_JSON.map(lambda value: json.dumps(value).encode()),
)
async def test_nothing_that_a_caller_sends_is_a_defect_of_ours(
    site: Site, alice: httpx.AsyncClient, method: str, path: str, query: dict[str, str], body: bytes
) -> None:
    encoded = urlencode(query, errors="surrogatepass")

    answer = await alice.request(method, f"{path}?{encoded}", content=body)

    assert answer.status_code < 500, answer.text
    assert answer.status_code < 300 or answer.headers["content-type"] == "application/problem+json"
    assert set(site.store.begun) == set(site.store.ends)


async def test_origins_are_closed_by_default_and_opened_by_settings() -> None:
    preflight = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    closed, opened = Site(), Site(cors_origins=("https://app.example",))
    async with closed.client() as client:
        refused = await client.options(OWN, headers=preflight)
    async with opened.client() as client:
        allowed = await client.options(OWN, headers=preflight)
        read = await client.get(OWN, headers={"Origin": "https://app.example"})
        foreign = await client.get(OWN, headers={"Origin": "https://evil.example"})

    assert "access-control-allow-origin" not in refused.headers
    assert allowed.headers["access-control-allow-origin"] == "https://app.example"
    assert "Glovebox-Run-Id" in read.headers["access-control-expose-headers"]
    assert "access-control-allow-origin" not in foreign.headers
    assert len(opened.store.starts) == 2


CREATE = {"agent_name": "new", "code": "def run():\n    return 1"}


async def test_an_agent_is_created_and_shown_with_its_contract(alice: httpx.AsyncClient) -> None:
    contract = {
        "description": "adds",
        "tier": "restricted",
        "inputs_schema": {"type": "object", "properties": {"n": {"type": "integer"}}},
        "examples": [{"inputs": {"n": 1}, "expect": 1}],
        "limits": {"wall_ms_max": 500},
    }

    answer = await alice.post("/agents", json=CREATE | contract)

    assert (answer.status_code, answer.headers["location"]) == (201, "/agents/new")
    created = answer.json()
    assert {name: created[name] for name in ("description", "inputs_schema", "examples")} == {
        name: contract[name] for name in ("description", "inputs_schema", "examples")
    }
    assert created["limits"] == {
        "wall_ms_max": 500,
        "cpu_ms_max": 5_000,
        "memory_bytes_max": 128 * 1024**2,
        "output_bytes_max": 1024**2,
        "processes_max": 16,
        "disk_bytes_max": 64 * 1024**2,
        "fetches_max": 20,
        "calls_max": 10,
        "effects_bytes_max": 4 * 1024**2,
    }
    assert created["url"] == f"http://server/agents/{ALICE}/new"
    assert created["created_at"].endswith("Z")
    assert created == (await alice.get("/agents/new")).json()
    listed = (await alice.get("/agents?name=new")).json()
    assert listed["next_cursor"] is None
    assert [set(created) - set(item) for item in listed["items"]] == [
        {"code", "inputs_schema", "examples", "limits", "tier_reasons", "allowed_hosts"}
    ]


async def test_a_public_url_is_what_agents_are_reached_by() -> None:
    site = Site(public_url="https://gloves.example/api/")
    async with site.client() as client:
        shown = (await client.get("/agents/hello")).json()

    assert shown["url"] == f"https://gloves.example/api/agents/{ALICE}/hello"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"agent_name": "Hello"}, "/agent_name"),
        ({"agent_name": ""}, "/agent_name"),
        ({"agent_name": "a" * 64}, "/agent_name"),
        ({"agent_name": "hello\n"}, "/agent_name"),
        ({"agent_name": str(uuid4())}, "/agent_name"),
        ({"agent_name": uuid4().hex}, "/agent_name"),
        ({"agent_name": 7}, "/agent_name"),
        ({"agent_name": None}, "/agent_name"),
        ({"code": ""}, "/code"),
        ({"code": None}, "/description"),
        ({"code": "#" * (256 * 1024 + 1)}, "/code"),
        ({"code": "#" + "ü" * 131_072}, "/code"),
        ({"description": "x" * 5_000}, "/description"),
        ({"tier": "kernel"}, "/tier"),
        ({"user_id": str(BOB)}, "/user_id"),
        ({"status": "active"}, "/status"),
        ({"version": 7}, "/version"),
        ({"limits": {"wall_ms_max": 300_001}}, "/limits/wall_ms_max"),
        ({"limits": {"wall_ms_max": 0}}, "/limits/wall_ms_max"),
        ({"limits": {"wall_ms_max": "500"}}, "/limits/wall_ms_max"),
        ({"limits": {"wall_ms_max": 1.5}}, "/limits/wall_ms_max"),
        ({"limits": {"wall_ms_max": True}}, "/limits/wall_ms_max"),
        ({"limits": {"processes_max": 1}, "tier": "restricted"}, "/limits/processes_max"),
        ({"limits": {"cpu_ms_max": 1}, "tier": "monty"}, "/limits/cpu_ms_max"),
        ({"limits": {"files_max": 1}}, "/limits/files_max"),
        ({"inputs_schema": []}, "/inputs_schema"),
        ({"inputs_schema": {"pattern": "x"}}, "/inputs_schema/pattern"),
        ({"inputs_schema": {"properties": {"test": {}}}}, "/inputs_schema/properties/test"),
        ({"examples": [{"expect": 1}]}, "/examples/0/inputs"),
        ({"examples": [{"inputs": [], "expect": 1}]}, "/examples/0/inputs"),
        ({"examples": [{"inputs": {"test": 1}, "expect": 1}]}, "/examples/0/inputs/test"),
        ({"examples": [{"inputs": {}, "expect": 1}] * 51}, "/examples"),
        (
            {"inputs_schema": {"required": ["n"]}, "examples": [{"inputs": {}, "expect": 1}]},
            "/examples/0/inputs",
        ),
    ],
)
async def test_what_an_agent_cannot_be_is_refused_at_its_place(
    alice: httpx.AsyncClient, site: Site, changes: dict[str, Any], path: str
) -> None:
    document = assert_problem(await alice.post("/agents", json=CREATE | changes), 422, "invalid_request")

    assert path in [error["path"] for error in document["errors"]]
    assert len(site.store.details) == 1


async def test_refused_code_is_explained_at_its_line(alice: httpx.AsyncClient, site: Site) -> None:
    site.sandbox.refusals = (Refusal(2, 5, "import os", "use pathlib"),)

    document = assert_problem(await alice.post("/agents", json=CREATE), 422, "code_rejected")

    assert document["errors"] == [{"line": 2, "column": 5, "construct": "import os", "message": "use pathlib"}]
    assert len(site.store.details) == 1


async def test_a_taken_name_is_a_conflict(alice: httpx.AsyncClient) -> None:
    assert_problem(await alice.post("/agents", json=CREATE | {"agent_name": "hello"}), 409, "agent_exists")


async def test_a_deleted_agent_is_gone_at_once(alice: httpx.AsyncClient) -> None:
    assert (await alice.get(OWN)).status_code == 200

    assert (await alice.delete("/agents/hello")).status_code == 204

    assert_problem(await alice.get(OWN), 404, "unknown_agent")
    assert_problem(await alice.get("/agents/hello"), 404, "unknown_agent")


async def test_query_inputs_and_body_inputs_reach_the_program(alice: httpx.AsyncClient) -> None:
    assert (await alice.get(f"{OWN}?a=1&b=x&b=y&test=0")).json() == {"a": "1", "b": ["x", "y"]}
    assert (await alice.post(OWN, json={"a": 1, "test": [None]})).json() == {"a": 1, "test": [None]}


@pytest.mark.parametrize("make", [dict, list])
async def test_a_run_is_shown_with_the_agents_own_text(alice: httpx.AsyncClient, make: Callable[[], object]) -> None:
    answered = await alice.post(OWN, json={"a": 1.50, "b": make()})

    run = (await alice.get(f"/runs/{answered.headers['glovebox-run-id']}")).json()

    assert set(run) == {
        "id", "kind", "agent_name", "version", "tier", "wall", "wall_missing", "test", "state", "outcome", "reason",
        "inputs", "result", "error", "usage", "charge_microcredits", "created_at", "started_at", "finished_at",
    }  # fmt: skip
    assert run["result"] == answered.json()
    assert run["usage"] == {"wall_ms": 1, "cpu_ms": 1, "peak_memory_bytes": 0, "output_bytes": 2}
