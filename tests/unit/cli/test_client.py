"""The client: what it sends where, and what becomes of every kind of answer."""

import json
from collections.abc import Callable

import httpx
import pytest
from pydantic import AnyHttpUrl, SecretStr

from server.cli import client as client_module
from server.cli.client import ApiClient, ClientSettings
from server.cli.errors import CliError, Exit, NotAuthenticatedError, ProblemError, ServerUnreachableError

TOKEN = "a.b.c"
RUN_ID = "0192f5a0-0000-7000-8000-000000000001"
Handler = Callable[[httpx.Request], httpx.Response]


def settings(token: str | None = TOKEN) -> ClientSettings:
    secret = None if token is None else SecretStr(token)
    return ClientSettings(_env_file=None, url=AnyHttpUrl("http://127.0.0.1:8000"), token=secret)


def client_for(handler: Handler) -> ApiClient:
    return ApiClient(settings(), transport=httpx.MockTransport(handler))


def answering(status: int, content: bytes, headers: dict[str, str] | None = None) -> ApiClient:
    return client_for(lambda _request: httpx.Response(status, content=content, headers=headers))


def test_token_goes_along_as_bearer() -> None:
    client = client_for(lambda request: httpx.Response(200, json={"sent": request.headers["Authorization"]}))

    assert client.get("/credits") == {"sent": "Bearer a.b.c"}


@pytest.mark.parametrize("token", [None, "two words", "new\nline", "snow☃"])
def test_what_cannot_be_a_token_is_refused_before_anything_is_sent(token: str | None) -> None:
    with pytest.raises(NotAuthenticatedError) as refused:
        ApiClient(settings(token))

    assert refused.value.exit_code is Exit.AUTH


def test_token_is_not_in_the_refusal() -> None:
    with pytest.raises(NotAuthenticatedError) as refused:
        ApiClient(settings("very secret token"))

    assert "secret" not in str(refused.value)


def test_redirect_is_not_followed() -> None:
    asked: list[str] = []

    def redirect(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(307, headers={"Location": "http://elsewhere.example/credits"})

    with pytest.raises(ProblemError):
        client_for(redirect).get("/credits")

    assert asked == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("status", "exit_code"),
    [
        (401, Exit.AUTH),
        (403, Exit.AUTH),
        (404, Exit.NOT_FOUND),
        (409, Exit.CONFLICT),
        (412, Exit.CONFLICT),
        (402, Exit.CREDITS_OR_RATE),
        (429, Exit.CREDITS_OR_RATE),
        (422, Exit.FAILURE),
        (500, Exit.FAILURE),
        (503, Exit.FAILURE),
    ],
)
def test_status_decides_the_exit_status(status: int, exit_code: Exit) -> None:
    problem = json.dumps({"detail": "This happened.", "code": "some_code"}).encode()

    with pytest.raises(ProblemError, match=r"This happened\. \[some_code\]") as failed:
        answering(status, problem).get("/credits")

    assert failed.value.exit_code is exit_code


def test_outcome_of_a_run_is_a_plain_failure_that_points_to_its_logs() -> None:
    problem = json.dumps({"detail": "Cancelled.", "code": "cancelled"}).encode()

    with pytest.raises(ProblemError) as failed:
        answering(409, problem, {"Glovebox-Run-Id": RUN_ID}).get("/agents/u/a")

    assert failed.value.exit_code is Exit.FAILURE
    assert RUN_ID in str(failed.value.hint)


@pytest.mark.parametrize("content", [b"", b"<html>", b"[1]", b'"text"', b"[" * 100_000])
def test_refusal_without_a_problem_document_is_still_told_by_its_status(content: bytes) -> None:
    with pytest.raises(ProblemError, match="HTTP 502"):
        answering(502, content).get("/credits")


@pytest.mark.parametrize("content", [b"<html>", b"{", b"\xff\xfe", b"[" * 100_000])
def test_success_without_json_is_an_error(content: bytes) -> None:
    with pytest.raises(CliError, match="no JSON"):
        answering(200, content).get("/credits")


@pytest.mark.parametrize("content", [b"[]", b"1", b"null", b""])
def test_answer_that_is_no_object_is_an_error(content: bytes) -> None:
    with pytest.raises(CliError, match="no JSON object"):
        answering(200, content).get("/credits")


def test_member_that_the_answer_lacks_is_an_error_at_any_depth() -> None:
    answer = answering(200, b'{"items": [{"id": 1}]}').get("/agents")

    with pytest.raises(CliError, match="the answer has no 'next_cursor'"):
        answer["next_cursor"]
    with pytest.raises(CliError, match="the answer has no 'agent_name'"):
        answer["items"][0]["agent_name"]


def test_empty_answer_is_none() -> None:
    assert answering(204, b"").request("DELETE", "/agents/a").body is None


def test_endless_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "ANSWER_BYTES_MAX", 10)

    with pytest.raises(CliError, match="larger"):
        answering(200, b"x" * 11).get("/credits")


@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ReadTimeout(""), httpx.ReadError("")])
def test_silence_is_told_with_what_to_do(error: Exception) -> None:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(ServerUnreachableError, match=r"no answer from http://127\.0\.0\.1:8000") as failed:
        client_for(fail).get("/credits")

    assert "glovebox serve" in str(failed.value.hint)


def test_pages_are_put_together_up_to_the_limit() -> None:
    def page(request: httpx.Request) -> httpx.Response:
        start, size = int(request.url.params.get("cursor", "0")), int(request.url.params["limit"])
        return httpx.Response(200, json={"items": list(range(start, start + size)), "next_cursor": str(start + size)})

    assert client_for(page).pages("/runs", limit=250) == {"items": list(range(250)), "next_cursor": "250"}


def test_pages_end_with_the_list() -> None:
    client = client_for(lambda _request: httpx.Response(200, json={"items": [1, 2], "next_cursor": None}))

    assert client.pages("/runs", limit=250) == {"items": [1, 2], "next_cursor": None}


def test_list_that_never_ends_and_has_nothing_is_left() -> None:
    client = client_for(lambda _request: httpx.Response(200, json={"items": [], "next_cursor": "again"}))

    assert client.pages("/runs", limit=250)["items"] == []
