"""`glovebox runs`: list, show, follow and cancel, over HTTP."""

import json
import time
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from server.cli import output
from server.cli.client import ApiClient, open_client
from server.cli.errors import CliError, ServerUnreachableError
from server.cli.options import AsJson, Limit
from server.cli.paths import quoted

RECONNECTS_MAX = 5
RECONNECT_S = 1.0

RunId = Annotated[str, typer.Argument(metavar="ID", help="The run's id.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run has ended.")]

app = typer.Typer(help="Inspect, follow and cancel your runs.", no_args_is_help=True)


@app.command("list")
def list_runs(
    limit: Limit = 50,
    agent_name: Annotated[str | None, typer.Option("--agent", metavar="NAME", help="Only this agent's.")] = None,
    state: Annotated[str | None, typer.Option(help="executing, completed, failed or cancelled.")] = None,
    outcome: Annotated[str | None, typer.Option(help="How they ended, as timed_out.")] = None,
    as_json: AsJson = False,
) -> None:
    """List your runs, newest first."""
    wanted = {"agent_name": agent_name, "state": state, "outcome": outcome}
    params = [(name, value) for name, value in wanted.items() if value is not None]
    with open_client() as client:
        page = client.pages("/runs", limit=limit, params=params)
    if as_json:
        output.json_object(page)
        return
    output.table(
        ("ID", "AGENT", "VERSION", "STATE", "OUTCOME", "CREATED", "CHARGED"),
        (
            (
                run["id"],
                run["agent_name"],
                run["version"],
                run["state"],
                run["reason"] or run["outcome"],
                output.moment(run["created_at"]),
                output.credits_text(run["charge_microcredits"]),
            )
            for run in page["items"]
        ),
    )


@app.command()
def show(run_id: RunId, as_json: AsJson = False) -> None:
    """Show one run with its inputs and its result."""
    with open_client() as client:
        run = client.get(_path(run_id))
    if as_json:
        output.json_object(run)
    else:
        output.fields(run.items())


@app.command()
def cancel(run_id: RunId, as_json: AsJson = False) -> None:
    """Ask for the end of a live run; what it used until then is charged."""
    with open_client() as client:
        run = client.request("POST", f"{_path(run_id)}/cancel").document
    if as_json:
        output.json_object(run)
    else:
        output.note(f"asked {run['id']} to end")


@app.command()
def logs(run_id: RunId, follow: Follow = False) -> None:
    """Show what a run logged, also while it lives."""
    with open_client() as client:
        show_log(client, run_id, follow=follow)


def show_log(client: ApiClient, run_id: str, *, follow: bool) -> None:
    """Print the lines of a run so far, and with `follow` those that come until it has ended.

    Raises:
        CliError: the run cannot be followed to its end.
    """
    if not follow:
        for log_line in client.pages(f"{_path(run_id)}/logs", limit=100_000)["items"]:
            output.line(log_text(log_line))
        return
    seq, reconnects = 0, 0
    while True:
        try:
            for name, data in parse_events(client.lines(f"{_path(run_id)}/logs", _stream_after(seq))):
                if name == "log":
                    output.line(log_text(data))
                    seq, reconnects = data["seq"], 0
                elif name == "done":
                    output.note(f"run {run_id}: {data['reason'] or data['outcome']}")
                    return
        except ServerUnreachableError:
            if reconnects == RECONNECTS_MAX:
                raise
        if reconnects == RECONNECTS_MAX:
            raise CliError(f"the server ended the stream {reconnects} times without a line")
        reconnects += 1
        time.sleep(RECONNECT_S)


def log_text(log_line: dict[str, Any]) -> str:
    """One log line as text."""
    fields = "".join(f" {key}={output.as_json(value)}" for key, value in log_line.get("fields", {}).items())
    return f"{log_line['at_ms']:>7} ms  {log_line['message']}{fields}"


def _path(run_id: str) -> str:
    return f"/runs/{quoted(run_id)}"


def _stream_after(seq: int) -> dict[str, str]:
    return {"Accept": "text/event-stream"} | ({"Last-Event-ID": str(seq)} if seq else {})


def parse_events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    """Names and data of events: one line of JSON each, as our servers send them."""
    name = data = ""
    for line in lines:
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            data = value
        elif not line and data:
            try:
                yield name, json.loads(data)
            except ValueError as exc:
                raise CliError("the stream is none of a Glovebox server") from exc
            name = data = ""
