"""Every route of the OpenAPI document, for everybody, with every kind of id: who gets what and who learns what."""

import re
import statistics
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count, product
from typing import Any

import httpx
import pytest

from server.app import create_app
from server.settings import Settings
from tests.acceptance.actors import ACTORS, ECHO, KINDS, PROVEN, Cast, cast_on
from tests.acceptance.running import RunningServer
from tests.support.figures import Record

Json = dict[str, Any]

NAME = "new-agent-{}"
_numbers = count(1)


@dataclass(frozen=True)
class Row:
    """What a route answers to who may: `status` to a token, `key_status` to an API key.

    `fresh`: it changes what it names, so every answer of success wants things of its own.
    """

    status: int = 200
    key_status: int | None = None
    body: Json | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    fresh: bool = False
    wants_etag: bool = False
    wants_confirmation: bool = False

    def of(self, actor: str) -> int:
        return self.key_status if actor == "key" and self.key_status is not None else self.status


# By operationId. A route that is not here fails the first test below: decide who may call it, and say so.
ROWS: dict[str, Row] = {
    "invoke_agent_by_get": Row(),
    "invoke_agent": Row(body={}),
    "dry_run_agent": Row(body={"inputs": {}}),
    "create_agent": Row(201, body={"agent_name": NAME, "code": ECHO}, fresh=True),
    "list_agents": Row(),
    "show_agent": Row(),
    "edit_agent": Row(body={"description": "changed"}, fresh=True, wants_etag=True),
    "delete_agent": Row(204, fresh=True),
    "list_versions": Row(),
    "show_version": Row(),
    "activate_version": Row(fresh=True, wants_etag=True),
    "check_agent": Row(),
    "revise_agent": Row(503, body={"instruction": "be brief"}),  # no model is set up here
    "list_generations": Row(),
    "show_generation": Row(404),
    "list_runs": Row(),
    "show_run": Row(),
    "show_run_logs": Row(),
    "cancel_run": Row(409),
    "show_run_effects": Row(),
    "list_run_files": Row(),
    "get_run_file": Row(),
    "apply_run": Row(409),
    "replay_run": Row(),
    "list_memory": Row(),
    "show_memory": Row(),
    "put_memory": Row(body={"value": 1}, fresh=True),
    "delete_memory": Row(204, fresh=True),
    "list_secrets": Row(),
    "put_secret": Row(body={"value": "v-of-8-or-more", "hosts": ["a.example"]}, fresh=True),
    "delete_secret": Row(204, fresh=True),
    "show_credits": Row(),
    "list_credit_entries": Row(),
    "create_api_key": Row(201, 403, body={}, fresh=True),
    "list_api_keys": Row(),
    "revoke_api_key": Row(204, 403, fresh=True),
    "show_account": Row(),
    "export_account": Row(),
    "erase_account": Row(204, 403, fresh=True, wants_confirmation=True),
    "live": Row(),
    "ready": Row(),
}


@dataclass(frozen=True)
class Operation:
    """One route of the document."""

    id: str
    method: str
    path: str
    protected: bool

    @property
    def names(self) -> list[str]:
        return re.findall(r"\{(\w+)\}", self.path)


def operations() -> list[Operation]:
    document = create_app(Settings(_env_file=None)).openapi()
    return [
        Operation(operation["operationId"], method.upper(), path, bool(operation["security"]))
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


OPERATIONS = operations()
PROTECTED = [operation for operation in OPERATIONS if operation.protected]
WRITABLE = [operation for operation in PROTECTED if ROWS.get(operation.id, Row()).body is not None]
by_id = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)


@pytest.fixture
async def cast(server: RunningServer) -> AsyncIterator[Cast]:
    async with cast_on(server) as made:
        yield made


async def sent(cast: Cast, operation: Operation, actor: str, ids: Mapping[str, str]) -> httpx.Response:
    row = ROWS[operation.id]
    headers = {}
    if row.wants_etag:
        headers["If-Match"] = (cast.bobs if actor == "other" else cast.alices).etag
    if row.wants_confirmation:
        headers["Glovebox-Confirm"] = str((cast.bob if actor == "other" else cast.alice).id)
    body = None if row.body is None else dict(row.body)
    if body is not None and body.get("agent_name") == NAME:
        body["agent_name"] = NAME.format(next(_numbers))
    return await cast.clients[actor].request(
        operation.method, operation.path.format(**ids), json=body, params=row.query, headers=headers
    )


def expected(operation: Operation, actor: str, kind: str) -> tuple[int, str | None]:
    """Status and, of a refusal, code."""
    row = ROWS[operation.id]
    if not operation.protected:
        return row.status, None
    if "user_id" in operation.names and kind == "malformed":
        return 404, "no_such_route"
    if actor not in PROVEN:
        return 401, "unauthenticated"
    mine = "foreign" if actor == "other" else "own"
    if row.of(actor) == 403:
        return 403, "token_required"
    if not operation.names or kind == mine:
        return row.of(actor), None
    if "user_id" in operation.names:
        return 403, "forbidden"
    return 404, None


def learned(answer: httpx.Response, ids: Mapping[str, str]) -> tuple[Any, ...]:
    """What an answer tells beyond the ids that were sent and those of the request itself."""
    text = answer.text
    for name, value in ids.items():
        if len(value) < 3:  # a version's number stands anywhere
            continue
        text = text.replace(value, f"<{name}>")
    text = re.sub(r'"instance":"[^"]*"', "", text)
    return answer.status_code, text, sorted(set(answer.headers) - {"date"})


def test_the_matrix_knows_every_route_and_no_others() -> None:
    assert {operation.id for operation in OPERATIONS} == set(ROWS)


@by_id
async def test_everybody_gets_what_is_theirs(server: RunningServer, operation: Operation) -> None:
    answered, wrong = set(), []
    async with AsyncExitStack() as stack:
        cast = await stack.enter_async_context(cast_on(server))
        for actor, kind in product(ACTORS, KINDS):
            answer = await sent(cast, operation, actor, cast.ids(kind))
            answered.add((actor, kind))
            status, code = expected(operation, actor, kind)
            found = answer.json().get("code") if answer.status_code >= 400 else None
            if answer.status_code != status or (code is not None and found != code):
                wrong.append((actor, kind, (status, code), (answer.status_code, answer.text[:200])))
            if answer.is_success and ROWS[operation.id].fresh:
                cast = await stack.enter_async_context(cast_on(server))

    assert wrong == []
    assert answered == set(product(ACTORS, KINDS))


NAMING = [operation for operation in PROTECTED if operation.names]


@pytest.mark.parametrize("operation", NAMING, ids=lambda operation: operation.id)
async def test_what_is_anothers_looks_like_what_is_not_there(cast: Cast, operation: Operation) -> None:
    for actor in ACTORS:
        foreign_ids, unknown_ids = cast.ids("own" if actor == "other" else "foreign"), cast.ids("unknown")
        foreign = await sent(cast, operation, actor, foreign_ids)
        unknown = await sent(cast, operation, actor, unknown_ids)

        assert learned(foreign, foreign_ids) == learned(unknown, unknown_ids), actor


@pytest.mark.parametrize(
    "operation", [each for each in PROTECTED if "user_id" in each.names], ids=lambda operation: operation.id
)
async def test_foreign_names_under_ones_own_path_are_unknown(cast: Cast, operation: Operation) -> None:
    """403 is for paths that name another user, and for nothing else."""
    answers = []
    for name in (cast.bobs.ids["agent_name"], "nobodys", "Not%20a%20name"):
        ids = cast.alices.named(agent_name=name)
        answers.append((await sent(cast, operation, "owner", ids), ids))

    assert {answer.status_code for answer, _ in answers} == {404}
    assert len({repr(learned(answer, ids)) for answer, ids in answers}) == 1


async def test_callers_nobody_proved_are_told_one_thing(cast: Cast) -> None:
    told = {
        repr(learned(await sent(cast, operation, actor, cast.ids("own")), cast.ids("own")))
        for operation in PROTECTED
        for actor in ACTORS
        if actor not in PROVEN
    }

    assert len(told) == 1


TIMED = ("show_agent", "show_run", "revoke_api_key", "list_versions")


async def _medians(cast: Cast, operation: Operation, tries: int) -> tuple[float, float]:
    """Median ms of a foreign and of an unknown id, taken in turns."""
    took: dict[str, list[float]] = {"foreign": [], "unknown": []}
    for _ in range(tries):
        for kind, times in took.items():
            ids = cast.ids(kind)
            started = time.perf_counter()
            await sent(cast, operation, "owner", ids)
            times.append((time.perf_counter() - started) * 1000)
    return statistics.median(took["foreign"]), statistics.median(took["unknown"])


@pytest.mark.parametrize("operation", [each for each in PROTECTED if each.id in TIMED], ids=lambda each: each.id)
async def test_a_foreign_id_takes_as_long_as_an_unknown_one(
    cast: Cast, operation: Operation, record_property: Record
) -> None:
    foreign_ms, unknown_ms = await _medians(cast, operation, 25)
    record_property("difference_ms", round(abs(foreign_ms - unknown_ms), 2))

    assert abs(foreign_ms - unknown_ms) <= 20


@pytest.mark.long
@pytest.mark.parametrize("operation", [each for each in PROTECTED if each.id in TIMED], ids=lambda each: each.id)
async def test_a_foreign_id_takes_as_long_as_an_unknown_one_over_200_tries(
    cast: Cast, operation: Operation, record_property: Record
) -> None:
    foreign_ms, unknown_ms = await _medians(cast, operation, 200)
    record_property("difference_over_200_tries_ms", round(abs(foreign_ms - unknown_ms), 2))

    assert abs(foreign_ms - unknown_ms) <= 20


SMUGGLED: dict[str, Any] = {
    "user_id": "6f0e0a7e-3d0a-4a52-9d4e-6a3f3f0f2a11",
    "credits": 10**12,
    "balance": 10**12,
    "available_microcredits": 10**12,
    "price": 0,
    "status": "deleted",
    "sandbox": "none",
    "created_at": "2001-01-01T00:00:00Z",
    "revision": 99,
    "id": "6f0e0a7e-3d0a-4a52-9d4e-6a3f3f0f2a11",
    "role": "service_role",
    "key_hash": "00",
    "limits": {"wall_ms_max": 10**9},
}


@pytest.mark.parametrize("smuggled", SMUGGLED)
@pytest.mark.parametrize("operation", WRITABLE, ids=lambda operation: operation.id)
async def test_what_a_body_must_not_set_is_refused_or_ignored(cast: Cast, operation: Operation, smuggled: str) -> None:
    row = ROWS[operation.id]
    before = await _state(cast)
    body = {**(row.body or {}), smuggled: SMUGGLED[smuggled]}
    if body.get("agent_name") == NAME:
        body["agent_name"] = NAME.format(next(_numbers))

    answer = await cast.alice.http.request(
        operation.method,
        operation.path.format(**cast.alices.ids),
        json=body,
        params={"test": "1"} if operation.id == "invoke_agent" else {},
        headers={"If-Match": cast.alices.etag} if row.wants_etag else {},
    )

    # An agent's inputs are its own: whatever they are called, they only reach the agent.
    assert answer.status_code == (200 if operation.id == "invoke_agent" else 422)
    assert await _state(cast) == before


async def _state(cast: Cast) -> list[Json]:
    lists = ("/credits", "/agents", "/api-keys")
    own = (*lists, f"/agents/{cast.alices.ids['agent_name']}")
    return [
        (await user.http.get(path)).json() for user, paths in ((cast.alice, own), (cast.bob, lists)) for path in paths
    ]
