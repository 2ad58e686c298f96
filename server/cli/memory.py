"""`glovebox memory`: look at and change what agents remember, over HTTP."""

import json
from typing import Annotated

import typer

from server.cli import output
from server.cli.client import open_client
from server.cli.errors import CliError
from server.cli.options import AgentName, AsJson
from server.cli.paths import quoted

Key = Annotated[str, typer.Argument(metavar="KEY", help="What it is remembered under.")]

app = typer.Typer(help="Look at and change what agents remember.", no_args_is_help=True)


@app.command("list")
def list_memory(
    agent_name: AgentName,
    prefix: Annotated[str, typer.Option("--prefix", help="Only keys that begin so.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the keys under which an agent remembers something."""
    with open_client() as client:
        page = client.pages(f"/agents/{quoted(agent_name)}/memory", limit=limit, params=[("prefix", prefix)])
    if as_json:
        output.json_object(page)
        return
    for item in page["items"]:
        output.line(item["key"])


@app.command()
def show(agent_name: AgentName, key: Key, as_json: AsJson = False) -> None:
    """Show what an agent remembers under a key."""
    with open_client() as client:
        entry = client.get(_path(agent_name, key))
    if as_json:
        output.json_object(entry)
    else:
        output.line(output.as_json(entry["value"], indent=2))


@app.command()
def put(
    agent_name: AgentName,
    key: Key,
    value: Annotated[str, typer.Argument(metavar="JSON", help="Any JSON: 1, '\"text\"', '{\"a\": 1}'.")],
    tags: Annotated[list[str] | None, typer.Option("--tag", help="What a search can ask for; may be repeated.")] = None,
    importance: Annotated[float, typer.Option(min=0, max=1, help="How much a search lifts it.")] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Let an agent remember a value."""
    try:
        body = {"value": json.loads(value), "tags": tags or [], "importance": importance}
    except ValueError as exc:
        raise CliError("the value is no JSON", hint="a text is written with its quotes: '\"text\"'") from exc
    with open_client() as client:
        entry = client.request("PUT", _path(agent_name, key), body=body).document
    if as_json:
        output.json_object(entry)
    else:
        output.note(f"{agent_name} remembers {entry['key']}")


@app.command()
def delete(agent_name: AgentName, key: Key, as_json: AsJson = False) -> None:
    """Let an agent forget a key."""
    with open_client() as client:
        client.request("DELETE", _path(agent_name, key))
    if as_json:
        output.json_object({"key": key, "deleted": True})
    else:
        output.note(f"{agent_name} forgot {key}")


def _path(agent_name: str, key: str) -> str:
    return f"/agents/{quoted(agent_name)}/memory/{quoted(key)}"
