import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

import agents_store.errors as store
import sandbox.errors as sandbox
import server.auth.errors as auth
from server.errors import PROBLEMS, CodeRejectedError, RunLostError, ServerError, UserBusyError, describe, problem_of

BASES = (ServerError, auth.AuthError, store.StoreError, sandbox.SandboxError)


def every_subclass(base: type[Exception]) -> Iterator[type[Exception]]:
    yield base
    for subclass in base.__subclasses__():
        yield from every_subclass(subclass)


@pytest.mark.parametrize("cls", [cls for base in BASES for cls in every_subclass(base)])
def test_every_error_of_every_package_is_mapped_by_itself(cls: type[Exception]) -> None:
    assert cls in PROBLEMS


def test_one_code_has_one_status() -> None:
    statuses: dict[str, set[int]] = {}
    for problem in PROBLEMS.values():
        statuses.setdefault(problem.code, set()).add(problem.status)

    assert all(len(found) == 1 for found in statuses.values())


@pytest.mark.parametrize("cls", PROBLEMS)
def test_every_503_and_429_says_when_to_try_again(cls: type[Exception]) -> None:
    problem = PROBLEMS[cls]

    assert problem.status not in (429, 503) or problem.retry_after_s is not None or cls is auth.IssuerUnavailableError


def described(error: Exception) -> tuple[int, dict[str, Any], dict[str, str]]:
    status, document, headers = describe(error, uuid4())
    json.dumps(document)
    return status, document, headers


@pytest.mark.parametrize(
    ("error", "status", "code", "members"),
    [
        (store.AgentExistsError("hello"), 409, "agent_exists", {"agent_name": "hello"}),
        (
            store.InsufficientCreditsError(11_000, 5),
            402,
            "insufficient_credits",
            {"needed_microcredits": 11_000, "available_microcredits": 5},
        ),
        (store.UnknownAgentError("x"), 404, "unknown_agent", {}),
        (sandbox.TierUnavailableError("restricted", ("Landlock",)), 503, "tier_unavailable", {"tier": "restricted"}),
        (CodeRejectedError("no", [{"line": 1}]), 422, "code_rejected", {"errors": ({"line": 1},)}),
    ],
)
def test_typed_members_reach_the_document(error: Exception, status: int, code: str, members: dict[str, object]) -> None:
    answered, document, _ = described(error)

    assert (answered, document["status"], document["code"]) == (status, status, code)
    assert {name: document[name] for name in members} == members


def test_every_document_has_the_standard_members() -> None:
    _, document, _ = described(store.StoreUnavailableError())

    assert set(document) >= {"type", "title", "status", "detail", "instance", "code"}
    assert document["type"] == "urn:glovebox:problem:store_unavailable"


def test_a_refused_caller_is_told_the_scheme_and_nothing_else() -> None:
    status, document, headers = described(auth.UnauthenticatedError(auth.Reason.SIGNATURE))

    assert (status, headers["WWW-Authenticate"]) == (401, 'Bearer realm="glovebox"')
    assert "signature" not in json.dumps(document)


def test_an_errors_own_retry_after_wins() -> None:
    assert described(auth.IssuerUnavailableError(17))[2]["Retry-After"] == "17"
    assert described(UserBusyError(50, dry=False))[2]["Retry-After"] == "1"


def test_a_lost_run_is_named_in_the_headers() -> None:
    run_id = uuid4()

    assert described(RunLostError(run_id))[2]["Glovebox-Run-Id"] == str(run_id)


def test_whatever_is_unknown_is_a_defect_of_ours_that_says_nothing() -> None:
    status, document, _ = described(KeyError("postgresql://glovebox:hunter2@db/prod"))

    assert (status, document["code"]) == (500, "internal")
    assert "hunter2" not in json.dumps(document)


def test_an_unmapped_subclass_is_answered_as_its_nearest_parent() -> None:
    class SomewhereElseError(store.UnknownRunError):
        pass

    assert problem_of(SomewhereElseError()).code == "unknown_run"
