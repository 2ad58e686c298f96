import json
from typing import Any

import httpx
import pytest
from pydantic import AnyHttpUrl, SecretStr

from server.cli.account import _whole
from server.cli.client import ApiClient, ClientSettings, Document
from server.cli.errors import CliError, Exit
from server.cli.versions import _change, _diff_code, _diff_contract


def client_of(answer: httpx.Response) -> ApiClient:
    """A server that shows an agent with a tag, and answers every change of it with `answer`."""

    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"agent_name": "hello"}, headers={"ETag": '"v7"'})
        assert request.headers["if-match"] == '"v7"'
        return answer

    settings = ClientSettings(_env_file=None, url=AnyHttpUrl("http://127.0.0.1:1"), token=SecretStr("a.b.c"))
    return ApiClient(settings, transport=httpx.MockTransport(handle))


def test_change_is_made_of_what_was_seen() -> None:
    with client_of(httpx.Response(200, json={"version": 2})) as client:
        assert _change(client, "hello", "PATCH", "/agents/hello", {"code": "x"}) == {"version": 2}


def test_conflict_says_what_to_do() -> None:
    moved = httpx.Response(412, json={"code": "precondition_failed"})
    with client_of(moved) as client, pytest.raises(CliError) as raised:
        _change(client, "hello", "PATCH", "/agents/hello", {"code": "x"})

    assert "somebody else changed hello" in str(raised.value)
    assert "agents diff hello" in str(raised.value.hint)
    assert raised.value.exit_code is Exit.CONFLICT


def test_diff_names_the_versions_and_is_empty_where_nothing_changed() -> None:
    contract: dict[str, Any] = {
        "asked_tier": "auto",
        "inputs_schema": None,
        "examples": [],
        "limits": {"wall_ms_max": 1},
    }
    one = Document({"version": 1, "code": "a\nb\n", **contract})
    other = Document({**one, "version": 3, "code": "a\nc\n"})

    assert list(_diff_code(one, other)) == [
        "--- agent.py (version 1)",
        "+++ agent.py (version 3)",
        "@@ -1,2 +1,2 @@",
        " a",
        "-b",
        "+c",
    ]
    assert list(_diff_contract(one, other)) == []


@pytest.mark.parametrize(
    "lines", [[], ['{"type": "account"}'], ['{"type": "end"'], ["[]"], ["null"], ['{"type":"end"}', "x"]]
)
def test_export_without_its_end_is_not_whole(lines: list[str]) -> None:
    with pytest.raises(CliError, match="broke off"):
        list(_whole(iter(lines)))


def test_whole_export_is_passed_on() -> None:
    lines = ['{"type": "account"}', json.dumps({"type": "end", "counts": {}})]

    assert list(_whole(iter(lines))) == lines


def test_lines_end_at_line_feeds_alone() -> None:
    text = '{"a": "\u2028\u0085\r"}\n\n{"b": 1}'

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=text.encode())

    settings = ClientSettings(_env_file=None, url=AnyHttpUrl("http://127.0.0.1:1"), token=SecretStr("a.b.c"))
    with ApiClient(settings, transport=httpx.MockTransport(handle)) as client:
        assert list(client.lines("/account/export")) == text.split("\n")
