"""What each failure of the Data API means, told by code, and what may be sent again."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from postgrest import APIError

from agents_store.errors import (
    SchemaMismatchError,
    StoreError,
    StoreMisconfiguredError,
    StoreUnavailableError,
    TokenRefusedError,
)
from agents_store.supabase_store import data_api
from agents_store.supabase_store.credentials import Project
from agents_store.supabase_store.data_api import DataApi
from agents_store.supabase_store.translate import (
    RefusedValueError,
    UnauthorizedError,
    failure_of,
    refuse_unauthorized,
)
from agents_store.types import Principal

Handler = Callable[[httpx.Request], httpx.Response]
PROJECT = Project("https://project.example", "sb_publishable_x", "sb_secret_x", "s" * 32)
USER = Principal(uuid4(), "the.users.token")
CODES: dict[str | None, tuple[type[Exception], bool]] = {
    "PGRST000": (StoreUnavailableError, True),
    "PGRST001": (StoreUnavailableError, True),
    "PGRST002": (StoreUnavailableError, True),
    "PGRST003": (StoreUnavailableError, True),
    "40001": (StoreUnavailableError, True),
    "40P01": (StoreUnavailableError, True),
    "57014": (StoreUnavailableError, False),
    "55P03": (StoreUnavailableError, False),
    "53300": (StoreUnavailableError, False),
    "08006": (StoreUnavailableError, False),
    "503": (StoreUnavailableError, False),
    "502": (StoreUnavailableError, False),
    "429": (StoreUnavailableError, False),
    "PGRST202": (SchemaMismatchError, False),
    "PGRST205": (SchemaMismatchError, False),
    "42P01": (SchemaMismatchError, False),
    "42883": (SchemaMismatchError, False),
    "42501": (StoreMisconfiguredError, False),
    "22P02": (RefusedValueError, False),
    "23505": (RefusedValueError, False),
    "PGRST100": (StoreError, False),
    None: (StoreError, False),
}


@pytest.mark.parametrize("code", CODES)
def test_code_tells_what_it_was_and_whether_anything_was_changed(code: str | None) -> None:
    failure = failure_of(APIError({"code": code, "message": "42501 in words proves nothing"}), as_user=False)

    assert (type(failure.error), failure.changed_nothing) == CODES[code]


def test_what_was_never_sent_changed_nothing() -> None:
    for unsent in (httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.PoolTimeout("x")):
        assert failure_of(unsent, as_user=False).changed_nothing
    for sent in (httpx.ReadTimeout("x"), httpx.ReadError("x"), httpx.RemoteProtocolError("x")):
        failure = failure_of(sent, as_user=False)
        assert (type(failure.error), failure.changed_nothing) == (StoreUnavailableError, False)


def test_refused_token_is_the_callers_and_a_refused_key_the_operators() -> None:
    assert isinstance(failure_of(UnauthorizedError(), as_user=True).error, TokenRefusedError)
    assert isinstance(failure_of(UnauthorizedError(), as_user=False).error, StoreMisconfiguredError)


class ScriptedApi(DataApi):
    """A Data API behind a transport that answers as a test says."""

    def __init__(self, handler: Handler, project: Project = PROJECT) -> None:
        super().__init__(project)
        self.requests: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return handler(request)

        self._http = httpx.AsyncClient(
            transport=httpx.MockTransport(answer), event_hooks={"response": [refuse_unauthorized]}
        )


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_api, "RETRY_S", 0.0)


def problem(code: str, status: int = 500) -> httpx.Response:
    return httpx.Response(status, json={"code": code, "message": "no", "details": None, "hint": None})


def value(answer: Any) -> httpx.Response:
    return httpx.Response(200, json=json.dumps({"value": answer}))


async def test_write_is_sent_again_only_where_it_changed_nothing() -> None:
    for code, sent in (("40001", 3), ("PGRST003", 3), ("57014", 1), ("503", 1)):
        api = ScriptedApi(lambda _request, code=code: problem(code))  # type: ignore[misc] # a default binds it
        with pytest.raises(StoreUnavailableError):
            await api.call(USER, "begin_run", {})
        assert len(api.requests) == sent


async def test_read_is_sent_again_and_at_most_twice() -> None:
    answers = iter([problem("PGRST001", 503), httpx.Response(502, text="bad gateway"), httpx.Response(200, json=[])])
    api = ScriptedApi(lambda _request: next(answers))

    assert await api.rows(api.table(USER, "runs").select("id")) == []
    api = ScriptedApi(lambda _request: problem("57014"))
    with pytest.raises(StoreUnavailableError):
        await api.rows(api.table(USER, "runs").select("id"))
    assert len(api.requests) == 3


async def test_value_that_is_refused_is_not_sent_again() -> None:
    refused = {"refused": {"sqlstate": "23505", "constraint": "agents_name_once"}}
    api = ScriptedApi(lambda _request: httpx.Response(200, json=json.dumps(refused)))

    with pytest.raises(RefusedValueError, match="agents_name_once"):
        await api.call(USER, "create_agent", {})
    assert len(api.requests) == 1


async def test_user_reads_with_the_publishable_key_and_the_own_token_and_the_server_calls_with_the_secret_key() -> None:
    api = ScriptedApi(lambda request: httpx.Response(200, json=[]) if request.method == "GET" else value(None))

    await api.rows(api.table(USER, "runs").select("id"))
    await api.call(USER, "delete_agent", {"agent_name": "x"})

    read, call = api.requests
    assert (read.headers["apikey"], read.headers["authorization"]) == ("sb_publishable_x", "Bearer the.users.token")
    assert call.headers["apikey"] == "sb_secret_x"
    assert "authorization" not in call.headers  # a key of the new kind is no token
    assert json.loads(call.content)["p_user_id"] == str(USER.user_id)


async def test_legacy_keys_are_tokens_too() -> None:
    project = Project("https://project.example", "anon.jwt", "service.jwt", None)
    api = ScriptedApi(lambda _request: value(None), project)

    await api.call_as_server("ping", {})

    assert api.requests[0].headers["authorization"] == "Bearer service.jwt"


async def test_users_at_once_each_come_with_their_own_token() -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=[{"sent": request.headers["authorization"]}])

    api = ScriptedApi(echo)
    users = [Principal(uuid4(), f"token-{number}") for number in range(50)]

    read = await asyncio.gather(*(api.rows(api.table(user, "runs").select("id")) for user in users))

    assert [rows[0]["sent"] for rows in read] == [f"Bearer {user.token}" for user in users]
