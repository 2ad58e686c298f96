"""What becomes of an idempotency key, against fakes: kept with the answer, or freed, by what the request came to."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.requests import Request
from starlette.responses import Response

from agents_store.errors import InsufficientCreditsError, StoreUnavailableError
from agents_store.types import BegunRun, Principal, Run
from server.edge import REQUEST_ID_KEY
from server.errors import InvalidKeyError, RunLostError
from server.idempotency import Attempt, Idempotency
from server.invocations.answers import answer_from_run
from server.invocations.beginnings import run_as_begun
from server.leases import Lease
from tests.support.records import run_start
from tests.unit.server.fakes import FakeStore

ALICE = Principal(uuid4())


def request(*keys: str, body: bytes = b"{}") -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"idempotency-key", key.encode("latin-1")) for key in keys]
    scope = {"type": "http", "method": "POST", "path": "/agents", "query_string": b"", "headers": headers}
    return Request(scope | {"server": ("x", 80), "scheme": "http", REQUEST_ID_KEY: uuid4()}, receive)


@pytest.fixture
def store() -> FakeStore:
    made = FakeStore()
    made.put_agent(ALICE.user_id, "hello")
    return made


@pytest.fixture
def once(store: FakeStore) -> Callable[..., Awaitable[Response]]:
    idempotency = Idempotency(store, Lease(store), answer_from_run)

    def carried(asked: Request, perform: Any) -> Awaitable[Response]:
        return idempotency.once(ALICE, asked, perform)

    return carried


def begun_run(store: FakeStore, run_id: UUID) -> Run:
    start = run_start(store.details[ALICE.user_id, "hello"])
    return run_as_begun(start, "restricted", BegunRun(run_id, ALICE.user_id, 1, 0, datetime.now(UTC)))


async def test_the_body_is_there_to_be_read_and_the_answer_is_kept(store: FakeStore, once: Any) -> None:
    async def perform(again: Request, attempt: Attempt) -> Response:
        return Response(await again.body(), 201, {"Location": "/x"}, "application/json")

    answer = await once(request("k", body=b'{"a":1}'), perform)

    assert (answer.status_code, answer.body) == (201, b'{"a":1}')
    kept = store.kept["k"]
    assert (kept.status, kept.body) == (201, b'{"a":1}')
    assert kept.headers == {"location": "/x", "content-type": "application/json"}


@pytest.mark.parametrize(
    ("error", "in_doubt"), [(InsufficientCreditsError(2, 1), False), (StoreUnavailableError(), True)]
)
async def test_a_refusal_before_anything_began_frees_the_key(
    store: FakeStore, once: Any, error: Exception, in_doubt: bool
) -> None:
    async def perform(again: Request, attempt: Attempt) -> Response:
        raise error

    with pytest.raises(type(error)):
        await once(request("k"), perform)

    assert store.freed == [("k", in_doubt)]
    assert store.kept == {}


@pytest.mark.parametrize(("error", "status"), [(RunLostError(uuid4()), 503), (RuntimeError("a defect"), 500)])
async def test_once_a_run_began_its_answer_is_kept_whatever_it_is(
    store: FakeStore, once: Any, error: Exception, status: int
) -> None:
    async def perform(again: Request, attempt: Attempt) -> Response:
        attempt.begun(begun_run(store, attempt.run_id))
        raise error

    answer = await once(request("k"), perform)

    assert (answer.status_code, store.kept["k"].status) == (status, status)
    assert store.freed == []


async def test_an_answer_is_kept_at_the_second_try(store: FakeStore, once: Any) -> None:
    async def perform(again: Request, attempt: Attempt) -> Response:
        store.down = 1
        return Response(b"1")

    await once(request("k"), perform)

    assert store.kept["k"].body == b"1"


@pytest.mark.parametrize("keys", [("",), ("a b",), ("é",), ("x" * 256,), ("a", "b"), ()])
async def test_what_is_no_key_is_refused_before_anything(store: FakeStore, once: Any, keys: tuple[str, ...]) -> None:
    async def perform(again: Request, attempt: Attempt) -> Response:
        raise AssertionError

    with pytest.raises(InvalidKeyError):
        await once(request(*keys), perform)
