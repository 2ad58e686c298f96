"""The OpenAPI document says everything that callers can meet."""

import re
from typing import Any

import httpx
import pytest

from sandbox.types import Outcome
from server.errors import PROBLEMS
from server.invocations.outcomes import RULINGS

Json = dict[str, Any]


@pytest.fixture
async def document(anonymous: httpx.AsyncClient) -> Json:
    answer = await anonymous.get("/openapi.json")
    assert answer.status_code == 200
    found: Json = answer.json()
    return found


def operations(document: Json) -> dict[tuple[str, str], Json]:
    return {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_every_route_is_listed_with_a_short_stable_id(document: Json) -> None:
    assert document["openapi"].startswith("3.1")
    assert {key: operation["operationId"] for key, operation in operations(document).items()} == {
        ("GET", "/agents/{user_id}/{agent_name}"): "invoke_agent_by_get",
        ("POST", "/agents/{user_id}/{agent_name}"): "invoke_agent",
        ("POST", "/agents/{user_id}/{agent_name}/dry-runs"): "dry_run_agent",
        ("POST", "/agents"): "create_agent",
        ("GET", "/agents"): "list_agents",
        ("GET", "/agents/{agent_name}"): "show_agent",
        ("PATCH", "/agents/{agent_name}"): "edit_agent",
        ("DELETE", "/agents/{agent_name}"): "delete_agent",
        ("GET", "/agents/{agent_name}/versions"): "list_versions",
        ("GET", "/agents/{agent_name}/versions/{version}"): "show_version",
        ("POST", "/agents/{agent_name}/versions/{version}/activate"): "activate_version",
        ("POST", "/agents/{agent_name}/check"): "check_agent",
        ("POST", "/agents/{agent_name}/revise"): "revise_agent",
        ("GET", "/generations"): "list_generations",
        ("GET", "/generations/{generation_id}"): "show_generation",
        ("GET", "/account"): "show_account",
        ("GET", "/account/export"): "export_account",
        ("DELETE", "/account"): "erase_account",
        ("GET", "/runs"): "list_runs",
        ("GET", "/runs/{run_id}"): "show_run",
        ("GET", "/runs/{run_id}/logs"): "show_run_logs",
        ("POST", "/runs/{run_id}/cancel"): "cancel_run",
        ("GET", "/runs/{run_id}/effects"): "show_run_effects",
        ("GET", "/runs/{run_id}/files"): "list_run_files",
        ("GET", "/runs/{run_id}/files/{name}"): "get_run_file",
        ("POST", "/runs/{run_id}/apply"): "apply_run",
        ("POST", "/runs/{run_id}/replay"): "replay_run",
        ("GET", "/agents/{agent_name}/memory"): "list_memory",
        ("GET", "/agents/{agent_name}/memory/{key}"): "show_memory",
        ("PUT", "/agents/{agent_name}/memory/{key}"): "put_memory",
        ("DELETE", "/agents/{agent_name}/memory/{key}"): "delete_memory",
        ("GET", "/agents/{agent_name}/secrets"): "list_secrets",
        ("PUT", "/agents/{agent_name}/secrets/{name}"): "put_secret",
        ("DELETE", "/agents/{agent_name}/secrets/{name}"): "delete_secret",
        ("GET", "/credits"): "show_credits",
        ("GET", "/credits/entries"): "list_credit_entries",
        ("POST", "/api-keys"): "create_api_key",
        ("GET", "/api-keys"): "list_api_keys",
        ("DELETE", "/api-keys/{api_key_id}"): "revoke_api_key",
        ("GET", "/health/live"): "live",
        ("GET", "/health/ready"): "ready",
    }


def test_every_route_but_the_probes_wants_a_bearer_token(document: Json) -> None:
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for (_, path), operation in operations(document).items():
        open_to_all = path.startswith("/health/")
        assert operation["security"] == ([] if open_to_all else [{"bearer": []}])
        assert ("401" in operation["responses"]) is not open_to_all


def test_every_code_is_documented_at_a_route_under_its_status(document: Json) -> None:
    documented = {
        (code, int(status))
        for operation in operations(document).values()
        for status, response in operation["responses"].items()
        for code in re.findall(r"`(\w+)`:", response["description"])
    }
    belonging_to_no_route = {("no_such_route", 404), ("method_not_allowed", 405)}

    assert (
        documented
        == {
            *((problem.code, problem.status) for problem in PROBLEMS.values()),
            *(
                (outcome.value, ruling.status)
                for outcome, ruling in RULINGS.items()
                if outcome is not Outcome.SUCCEEDED
            ),
        }
        - belonging_to_no_route
    )


def test_every_problem_is_described_by_one_schema(document: Json) -> None:
    codes = set(document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"])
    for operation in operations(document).values():
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                (content,) = response["content"].items()
                assert content == ("application/problem+json", {"schema": {"$ref": "#/components/schemas/Problem"}})

    assert codes == {problem.code for problem in PROBLEMS.values()} | {
        outcome.value for outcome in Outcome if outcome is not Outcome.SUCCEEDED
    }


def test_every_reference_leads_somewhere(document: Json) -> None:
    schemas = document["components"]["schemas"]

    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*(references(item) for item in value.values()))
        return set().union(*(references(item) for item in value)) if isinstance(value, list) else set()

    assert {reference.removeprefix("#/components/schemas/") for reference in references(document)} <= set(schemas)


def test_links_lead_from_what_was_made_to_everything_about_it(document: Json) -> None:
    by_id = {operation["operationId"]: operation for operation in operations(document).values()}
    named = {
        name: {place["name"] for place in operation.get("parameters", []) if place["in"] == "path"}
        for name, operation in by_id.items()
    }
    answers = [answer for operation in by_id.values() for answer in operation["responses"].values()]
    links = [link for answer in answers for link in answer.get("links", {}).values()]

    assert [link for link in links if link["parameters"].keys() - named[link["operationId"]]] == []
    reached = {link["operationId"] for link in links}
    assert {name for name, places in named.items() if places} - reached == {"revise_agent"}  # which takes a model
