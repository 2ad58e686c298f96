"""`glovebox agents`: create, list, show, run, logs, delete, over HTTP; versions are in a module of their own."""

import json
import sys
import textwrap
from pathlib import Path
from typing import Annotated, Any

import typer

from server.cli import generation, output, versions
from server.cli.client import Answer, ApiClient, open_client
from server.cli.errors import CliError, Exit
from server.cli.manifest import read_agent
from server.cli.options import AgentName, AsJson, Limit
from server.cli.paths import agent_path, quoted
from server.cli.runs import Follow, log_text, show_log

INPUT_BYTES_MAX = 16 * 1024**2
DESCRIPTION_WIDTH = 72

app = typer.Typer(help="Create, run, change and inspect your agents.", no_args_is_help=True)
app.command()(versions.edit)
app.command("versions")(versions.list_versions)
app.command()(versions.diff)
app.command()(versions.activate)
app.command()(versions.check)
app.command()(generation.revise)
app.command()(generation.draft)


@app.command()
def create(
    agent_name: AgentName,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", help="Python file, or a folder with agent.py, agent.toml and examples.jsonl."),
    ] = None,
    describe: Annotated[
        str | None, typer.Option("--describe", metavar="TEXT", help="What it is to do: a model writes the code.")
    ] = None,
    examples: Annotated[
        Path | None, typer.Option(help="With --describe: a JSON Lines file of what must come out.")
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(metavar="HOST", help="With --describe: where it may fetch from.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Create an agent from its code, or from a description."""
    if (file is None) == (describe is None):
        raise typer.BadParameter("give --file or --describe")
    if describe is not None:
        generation.create(agent_name, describe, examples, allow_host or [], as_json=as_json)
        return
    if examples is not None or allow_host:
        raise typer.BadParameter("--examples and --allow-host go with --describe; a folder has them in its files")
    body = {"agent_name": agent_name, **read_agent(Path(str(file)))}
    with open_client() as client:
        agent = client.request("POST", "/agents", body=body).document
    if as_json:
        output.json_object(agent)
        return
    output.line(agent["url"])
    output.note(f"created {agent['agent_name']}, tier {agent['tier']}; run it: glovebox agents run {agent_name} k=v")


@app.command("list")
def list_agents(limit: Limit = 50, as_json: AsJson = False) -> None:
    """List your agents, newest first."""
    with open_client() as client:
        page = client.pages("/agents", limit=limit)
    if as_json:
        output.json_object(page)
        return
    output.table(
        ("NAME", "TIER", "VERSION", "CREATED", "DESCRIPTION"),
        (
            (
                agent["agent_name"],
                agent["tier"],
                agent["version"],
                output.moment(agent["created_at"]),
                textwrap.shorten(agent["description"], DESCRIPTION_WIDTH, placeholder="..."),
            )
            for agent in page["items"]
        ),
    )
    if not page["items"]:
        output.note("no agents yet; make one: glovebox agents create NAME --file agent.py")


@app.command()
def show(agent_name: AgentName, as_json: AsJson = False) -> None:
    """Show one agent with its code and contract."""
    with open_client() as client:
        agent = client.get(agent_path(agent_name))
    if as_json:
        output.json_object(agent)
        return
    code = agent.pop("code", None)
    output.fields(agent.items())
    if code is not None:
        output.line()
        output.line(code.rstrip("\n"))


@app.command()
def delete(agent_name: AgentName, as_json: AsJson = False) -> None:
    """Delete an agent: its name becomes free, its runs and the ledger stay."""
    with open_client() as client:
        client.request("DELETE", agent_path(agent_name))
    if as_json:
        output.json_object({"agent_name": agent_name, "deleted": True})
    else:
        output.note(f"deleted {agent_name}")


@app.command()
def run(
    agent_name: AgentName,
    inputs: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Inputs; a repeated key makes a list.")
    ] = None,
    json_input: Annotated[
        str | None, typer.Option("--input", help="All inputs as a JSON object, or @FILE, or @- for stdin.")
    ] = None,
    test: Annotated[bool, typer.Option("--test", help="Dry run: nothing is charged, writes are withheld.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run an agent and print what it returned."""
    params = [_parse_pair(pair) for pair in inputs or []]
    body = None if json_input is None else _parse_inputs(json_input)
    if params and body is not None:
        raise typer.BadParameter("give KEY=VALUE or --input, not both")
    if test:
        params.append(("test", "true"))
    with open_client() as client:
        path = _invocation_path(client, agent_name)
        answer = client.request("GET" if body is None else "POST", path, params=params, body=body)
    if test:
        _print_dry_run(answer, as_json=as_json)
    else:
        _print_run(answer, as_json=as_json)


@app.command()
def logs(
    agent_name: Annotated[str | None, typer.Argument(metavar="NAME", help="Its last run's lines.")] = None,
    run_id: Annotated[str | None, typer.Option("--run", metavar="ID", help="This run's lines instead.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many lines at most, oldest first.")] = 1000,
    follow: Follow = False,
    as_json: AsJson = False,
) -> None:
    """Show what a run logged."""
    if (agent_name is None) == (run_id is None):
        raise typer.BadParameter("give an agent's NAME or --run ID")
    with open_client() as client:
        run_id = run_id or _last_run_id(client, str(agent_name))
        if follow:
            output.note(f"run {run_id}")
            show_log(client, run_id, follow=True)
            return
        page = client.pages(f"/runs/{quoted(run_id)}/logs", limit=limit)
    if as_json:
        output.json_object({"run_id": run_id, **page})
        return
    output.note(f"run {run_id}")
    for log_line in page["items"]:
        output.line(log_text(log_line))
    if page["next_cursor"] is not None:
        output.note(f"there are more than these {limit} lines; raise --limit")


def _parse_pair(pair: str) -> tuple[str, str]:
    key, equals, value = pair.partition("=")
    if not key or not equals:
        raise typer.BadParameter(f"{pair!r} is not KEY=VALUE")
    if key == "test":
        raise typer.BadParameter("'test' is no input; a dry run is --test")
    return key, value


def _parse_inputs(text: str) -> dict[str, Any]:
    if text.startswith("@"):
        text = _read_inputs(text[1:])
    try:
        inputs = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise typer.BadParameter(f"--input is not JSON: {exc}") from exc
    if not isinstance(inputs, dict):
        raise typer.BadParameter("--input must be a JSON object")
    return inputs


def _read_inputs(name: str) -> str:
    try:
        if name == "-":
            content = sys.stdin.buffer.read(INPUT_BYTES_MAX + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(INPUT_BYTES_MAX + 1)
        if len(content) > INPUT_BYTES_MAX:
            raise CliError(f"the inputs are larger than {INPUT_BYTES_MAX} bytes")
        return content.decode("utf-8")
    except OSError as exc:
        raise CliError(f"cannot read {name}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise CliError(f"{name} is not UTF-8") from exc


def _invocation_path(client: ApiClient, agent_name: str) -> str:
    # Not the agent's `url`: the token goes to GLOVEBOX_URL alone, whatever an answer says.
    agent = client.get(agent_path(agent_name))
    return f"/agents/{quoted(agent['user_id'])}/{quoted(agent_name)}"


def _last_run_id(client: ApiClient, agent_name: str) -> str:
    runs = client.get("/runs", [("agent_name", agent_name), ("limit", "1")])["items"]
    if not runs:
        raise CliError(f"{agent_name} has no runs", exit_code=Exit.NOT_FOUND)
    return str(runs[0]["id"])


def _print_run(answer: Answer, *, as_json: bool) -> None:
    run_id, tier = answer.headers.get("Glovebox-Run-Id"), answer.headers.get("Glovebox-Tier")
    charge = answer.headers.get("Glovebox-Charge", "")
    charge_microcredits = int(charge) if charge.isdecimal() else None
    if as_json:
        output.json_object(
            {"result": answer.body, "run_id": run_id, "tier": tier, "charge_microcredits": charge_microcredits}
        )
        return
    output.json_object(answer.body)
    price = "-" if charge_microcredits is None else output.credits_text(charge_microcredits)
    output.note(f"run {run_id}, tier {tier}, charged {price} credits")


def _print_dry_run(answer: Answer, *, as_json: bool) -> None:
    dry = answer.document
    if as_json:
        output.json_object(dry)
        return
    output.json_object(dry["result"])
    for log_line in dry["logs"]:
        output.note(log_text(log_line))
    for effect in dry["effects"]:
        output.note(f"effect: {output.as_json(effect)}")
    ended = "complete" if dry["complete"] else "ended early, at an effect that was withheld"
    price = output.credits_text(dry["would_charge"])
    output.note(f"dry run {answer.headers.get('Glovebox-Run-Id')}, {ended}; nothing charged, live: {price} credits")
