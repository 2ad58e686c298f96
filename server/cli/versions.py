"""`glovebox agents edit, versions, diff, activate, check`: how an agent changes, over HTTP."""

import difflib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from server.cli import output
from server.cli.client import Answer, ApiClient, Document, open_client
from server.cli.errors import CliError, Exit, ProblemError
from server.cli.manifest import read_agent
from server.cli.options import AgentName, AsJson, Limit
from server.cli.paths import agent_path

SHA_CHARS_SHOWN = 12
CONTRACT = ("asked_tier", "inputs_schema", "examples", "limits")

VersionNumber = Annotated[int, typer.Argument(metavar="N", min=1, help="The version's number.")]


def edit(
    agent_name: AgentName,
    file: Annotated[
        Path,
        typer.Option("--file", "-f", help="Python file, or a folder with agent.py, agent.toml and examples.jsonl."),
    ],
    as_json: AsJson = False,
) -> None:
    """Change an agent to what the files say: a new version, unless somebody else changes it meanwhile."""
    body = read_agent(file)
    with open_client() as client:
        agent = _change(client, agent_name, "PATCH", agent_path(agent_name), body)
    _print_changed(agent, as_json=as_json)


def list_versions(agent_name: AgentName, limit: Limit = 50, as_json: AsJson = False) -> None:
    """List an agent's versions, newest first."""
    with open_client() as client:
        page = client.pages(f"{agent_path(agent_name)}/versions", limit=limit)
    if as_json:
        output.json_object(page)
        return
    output.table(
        ("VERSION", "CURRENT", "TIER", "ASKED", "CODE", "CREATED"),
        (
            (
                version["version"],
                "*" if version["current"] else "",
                version["tier"],
                version["asked_tier"],
                version["code_sha256"][:SHA_CHARS_SHOWN],
                output.moment(version["created_at"]),
            )
            for version in page["items"]
        ),
    )


def diff(
    agent_name: AgentName,
    old: Annotated[
        int | None, typer.Argument(metavar="A", min=1, help="A version; absent: the one before B.", show_default=False)
    ] = None,
    new: Annotated[
        int | None, typer.Argument(metavar="B", min=1, help="Another; absent: the current one.", show_default=False)
    ] = None,
) -> None:
    """Show what changed from one version to another, in code and contract, as a unified diff."""
    with open_client() as client:
        new = client.get(agent_path(agent_name))["version"] if new is None else new
        old = new - 1 if old is None else old
        if old < 1:
            raise CliError(f"version {new} of {agent_name} is its first")
        one, other = _version(client, agent_name, old), _version(client, agent_name, new)
    lines = [*_diff_code(one, other), *_diff_contract(one, other)]
    for text in lines:
        output.line(text)
    if not lines:
        output.note(f"versions {old} and {new} of {agent_name} are the same")


def activate(agent_name: AgentName, version: VersionNumber, as_json: AsJson = False) -> None:
    """Make a version the one that the agent's URL runs: roll back, or forth again."""
    with open_client() as client:
        agent = _change(client, agent_name, "POST", f"{agent_path(agent_name)}/versions/{version}/activate")
    _print_changed(agent, as_json=as_json)


def check(agent_name: AgentName, as_json: AsJson = False) -> None:
    """Run an agent's examples as dry runs; exit status 1 when one fails."""
    with open_client() as client:
        report = client.request("POST", f"{agent_path(agent_name)}/check").document
    if as_json:
        output.json_object(report)
    else:
        _print_report(agent_name, report)
    if not report["passed"]:
        raise typer.Exit(Exit.FAILURE)


def _change(
    client: ApiClient, agent_name: str, method: str, path: str, body: Mapping[str, Any] | None = None
) -> Document:
    """Change an agent that is as it was a moment ago. Raises CliError where somebody was faster."""
    seen: Answer = client.request("GET", agent_path(agent_name))
    try:
        return client.request(method, path, body=body, headers={"If-Match": seen.headers.get("ETag", "")}).document
    except ProblemError as exc:
        if exc.status != 412:
            raise
        raise CliError(
            f"somebody else changed {agent_name} at this moment; nothing of yours was stored",
            hint=f"see what changed: glovebox agents diff {agent_name}; then try again",
            exit_code=Exit.CONFLICT,
        ) from exc


def _print_changed(agent: Document, *, as_json: bool) -> None:
    if as_json:
        output.json_object(agent)
        return
    output.line(agent["url"])
    output.note(f"{agent['agent_name']} runs version {agent['version']}, tier {agent['tier']}")


def _version(client: ApiClient, agent_name: str, version: int) -> Document:
    return client.get(f"{agent_path(agent_name)}/versions/{version}")


def _diff_code(one: Document, other: Document) -> Iterator[str]:
    return _unified("agent.py", one, other, one["code"], other["code"])


def _diff_contract(one: Document, other: Document) -> Iterator[str]:
    return _unified("contract.json", one, other, *(_contract_text(version) for version in (one, other)))


def _contract_text(version: Document) -> str:
    contract = {name: version[name] for name in CONTRACT}
    return json.dumps(contract, ensure_ascii=False, indent=2, sort_keys=True)


def _unified(file: str, one: Document, other: Document, old: str, new: str) -> Iterator[str]:
    names = [f"{file} (version {version['version']})" for version in (one, other)]
    return difflib.unified_diff(old.splitlines(), new.splitlines(), names[0], names[1], lineterm="")


def _failure(result: Mapping[str, Any]) -> str:
    if result["outcome"] is None:
        return "not run"
    return "another result" if result["outcome"] == "succeeded" else str(result["outcome"])


def _print_report(agent_name: str, report: Document) -> None:
    results = report["results"]
    for result in results:
        if result["passed"]:
            output.line(f"example {result['index']}: passed")
            continue
        output.line(f"example {result['index']}: {_failure(result)}")
        output.note(f"  expected: {output.as_json(result['expected'])}")
        if result["error"] is None:
            output.note(f"  got:      {output.as_json(result['got'])}")
        else:
            output.note(f"  error:    {result['error'].get('type')}: {result['error'].get('message')}")
    passed = sum(result["passed"] for result in results)
    output.note(f"{passed} of {len(results)} examples of {agent_name}, version {report['version']}, passed")
