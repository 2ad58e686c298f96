from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from starlette.requests import Request

from agents_store.errors import RevisionMovedError
from agents_store.types import Agent, AgentStatus
from server.agents.preconditions import Expected, etag_of, is_known_to_caller, read_if_match
from server.errors import InvalidRequestError, PreconditionRequiredError

NOW = datetime.now(UTC)
AGENT = Agent(uuid4(), uuid4(), "hello", "", AgentStatus.ACTIVE, "restricted", 1, 7, NOW, NOW)


def request(*values: str, header: str = "If-Match") -> Request:
    headers = [(header.lower().encode(), value.encode("latin-1")) for value in values]
    return Request({"type": "http", "headers": headers})


def test_tag_is_strong_and_of_the_revision() -> None:
    assert etag_of(AGENT) == '"v7"'
    assert etag_of(replace(AGENT, revision=8)) != etag_of(AGENT)


@pytest.mark.parametrize("values", [("*",), (" * ",), ('"v7"',), ('"v1" ,\t"v7"',), ('"v1"', '"v7"'), ('"a,b", "v7"',)])
def test_what_names_the_agent_is_met(values: tuple[str, ...]) -> None:
    read_if_match(request(*values)).require(AGENT)


@pytest.mark.parametrize("values", [('"v6"',), ('W/"v7"',), ('""',), ('"v7,v7"',), ('"\xff"',)])
def test_what_names_another_state_is_not_met(values: tuple[str, ...]) -> None:
    with pytest.raises(RevisionMovedError):
        read_if_match(request(*values)).require(AGENT)


@pytest.mark.parametrize("values", [("",), ("v7",), ('"v7',), ('"v7" "v7"',), ("*", '"v7"'), ('"v7",',), ('w/"v7"',)])
def test_what_is_no_list_of_tags_is_refused(values: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRequestError):
        read_if_match(request(*values))


def test_missing_header_is_wanted() -> None:
    with pytest.raises(PreconditionRequiredError):
        read_if_match(request())


def test_only_a_star_is_anything() -> None:
    assert read_if_match(request("*")) == Expected(())
    assert not read_if_match(request('"v7"')).is_anything


@pytest.mark.parametrize(
    ("values", "known"), [((), False), (("*",), True), (('W/"v7"',), True), (('"v6", "v7"',), True), (('"v6"',), False)]
)
def test_caller_has_what_a_tag_names_weakly_too(values: tuple[str, ...], known: bool) -> None:
    assert is_known_to_caller(request(*values, header="If-None-Match"), AGENT) is known


def test_long_header_of_a_stranger_is_read_in_no_time() -> None:
    with pytest.raises(InvalidRequestError):
        read_if_match(request('"v1",' * 6_000 + '"'))
